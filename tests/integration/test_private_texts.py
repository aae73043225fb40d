"""What a site's programs and operators say stays on the site: markers are put into every text that there is, and looked
for in all that another organisation gets to see."""

import json
import pathlib
import sys

import numpy as np
import pytest
from harness import ROOT, SL, Meeting, Program, trains
from launcher.processes import Process
from tap import Tap
from wire_client import Array, SLError
from wire_schema import LOSS, MESSAGES, SYNC, frame

MARK = "qZjXwV"
PARAMS = {"shared-name": np.arange(4, dtype=np.float32)}
TESTS = pathlib.Path(__file__).parents[1]

# A program with markers in its path, its exceptions' class and message, its data, its output, its logger's texts. It
# cannot judge a model, which it goes on without, and fails in the end.
PROGRAM = f"""
import logging, sys
sys.path[:0] = [{str(TESTS / "python")!r}, {str(ROOT / "python")!r}]
import numpy as np
from dict_program import DictCallback

class {MARK}31Error(Exception):
    pass

class Model(DictCallback):
    def _evaluate(self):
        raise {MARK}31Error(f"could not convert to float: '{{self.options.adsValData}}' ({MARK}32)")

logging.basicConfig(level=logging.DEBUG)
print("{MARK}33", file=sys.stderr)
swarm = Model({{"shared-name": np.arange(4, dtype=np.float32)}}, adsValData=["{MARK}34"], minPeers=1,
              logger=logging.getLogger("{MARK}35"))
swarm.on_train_begin()
swarm.on_batch_end()
raise {MARK}31Error("{MARK}32")
"""


class Wires:
    """An SL of one site (`sl-1`), and an SL and two SNs of others; taps on every wire that leaves the site, and between
    the SNs."""

    def __init__(self, swarm):
        self.swarm, certs = swarm, swarm.certs
        self.taps = []
        talks = ["--log-level", "TRACE"]
        self.sn = self.node(swarm.sn_type(swarm.folder, certs, flags=talks), "sn-p2p", "sn-1", "sn-2")
        swarm.sn = self.sn
        self.sn.start().wait_up()
        self.other = self.node(
            swarm.sn_type(swarm.folder, certs, "sn-2", joins=self.sn, flags=talks), "sn-p2p", "sn-2", "sn-1"
        )
        swarm.others.append(self.other)
        self.other.start().wait_up()
        self.api = self.tap("sn-1", "sl-1", self.sn.port)
        at_once = ["--wait-for-full-quorum", "1", *talks]
        home = swarm.folder / f"{MARK}1"
        home.mkdir()
        self.mine = self.node(SL(home, certs, self.api.port, flags=at_once), "sl-fs", "sl-1", "sl-2")
        self.theirs = self.node(
            SL(swarm.folder, certs, self.other.port, "sl-2", at_once, certs.flags("sl-2")), "sl-fs", "sl-2", "sl-1"
        )
        swarm.sls += [self.mine, self.theirs]
        for sl in swarm.sls:
            sl.start().wait_ready()

    def tap(self, server, client, port):
        self.taps.append(Tap(self.swarm.certs, server, client, port))
        return self.taps[-1]

    def node(self, node, service, name, visitor):
        """Lets others reach `node` through a tap; `visitor` is the one that does."""
        port = node.p2p_port if service == "sn-p2p" else node.files_port
        tap = self.tap(name, visitor, port)
        node.arguments += [f"--{service}-service", f"127.0.0.1:{tap.port}"]
        return node

    def between(self, *ports):
        return b"\n".join(tap.bytes() for tap in self.taps if tap.target in ports)

    def seen_by_others(self):
        """(where, bytes) of all that others have got; of the chain all blocks, receipts and events as they are asked
        for, as the files may be compressed."""
        chain = self.other
        blocks = range(chain.block_num() + 1)
        yield "blocks", json.dumps([chain.rpc("eth_getBlockByNumber", hex(n), True) for n in blocks]).encode()
        yield "receipts", json.dumps([chain.rpc("eth_getBlockReceipts", hex(n)) for n in blocks]).encode()
        for tap in self.taps:
            yield f"wire to {tap.target}", tap.bytes()
        for node in (self.sn, self.other, self.theirs):
            yield f"log of {node.name}", node.log_path.read_bytes()
        self.swarm.stop()
        for node in (self.sn, self.other, self.theirs):
            for file in node.data_dir.rglob("*"):
                if file.is_file():
                    yield str(file.relative_to(self.swarm.folder)), file.read_bytes()


