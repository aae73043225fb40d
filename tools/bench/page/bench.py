"""page_cpu_10: the share of a core that the page's server takes while ten browsers watch four SLs; page_memory_50: what
fifty browsers add to its memory; page_event: from a block at the SN to its number at a browser; page_scrape: one
reading of an SN's /metrics meanwhile."""

import base64
import http.client
import itertools
import json
import multiprocessing
import os
import pathlib
import socket
import statistics
import struct
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), *(str(HERE.parents[2] / each) for each in ("python", "tests"))]
import numpy as np  # noqa: E402
from exchanges import CONTRACT  # noqa: E402
from figures import cpu_seconds, figure, memory_bytes, options  # noqa: E402
from launcher.page import Page  # noqa: E402
from launcher.processes import free_port  # noqa: E402
from swarmlearning._session.arrays import pack  # noqa: E402
from swarmlearning._session.channel import Channel  # noqa: E402
from swarmlearning._session.messages import SessionRequest  # noqa: E402
from swarmlearning._session.session import Session  # noqa: E402
from swarms import Swarm, until  # noqa: E402

SLS = 4
TRAINS = 1.0  # seconds between two syncs
TOPICS = ("network", "trainings", f"training/{CONTRACT}")
ASKS_EVERY = 0.8  # seconds, as ui/src/screens/history.ts does
CPU_TARGET = 2.0  # percent of a core
MEMORY_TARGET = 64.0  # MiB
EVENT_TARGET = 100.0  # ms, to the pixel; a browser draws in a frame or two of 17 ms
SCRAPE_TARGET = 5.0  # ms


def train(index, pipes):
    """A program without an end, whose loss falls."""
    channel = Channel(str(pipes[0]), str(pipes[1]), lambda text: None)
    session = Session(channel, SessionRequest(
        syncInterval=1, minPeers=SLS, checkinModelOnTrainEnd="snapshot", nodeWeightage=1, trainingContract=CONTRACT,
        mergeMethod="mean"))
    for number in itertools.count():
        time.sleep(TRAINS)
        loss = 1 / (number + 1) + index / 10
        values = pack(np.full(250, index + SLS * number, dtype=np.float32))
        session.sync({"w": values}, 1, lambda params, loss=loss, number=number: (loss, 1 - loss, number, 10_000))


class Browser(threading.Thread):
    """Looks at the training until it is closed; `told` counts what has come."""

    def __init__(self, page, cookie):
        super().__init__(daemon=True)
        self.link = page.context().wrap_socket(socket.create_connection(("127.0.0.1", page.port), timeout=60))
        lines = [
            "GET /feed HTTP/1.1", f"Host: {page.host}", f"Origin: https://{page.host}", f"Cookie: {cookie}",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}", "", ""]
        self.link.sendall("\r\n".join(lines).encode())
        self.file = self.link.makefile("rb")
        status = self.file.readline()
        assert b" 101 " in status, status
        while self.file.readline() != b"\r\n":
            pass
        self.told, self.ids, self.asked, self.rounds = 0, itertools.count(1), 0.0, 0
        self.blocks = {}  # by number, when it was told of
        for topic in TOPICS:
            self.say({"type": "watch", "topic": topic})
        self.start()

    def send(self, kind, body):
        assert len(body) < 126
        self.link.sendall(struct.pack("!BB4x", 0x80 | kind, 0x80 | len(body)) + body)

    def say(self, message):
        self.send(1, json.dumps(message).encode())

    def run(self):
        try:
            while True:
                self.take()
        except (OSError, ValueError, struct.error):
            return  # it was closed

    def take(self):
        kind, size = struct.unpack("!BB", self.file.read(2))
        if size >= 126:
            (size,) = struct.unpack("!H" if size == 126 else "!Q", self.file.read(2 if size == 126 else 8))
        body = self.file.read(size)
        if kind & 15 == 9:
            self.send(10, body)
        if kind & 15 != 1:
            return
        self.told += 1
        message = json.loads(body)
        for each in message["messages"] if message["type"] == "many" else [message]:
            self.hear(each)

    def hear(self, message):
        now = time.monotonic()
        body = message.get("patch", message.get("data") or {})
        if message.get("topic") == "network" and "block_num" in body.get("head", {}):
            self.blocks.setdefault(body["head"]["block_num"], now)
        if message.get("topic") != TOPICS[-1]:
            return
        self.rounds = message.get("patch", message.get("data") or {}).get("merged_round", self.rounds)
        if now - self.asked >= ASKS_EVERY:
            self.asked = now
            for what in ({"what": "series", "from": max(1, self.rounds - 3)}, {"what": "rounds", "count": 5}):
                self.say({"type": "ask", "id": next(self.ids), "contract": CONTRACT, "generation": 1, **what})

    def close(self):
        self.link.shutdown(socket.SHUT_RDWR)
        self.join(10)
        self.link.close()


