"""worker: asks rng for random bytes, hasher for their hash, and keeps the coins in redis.

A hash that begins with 0 is a coin: one in sixteen. Once a second the worker adds the
number of hashes it has made to the counter in redis.
"""

import logging
import os
import signal
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from resp import Redis

DEBUG = os.environ.get("DEBUG", "").lower().startswith("y")

log = logging.getLogger("worker")
logging.basicConfig(
    stream=sys.stdout,
    level=logging.DEBUG if DEBUG else logging.INFO,
    format="%(levelname)s:%(message)s",
)

#: Touched after every unit of work: its age tells whether this worker works.
WORKED = Path("worked")

redis = Redis("redis")


def get_random_bytes():
    return ask("rng", "GET", "/32")


def hash_bytes(data):
    return ask("hasher", "POST", "/", data).decode()


def ask(host, method, path, body=None):
    # A new connection each time: with several replicas of a service, each gets its share.
    connection = HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{host} answered {answer.status} {answer.reason}")
        return answer.read()
    finally:
        connection.close()


def work_loop(interval=1):
    deadline = 0
    loops_done = 0
    while True:
        if time.time() > deadline:
            log.info("%d units of work done, updating hash counter", loops_done)
            redis.incrby("hashes", loops_done)
            loops_done = 0
            deadline = time.time() + interval
        work_once()
        WORKED.touch()
        loops_done += 1


def work_once():
    log.debug("Doing one unit of work")
    time.sleep(0.1)
    random_bytes = get_random_bytes()
    hex_hash = hash_bytes(random_bytes)
    if not hex_hash.startswith("0"):
        log.debug("No coin found")
        return
    log.info("Coin found: %s...", hex_hash[:8])
    if not redis.hset("wallet", hex_hash, random_bytes):
        log.info("We already had that coin")


def main():
    # A process that is number 1 in its container gets no default handler for SIGTERM:
    # without this line Swarm waits ten seconds and then kills it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            work_loop()
        except Exception:
            log.exception("In work loop. Waiting 10s and restarting.")
            time.sleep(10)


if __name__ == "__main__":
    main()
