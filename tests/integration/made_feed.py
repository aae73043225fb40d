"""A feed that no machine of ours could make with real nodes: 64 SLs that report ten times a second, 10,000 rounds.

It serves the built page (ui/dist) and keeps to ui/src/feed.ts.
"""

import asyncio
import json
import math
import pathlib
import threading
import time

from harness import ROOT, free_port
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

DIST = ROOT / "ui/dist"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
SN = "0x" + "5" * 40


class MadeFeed(threading.Thread):
    """One training, `large`, with so many SLs on eight hosts, after so many rounds."""

    def __init__(self, sls, rounds):
        super().__init__(daemon=True)
        self.sls = {f"0x{number:040x}": f"sl-{number}" for number in range(1, sls + 1)}
        self.rounds, self.port, self.ready, self.ended = rounds, free_port(), threading.Event(), None
        self.reported = 0
        self.you = {"name": "a test", "rights": "reader", "expires_ms": 0}
        self.genesis, self.says = "0x" + "0" * 64, set()
        self.start()
        self.ready.wait(30)

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.ended = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        async with serve(self.talk, "127.0.0.1", self.port, process_request=self.file, compression=None):
            self.ready.set()
            await self.ended.wait()

    def end(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.join(30)

    def file(self, _, request):
        if request.path == "/feed":
            return None
        name = "index.html" if request.path == "/" else pathlib.Path(request.path).name
        file = DIST / name
        if not file.is_file():
            return Response(404, "Not Found", Headers({"Content-Length": "0"}), b"")
        body = file.read_bytes()
        headers = {"Content-Type": TYPES[file.suffix], "Content-Length": str(len(body)), "Connection": "close"}
        return Response(200, "OK", Headers({**headers, "Content-Security-Policy": POLICY}), body)

    async def talk(self, link):
        async def say(kind, **fields):
            await link.send(json.dumps({"type": kind, "now_ms": int(time.time() * 1000), **fields}))

        self.says.add(say)
        await say("hello", you=self.you, server={"node_name": "made", "version": "0", "uid": SN})
        reports = None
        async for text in link:
            message = json.loads(text)
            if message["type"] == "watch":
                await say("state", topic=message["topic"], serial=1, data=self.state(message["topic"]))
                if message["topic"] == "training/large" and reports is None:
                    reports = asyncio.create_task(self.report(say))
            elif message["type"] == "ask":
                await say("answer", id=message["id"], data=self.answer(message))
        if reports:
            reports.cancel()
        self.says.discard(say)

    def begin_anew(self):
        """From now on it is another chain, with other rounds."""
        self.genesis, self.rounds = "0x" + "9" * 64, self.rounds // 2

        async def tell():
            for say in list(self.says):
                await say("state", topic="network", serial=1, data=self.state("network"))

        asyncio.run_coroutine_threadsafe(tell(), self.loop).result(30)

    async def report(self, say):
        """Every SL reports another loss of the last round, ten times a second."""
        for serial in range(2, 1_000_000):
            await asyncio.sleep(0.1)
            self.reported = serial
            members = {uid: {"loss": self.loss(self.rounds, i) + serial % 10 / 1000} for i, uid in enumerate(self.sls)}
            await say("patch", topic="training/large", serial=serial, patch={"members": members, "loss": serial})

    def loss(self, number, peer):
        return round(2 * math.exp(-4 * number / self.rounds) + 0.1 + peer % 7 / 100 + number % 5 / 200, 6)

    def state(self, topic):
        if topic == "network":
            nodes = {uid: self.node(name, "SL", i % 8) for i, (uid, name) in enumerate(self.sls.items())}
            standing = {"connected": True, "trouble": "", "since_ms": 1, "read_ms": 1, "sn": "10.0.0.1:30304"}
            head = {"block_num": 90_000, "hash": "0x" + "1" * 64, "time_ms": int(time.time() * 1000), "transactions": 1}
            return {
                "standing": standing, "head": head, "chain_id": 1, "genesis": self.genesis, "sn_version": "made",
                "rules": {"version": 1}, "validators": {SN: {}}, "nodes": {SN: self.node("sn-1", "SN", 0), **nodes},
                "organisations": {}, "motions": {},
            }  # fmt: skip
        if topic == "trainings":
            return {"contracts": {"large": self.summary()}}
        if topic == "training/large":
            return {
                **self.summary(), "owner": 0, "invited": {}, "reset_votes": {}, "verify": "before", "layout_digest": "",
                "term": 0, "members": {uid: self.member(name, i) for i, (uid, name) in enumerate(self.sls.items())},
                "check_ins": {},
            }  # fmt: skip
        return {"tasks": {}} if topic == "tasks" else {"taskrunners": {}}

    def node(self, name, role, host):
        return {
            "name": name, "role": role, "organisation": 0, "endpoint": f"10.0.{host}.1:30305", "active": True,
            "pending": False, "since_block": 1, "fingerprint": "0x" + "2" * 64, "expires_ms": 0, "parent": SN,
            "alive": True,
        }  # fmt: skip

    def summary(self):
        return {
            "uid": "0x" + "7" * 40, "phase": "collecting", "generation": 1, "round_num": self.rounds + 1,
            "merged_round": self.rounds, "min_peers": 2, "merge_method": "mean", "checked_in": 0, "waits": {},
            "peers": {"active": len(self.sls), "absent": 0, "finished": 0, "left": 0, "odd": 0},
            "waited_for": len(self.sls), "loss_round": self.rounds, "epochs_done": 5, "epochs_total": 10,
            "progress": 0.5, "changed_ms": 1,
        }  # fmt: skip

    def member(self, name, i):
        return {
            "name": name, "state": "active", "organisation": 0, "endpoint": f"10.0.{i % 8}.1:30305", "weightage": 1,
            "train_end": "snapshot", "can_lead": True, "last_round": self.rounds, "lag": 0, "loss_round": self.rounds,
            "loss": self.loss(self.rounds, i), "metric": 0.9, "epochs_done": 5, "epochs_total": 10, "alive": True,
        }  # fmt: skip

    def answer(self, question):
        if question["what"] == "series":
            numbers = range(question.get("from", 1), self.rounds + 1)
            peers = {
                uid: {"name": name, "loss": [self.loss(n, i) for n in numbers], "metric": [0.9] * len(numbers)}
                for i, (uid, name) in enumerate(self.sls.items())
            }
            return {"contract": "large", "generation": 1, "complete": True, "rounds": list(numbers), "peers": peers}
        last = question.get("before", self.rounds + 1) - 1
        numbers = range(last, max(last - question.get("count", 50), 0), -1)
        rounds = [{"round_num": n, "events": [], "loss": self.loss(n, 0), "merged_ms": n * 1000} for n in numbers]
        more = bool(rounds) and rounds[-1]["round_num"] > 1
        return {"contract": "large", "generation": 1, "complete": True, "rounds": rounds, "more": more}