def watched_by(page, cookie, count):
    browsers = [Browser(page, cookie) for _ in range(count)]
    until(lambda: all(browser.told > len(TOPICS) for browser in browsers), "all browsers to be told", alive=[page])
    return browsers


def measure_cpu(page, cookie, browsers, seconds):
    watching = watched_by(page, cookie, browsers)
    told = sum(browser.told for browser in watching)
    before = cpu_seconds(page.pid)
    time.sleep(seconds)
    percent = (cpu_seconds(page.pid) - before) / seconds * 100
    told = (sum(browser.told for browser in watching) - told) / seconds / browsers
    for browser in watching:
        browser.close()
    figure("page_cpu_10", percent, "% of a core", f"each browser is told {told:.0f} things a second",
           target=CPU_TARGET, met=percent < CPU_TARGET)


def measure_memory(page, cookie, browsers, seconds):
    before = memory_bytes(page.pid)
    watching = watched_by(page, cookie, browsers)
    time.sleep(seconds)
    more = (memory_bytes(page.pid) - before) / 2**20
    for browser in watching:
        browser.close()
    figure("page_memory_50", more, "MiB", f"added to {before / 2**20:.0f} MiB", target=MEMORY_TARGET,
           met=more < MEMORY_TARGET)


def measure_event(sn, page, cookie, seconds):
    (browser,) = watched_by(page, cookie, 1)
    made, end = {}, time.monotonic() + seconds
    while time.monotonic() < end:
        made.setdefault(sn.block_num(), time.monotonic())
        time.sleep(0.002)
    browser.close()
    # Those that were there already, or are told together with a later one, have no time of their own.
    waits = sorted(browser.blocks[number] - made[number] for number in list(made)[1:] if number in browser.blocks)
    middle = statistics.median(waits) * 1000
    figure("page_event", middle, "ms", f"{len(waits)} blocks; the slowest took {waits[-1] * 1000:.0f} ms",
           target=EVENT_TARGET, met=middle < EVENT_TARGET)


def measure_scrape(port, times):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    for _ in range(times):
        time.sleep(0.11)  # what is younger than a tenth of a second is given again
        begun = time.perf_counter()
        link.request("GET", "/metrics")
        size = len(link.getresponse().read())
        took.append((time.perf_counter() - begun) * 1000)
    middle = statistics.median(took)
    text = f"{size} bytes; the quickest took {min(took):.1f} ms, the slowest {max(took):.1f}"
    figure("page_scrape", middle, "ms", text, target=SCRAPE_TARGET, met=middle < SCRAPE_TARGET)


def main():
    given = options(__doc__)
    seconds = 1 if given.smoke else 30
    with Swarm(("sn-1", "sl-1", "swci-1")) as swarm:
        port = free_port()
        swarm.start_sn(flags=("--metrics", port))
        context = multiprocessing.get_context("fork")
        programs = [context.Process(target=train, args=each, daemon=True) for each in enumerate(swarm.start_sls(SLS))]
        for program in programs:
            program.start()
        page = Page(swarm.folder, swarm.certs, swarm.sn.port)
        swarm.others.append(page)
        page.start().wait_up()
        cookie = page.log_in()
        until(lambda: len(swarm.sn.merges()) > 1, "two rounds", alive=swarm.sls)
        if given.wants("page_cpu_10"):
            measure_cpu(page, cookie, 2 if given.smoke else 10, seconds)
        if given.wants("page_memory_50"):
            measure_memory(page, cookie, 3 if given.smoke else 50, seconds)
        if given.wants("page_event"):
            measure_event(swarm.sn, page, cookie, 3 if given.smoke else 20)
        if given.wants("page_scrape"):
            measure_scrape(port, 3 if given.smoke else 100)
        for program in programs:
            program.terminate()


main()
