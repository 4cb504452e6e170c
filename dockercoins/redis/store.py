"""redis: a small store that speaks the protocol of Redis, for dockercoins.

It is not the official image, so that all five services come from one base image and the
lab works where no registry answers. `redis-cli` and redis-py can talk to it. It keeps
everything in memory: a new task starts empty.

    PING ECHO · GET SET DEL EXISTS KEYS TYPE DBSIZE FLUSHALL FLUSHDB · INCR INCRBY
    HSET HGET HGETALL HLEN · HELLO CLIENT COMMAND SELECT INFO QUIT
"""

import asyncio
import fnmatch
import signal

#: A command is held in memory whole; dockercoins sends less than a hundred bytes.
MOST_BYTES = 1024 * 1024
MOST_WORDS = 1024
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
SMALLEST, GREATEST = -(2**63), 2**63 - 1


class Refusal(Exception):
    """An error that the client is told about; the connection stays open."""


class Garbage(Exception):
    """Not the protocol: the client is told, and the connection is closed."""


class OK:
    """The reply `+OK`."""


class Pong:
    """The reply `+PONG`."""


class Store:
    """Strings and hashes by key. Every public method is the command of that name."""

    def __init__(self):
        self._values = {}

    # ---- strings -------------------------------------------------------------------

    def get(self, key):
        return self._typed(key, bytes)

    def set(self, key, value):
        self._values[key] = value
        return OK

    def incr(self, key):
        return self.incrby(key, b"1")

    def incrby(self, key, amount):
        total = integer(self._typed(key, bytes) or b"0") + integer(amount)
        if not SMALLEST <= total <= GREATEST:
            raise Refusal("ERR increment or decrement would overflow")
        self._values[key] = b"%d" % total
        return total

    # ---- hashes --------------------------------------------------------------------

    def hset(self, key, *pairs):
        if len(pairs) % 2:
            raise Refusal("ERR wrong number of arguments for 'hset' command")
        fields = self._typed(key, dict)
        if fields is None:
            fields = self._values[key] = {}
        before = len(fields)
        fields.update(zip(pairs[::2], pairs[1::2], strict=True))
        return len(fields) - before

    def hget(self, key, field):
        return (self._typed(key, dict) or {}).get(field)

    def hgetall(self, key):
        return dict(self._typed(key, dict) or {})

    def hlen(self, key):
        return len(self._typed(key, dict) or {})

    # ---- keys ----------------------------------------------------------------------

    def delete(self, key, *more):
        return sum(self._values.pop(each, None) is not None for each in (key, *more))

    def exists(self, key, *more):
        return sum(each in self._values for each in (key, *more))

    def keys(self, pattern):
        wanted = pattern.decode("latin-1")
        return [key for key in self._values if fnmatch.fnmatchcase(key.decode("latin-1"), wanted)]

    def type(self, key):
        names = {bytes: b"string", dict: b"hash", type(None): b"none"}
        return names[type(self._values.get(key))]

    def dbsize(self):
        return len(self._values)

    def flushall(self, *_mode):
        self._values.clear()
        return OK

    def _typed(self, key, kind):
        value = self._values.get(key)
        if value is not None and not isinstance(value, kind):
            raise Refusal(WRONG_TYPE)
        return value


