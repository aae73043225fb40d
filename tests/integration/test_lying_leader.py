"""Leaders that propose what the models do not give: the others make it again before anybody loads it."""

import hashlib
import struct

import numpy as np
import pytest
from harness import Program, trains, until
from outsider import SL, Head, Outsider, check_ins, reveals
from test_waits import Files, say

CHUNK = 1 << 20
MODELS = [{"w": np.arange(400_000, dtype=np.float64) + value} for value in (0, 2)]  # four chunks
MEAN = MODELS[0]["w"] + 1


class ModelFile:
    """A model as a node keeps it: its bytes, and what it is called by."""

    def __init__(self, data):
        self.data = data
        chunks = [hashlib.sha256(data[at : at + CHUNK]).digest() for at in range(0, len(data), CHUNK)]
        self.manifest = b"swarmd model v1" + struct.pack(">QQ", len(data), CHUNK) + b"".join(chunks)
        self.digest = hashlib.sha256(self.manifest).digest()

    def changed(self, at):
        """The same but for one of its values."""
        return ModelFile(self.data[:at] + bytes([self.data[at] ^ 1]) + self.data[at + 1 :])

    def serve(self, handler):
        if handler.path.endswith("/manifest"):
            return say(handler, self.manifest)
        first, last = handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")
        first, last = int(first), int(last or len(self.data) - 1)
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {first}-{last}/{len(self.data)}")
        handler.send_header("Content-Length", last + 1 - first)
        handler.end_headers()
        handler.wfile.write(self.data[first : last + 1])


class Hostile:
    """An attacker that leads the first round, with models that it serves to everybody who asks."""

    def __init__(self, swarm):
        self.swarm, self.models = swarm, {}
        swarm.start_sn()
        self.files = Files(swarm.certs, "sl-2", self.answer)
        self.attacker = Outsider(swarm.sn, "sl-2", SL, self.files.endpoint)
        self.attacker.join(min_peers=3, can_lead=True)  # the first peer leads first
        for _ in MODELS:
            swarm.add_sl()
        self.programs = [
            Program(sl, trains([model], minPeers=3)) for sl, model in zip(swarm.sls, MODELS, strict=True)
        ]
        until(lambda: len(check_ins(swarm.sn)) == 2, "both models to be in", alive=swarm.sls)

    def answer(self, handler):
        model = self.models.get(handler.path.split("/")[2])
        model.serve(handler) if model else handler.send_error(404)

    def add(self, model):
        self.models[model.digest.hex()] = model
        return model

    def bring(self):
        """Its own model, which is another one's with another first value; it leads then."""
        sl = self.swarm.sls[0]
        digest = next(sl.store.glob("*.safetensors")).stem
        theirs = ModelFile(sl.model_file(digest))
        own = self.add(theirs.changed(len(theirs.data) - 8))
        self.attacker.check_in(own.digest, len(own.data), Head(self.swarm.sn).layout)
        self.attacker.reveal(own.digest)
        until(lambda: Head(self.swarm.sn).is_merging, "all to have revealed", alive=self.swarm.sls)
        assert Head(self.swarm.sn).leader == self.attacker.account
        return own

    def everybody(self):
        return [self.attacker.account, *(sl.node_account for sl in self.swarm.sls)]

    def finish(self):
        """What the honest ones have loaded."""
        until(self.swarm.sn.merges, "the next leader's merge to be accepted", alive=self.swarm.sls)
        self.attacker.leave()
        return [program.result().merged[0]["w"] for program in self.programs]


@pytest.fixture
def hostile(swarm):
    out = Hostile(swarm)
    yield out
    out.files.clean_up()


def test_a_false_chunk_is_found_and_the_next_leader_merges(hostile):
    """One bit of a model of four chunks is not what the models give."""
    own = hostile.bring()
    false = hostile.add(own.changed(len(own.data) // 2))
    hostile.attacker.propose(false.digest, len(false.data), hostile.everybody())
    hostile.attacker.reveal_seed()
    loaded = hostile.finish()
    merge = hostile.swarm.sn.merges()[0]
    assert merge.term > 0 and merge.leader in [sl.node_account for sl in hostile.swarm.sls]
    assert (hostile.attacker.account, "false merge") in hostile.swarm.sn.barred()
    for model in loaded:
        np.testing.assert_array_equal(model, loaded[0])
        assert abs(model - MEAN).max() < 2, "the attacker's own model counts, what it proposed does not"


def test_a_proposal_that_its_leader_does_not_serve_is_nobodys_merge(hostile):
    own = hostile.bring()
    hostile.attacker.propose(b"\x07" * 32, len(own.data), hostile.everybody())
    hostile.attacker.reveal_seed()
    hostile.finish()
    assert hostile.swarm.sn.merges()[0].leader != hostile.attacker.account


def test_a_leader_that_leaves_an_honest_model_out_is_replaced(hostile):
    """It says that a model has NaN which has none."""
    own = hostile.bring()
    honest = [sl.node_account for sl in hostile.swarm.sls]
    hostile.attacker.propose(own.digest, len(own.data), [hostile.attacker.account, honest[0]], [honest[1]], [2])
    hostile.attacker.reveal_seed()
    hostile.finish()
    merge = hostile.swarm.sn.merges()[0]
    assert not merge.excluded and set(merge.contributors) == set(hostile.everybody())
    assert (hostile.attacker.account, "false merge") in hostile.swarm.sn.barred()
    assert reveals(hostile.swarm.sn)[honest[1]]
