"""webui: shows how many hashes dockercoins makes.

    GET /              to index.html
    GET /index.html    the page: a live chart, drawn without anything from elsewhere
    GET /json          {"coins": …, "hashes": …, "now": …}; `now` in seconds since 1970

The header Served-By names the container that answered.
"""

import json
import signal
import socket
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from resp import Redis, RedisError

PAGE = Path(__file__).with_name("index.html")


def read_counters(store):
    """Return what /json says. Raises `OSError` or `RedisError` if redis does not answer."""
    return {
        "coins": store.hlen("wallet"),
        "hashes": int(store.get("hashes") or 0),
        "now": time.time(),
    }


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"  # which keeps the connection for the next question
    timeout = 10  # seconds; a client that says nothing does not keep a thread for ever
    wbufsize = -1  # headers and body leave as one packet, else the second waits for an ACK

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/":
            # relative: a proxy may have the page under a path of its own
            self.reply(302, "text/plain", b"", Location="index.html")
        elif path == "/index.html":
            self.reply(200, "text/html; charset=utf-8", PAGE.read_bytes())
        elif path == "/json":
            self.reply_with_counters()
        else:
            self.send_error(404)

    def reply_with_counters(self):
        store = Redis("redis", timeout=2)
        try:
            status, answer = 200, read_counters(store)
        except (OSError, RedisError) as problem:
            status, answer = 503, {"error": f"redis does not answer: {problem}"}
        finally:
            store.close()
        self.reply(status, "application/json", json.dumps(answer).encode())

    def reply(self, status, content_type, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Served-By", socket.gethostname())
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        """Log nothing for what went well: every open page asks once a second."""

    def log_message(self, format, *args):  # noqa: A002 - the name that the base class gives it
        print(self.address_string(), format % args)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each request. Unlike `http.server`'s, it looks up no name at start."""

    allow_reuse_address = True
    daemon_threads = True


def main():
    # A process that is number 1 in its container gets no default handler for SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(("", 80), Handler) as server:
        print("WEBUI listens on port 80")
        server.serve_forever()


if __name__ == "__main__":
    main()
