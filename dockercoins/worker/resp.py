"""A client for redis: the few commands that dockercoins needs, over one connection.

The protocol is RESP (redis.io/docs/latest/develop/reference/protocol-spec). worker and
webui have a copy each, because each builds from its own folder.
"""

import socket


class RedisError(Exception):
    """The server answered with an error."""


class Redis:
    """Connects when first used, and again after the connection was lost."""

    def __init__(self, host, port=6379, timeout=10):
        self.address = (host, port)
        self.timeout = timeout
        self._stream = None

    def get(self, key):
        """Return the bytes under a key, or `None`."""
        return self._call("GET", key)

    def incrby(self, key, amount):
        """Add to a counter and return its new value."""
        return self._call("INCRBY", key, amount)

    def hset(self, key, field, value):
        """Set a field of a hash; return 1 if the field is new, else 0."""
        return self._call("HSET", key, field, value)

    def hlen(self, key):
        """Return how many fields a hash has."""
        return self._call("HLEN", key)

    def close(self):
        """Drop the connection; the next command makes a new one."""
        if self._stream:
            self._stream.close()
            self._stream = None

    def _call(self, *words):
        try:
            stream = self._connected()
            stream.write(encode(words))
            stream.flush()
            return read_reply(stream)
        except OSError:
            self.close()
            raise

    def _connected(self):
        if not self._stream:
            with socket.create_connection(self.address, self.timeout) as connection:
                self._stream = connection.makefile("rwb")
        return self._stream


def encode(words):
    """Return a command as an array of bulk strings."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    lines = [b"*%d\r\n" % len(parts)]
    lines += [b"$%d\r\n%s\r\n" % (len(part), part) for part in parts]
    return b"".join(lines)


def read_reply(stream):
    """Return the next reply: text and numbers as Python has them, bulk strings as bytes."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("redis closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b":":
        return int(rest)
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b"$":
        return read_bulk(stream, int(rest))
    raise ConnectionError(f"redis answered with something unknown: {line!r}")


def read_bulk(stream, length):
    """Return a bulk string whose header has been read; a length of -1 means no value."""
    if length < 0:
        return None
    body = stream.read(length + 2)
    if len(body) < length + 2:
        raise ConnectionError("redis closed the connection")
    return body[:-2]