class Session:
    """One client's connection: which protocol it speaks, and the commands it may give."""

    def __init__(self, store):
        self.protocol = 2
        self.closing = False
        #: By name: what answers, and with how few and how many arguments.
        self._commands = {
            b"PING": (self.ping, 0, 1),
            b"ECHO": (lambda text: text, 1, 1),
            b"GET": (store.get, 1, 1),
            b"SET": (store.set, 2, 2),
            b"DEL": (store.delete, 1, MOST_WORDS),
            b"EXISTS": (store.exists, 1, MOST_WORDS),
            b"KEYS": (store.keys, 1, 1),
            b"TYPE": (store.type, 1, 1),
            b"DBSIZE": (store.dbsize, 0, 0),
            b"FLUSHALL": (store.flushall, 0, 1),
            b"FLUSHDB": (store.flushall, 0, 1),
            b"INCR": (store.incr, 1, 1),
            b"INCRBY": (store.incrby, 2, 2),
            b"HSET": (store.hset, 3, MOST_WORDS),
            b"HGET": (store.hget, 2, 2),
            b"HGETALL": (store.hgetall, 1, 1),
            b"HLEN": (store.hlen, 1, 1),
            b"HELLO": (self.hello, 0, MOST_WORDS),
            b"SELECT": (self.select, 1, 1),
            b"QUIT": (self.quit, 0, 0),
            # Clients ask these of every server when they connect, and can do without.
            b"CLIENT": (lambda *_: OK, 1, MOST_WORDS),
            b"COMMAND": (lambda *_: [], 0, MOST_WORDS),
            b"INFO": (lambda *_: b"# Server\r\nredis_version:7.0.0\r\n", 0, MOST_WORDS),
        }

    def answer(self, words):
        """Return the encoded reply to a command."""
        name, *arguments = words
        shown = name.decode(errors="replace")
        try:
            if name.upper() not in self._commands:
                raise Refusal(f"ERR unknown command '{shown}'")
            command, fewest, most = self._commands[name.upper()]
            if not fewest <= len(arguments) <= most:
                raise Refusal(f"ERR wrong number of arguments for '{shown.lower()}' command")
            return encode(command(*arguments), self.protocol)
        except Refusal as refusal:
            return b"-%s\r\n" % " ".join(str(refusal).split()).encode()

    def ping(self, *text):
        return text[0] if text else Pong

    def hello(self, version=b"2", *_options):
        if version not in (b"2", b"3"):
            raise Refusal("NOPROTO unsupported protocol version")
        self.protocol = int(version)
        return {
            b"server": b"redis",
            b"version": b"7.0.0",
            b"proto": self.protocol,
            b"id": 1,
            b"mode": b"standalone",
            b"role": b"master",
            b"modules": [],
        }

    def select(self, number):
        if number != b"0":
            raise Refusal("ERR DB index is out of range")
        return OK

    def quit(self):
        self.closing = True
        return OK


def integer(text):
    """Read a whole number as Redis does: no spaces, no sign but a minus, 64 bits."""
    digits = text.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 19 or not SMALLEST <= int(text) <= GREATEST:
        raise Refusal("ERR value is not an integer or out of range")
    return int(text)


def encode(value, protocol=2):
    """Return a reply in RESP, of version 2 or 3."""
    if value is OK:
        return b"+OK\r\n"
    if value is Pong:
        return b"+PONG\r\n"
    if value is None:
        return b"_\r\n" if protocol == 3 else b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, bytes):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    if isinstance(value, dict):
        parts = [part for pair in value.items() for part in pair]
        head = b"%%%d\r\n" % len(value) if protocol == 3 else b"*%d\r\n" % len(parts)
    else:
        parts = value
        head = b"*%d\r\n" % len(parts)
    return head + b"".join(encode(part, protocol) for part in parts)


async def read_command(reader):
    """Return the words of the next command, or `None` when the client has gone."""
    try:
        line = await reader.readuntil(b"\n")
        if not line.startswith(b"*"):
            return line.split()  # typed by hand, into netcat for instance
        return [await read_bulk(reader) for _ in range(number(line[1:], MOST_WORDS))]
    except asyncio.LimitOverrunError:
        raise Garbage("ERR Protocol error: too big inline request") from None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def read_bulk(reader):
    line = await reader.readuntil(b"\n")
    if not line.startswith(b"$"):
        raise Garbage("ERR Protocol error: expected '$'")
    length = number(line[1:], MOST_BYTES)
    return (await reader.readexactly(length + 2))[:-2]


def number(text, most):
    """Read a count or a length in the protocol."""
    digits = text.strip()
    if not digits.isdigit() or len(digits) > 9 or int(digits) > most:
        raise Garbage("ERR Protocol error: invalid length")
    return int(digits)


async def serve(store, reader, writer):
    """Talk to one client until it goes."""
    session = Session(store)
    try:
        while not session.closing:
            words = await read_command(reader)
            if words is None:
                break
            if words:
                writer.write(session.answer(words))
                await writer.drain()
    except Garbage as garbage:
        writer.write(b"-%s\r\n" % str(garbage).encode())
    except ConnectionError:
        pass  # it went while it was being answered
    finally:
        writer.close()


async def main():
    stop = asyncio.Event()
    # A process that is number 1 in its container gets no default handler for SIGTERM.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = Store()
    await asyncio.start_server(lambda reader, writer: serve(store, reader, writer), port=6379)
    print("REDIS listens on port 6379")
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
