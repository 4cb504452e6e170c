"""hasher: computes SHA-256, slowly.

    GET /      the name of the container that answers
    POST /     the SHA-256 of the body in hexadecimal, after a tenth of a second

The pause stands for real work. Requests are served side by side, so that ten workers
wait for their own tenth of a second and not for one another's.
"""

import hashlib
import signal
import socket
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler

PAUSE_SECONDS = 0.1
#: A body is held in memory whole; nobody needs more than this.
MOST_BYTES = 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    timeout = 10  # seconds; a client that says nothing does not keep a thread for ever

    def do_GET(self):
        if self.path == "/":
            self.reply(f"HASHER running on {socket.gethostname()}\n")
        else:
            self.send_error(404)

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if self.path != "/":
            self.send_error(404)
        elif not (length.isascii() and length.isdigit()):
            self.send_error(411, "Say how long the body is in Content-Length")
        elif len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            self.send_error(413, f"At most {MOST_BYTES} bytes at a time")
        else:
            body = self.rfile.read(int(length))
            time.sleep(PAUSE_SECONDS)
            self.reply(hashlib.sha256(body).hexdigest())

    def reply(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        """Log nothing for what went well: ten workers ask thirty times a second."""

    def log_message(self, format, *args):  # noqa: A002 - the name that the base class gives it
        print(self.address_string(), format % args)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each request. Unlike `http.server`'s, it looks up no name at start."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128  # the default of 5 makes bursts of workers wait a second


def main():
    # A process that is number 1 in its container gets no default handler for SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Server(("", 80), Handler) as server:
        print("HASHER listens on port 80")
        server.serve_forever()


if __name__ == "__main__":
    main()