@pytest.fixture
def wires(swarm):
    made = Wires(swarm)
    yield made
    for tap in made.taps:
        tap.close()


def refused(sl, work):
    assert isinstance(Program(sl, work).failure(), SLError)


def after_sync(frame_of):
    """A session that is let in, then sends what it must not."""

    def work(client):
        client.open(minPeers=1)
        client.sync(PARAMS)
        client.send_raw(frame_of(client))
        client._check_status(*client.receive())

    return work


def fails(client):
    def judge(merged):
        raise ValueError(f"record of {MARK}21")

    client.open(minPeers=1)
    client.sync(PARAMS, loss=judge)


def ends(client):
    client.open(minPeers=1)
    client.sync(PARAMS)
    client.kill(f"{MARK}22")


BAD_SESSIONS = [
    dict(trainingContract=f"{MARK}11"),
    dict(trainingContract=f"{MARK}12 with blanks"),
    dict(mergeMethod=f"{MARK}13"),
    dict(checkinModelOnTrainEnd=f"{MARK}14"),
]
BAD_FRAMES = [
    lambda client: frame(SYNC, MESSAGES["SyncRequest"](sessionID=f"{MARK}15", syncSeqNum=2)),
    lambda client: frame(99, MESSAGES["Status"](msg=f"{MARK}16")),
    lambda client: frame(SYNC, MESSAGES["Status"](msg=f"{MARK}17")),
    lambda client: frame(LOSS, MESSAGES["LossResponse"](status=MESSAGES["Status"](code=2, msg=f"{MARK}18"))),
]


def bad_type(client):
    client.open(minPeers=1)
    client.sync({f"{MARK}19": Array(f"dtype('{MARK}20')", [1], b"\0")})


def test_no_text_of_a_site_leaves_it(wires):
    mine, swarm = wires.mine, wires.swarm
    met, over = Meeting(2), Meeting(2)

    def between(number, client):
        {1: met, 2: over}.get(number, lambda *_: None)(1, client)

    theirs = Program(wires.theirs, trains([PARAMS] * 2, PARAMS, between, minPeers=1))

    def together(client):
        client.open(minPeers=1)
        met(1, client)
        client.sync({"shared-name": PARAMS["shared-name"] + 1})  # another model, so that one of them is fetched

    Program(mine, together).result()
    for session in BAD_SESSIONS:
        refused(mine, lambda client, session=session: client.open(**session))
    for frame_of in BAD_FRAMES:
        refused(mine, after_sync(frame_of))
    refused(mine, bad_type)
    assert MARK in str(Program(mine, fails).failure())

    script = swarm.folder / f"{MARK}36.py"
    script.write_text(PROGRAM)
    mine.wait_ready()
    pipes = {"SL_REQUEST_CHANNEL": str(mine.request), "SL_RESPONSE_CHANNEL": str(mine.response)}
    python = Process("program", [sys.executable, script], swarm.folder, pipes)
    swarm.others.append(python)
    assert python.start().wait_exit() != 0
    Program(mine, ends).result()
    assert mine.wait_exit() == 0

    over(1, None)
    theirs.result()
    assert wires.theirs.wait_exit() == 0 and swarm.sn.completed()
    reasons = [why for who, why in swarm.sn.departures() if who == mine.node_account]
    assert reasons.count("program failed") == 1 and reasons[-1] == "program ended", reasons
    assert set(reasons) == {"program failed", "program ended", "program gone", "bad request"}
    for number in (15, 21, 22, 31, 32):  # they are told, where they may be
        assert f"{MARK}{number}" in mine.log() + python.log()

    seen = dict(wires.seen_by_others())
    # The search finds what is there: a node's name on the chain and its wire, a tensor's name between the SLs.
    assert b"sl-1".hex().encode() in seen["blocks"] and b"sl-1".hex().encode() in wires.api.bytes()
    assert b"sl-1" in wires.between(wires.sn.p2p_port, wires.other.p2p_port)
    assert b"shared-name" in wires.between(mine.files_port, wires.theirs.files_port)
    wanted = [MARK.lower().encode(), MARK.encode().hex().encode()]
    found = [where for where, raw in seen.items() if any(one in raw.lower() for one in wanted)]
    assert not found, f"texts of the site are in {found}"

