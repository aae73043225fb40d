"""Leaders that propose what the models do not give: the others make it again before anybody loads it."""

import contextlib

import numpy as np
import pytest
from harness import DEFAULT_CONTRACT, Program, trains, until
from launcher.model_files import chunk_hashes, digest_of, manifest_of
from outsider import SL, Head, Outsider, check_ins
from test_waits import Files, say

FLOATS = 800_000  # seven chunks: more than two who check them share them out


class ModelFile:
    """A model as a node keeps it: its bytes, and what it is called by."""

    def __init__(self, data):
        self.data = data
        chunks = chunk_hashes(data)
        self.manifest = manifest_of(len(data), chunks)
        self.digest = digest_of(len(data), chunks)

    def changed(self, at):
        """The same but for one of its values."""
        return ModelFile(self.data[:at] + bytes([self.data[at] ^ 1]) + self.data[at + 1 :])

    def serve(self, handler):
        if handler.path.endswith("/manifest"):
            return say(handler, self.manifest)
        if "Range" not in handler.headers:
            return say(handler, self.data)
        first, last = handler.headers["Range"].removeprefix("bytes=").split("-")
        first, last = int(first), int(last or len(self.data) - 1)
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {first}-{last}/{len(self.data)}")
        handler.send_header("Content-Length", last + 1 - first)
        handler.end_headers()
        handler.wfile.write(self.data[first : last + 1])


class Hostile:
    """An attacker in the first round, with models that it serves to everybody who asks, and so many honest peers."""

    def __init__(self, swarm, honest, leads, floats, work=trains, contract=DEFAULT_CONTRACT, method="mean"):
        self.swarm, self.models, self.contract = swarm, {}, contract
        self.honest_models = [{"w": np.arange(floats, dtype=np.float64) + value} for value in range(honest)]
        self.files = Files(swarm.certs, "sl-2", lambda handler: self.answer(handler))
        self.attacker = Outsider(swarm.sn, "sl-2", SL, self.files.endpoint, contract)
        self.attacker.join(honest + 1, leads, method)  # the first peer leads first
        for _ in range(honest):
            swarm.add_sl()
        self.programs = [
            Program(sl, work([model], minPeers=honest + 1, trainingContract=contract, mergeMethod=method))
            for sl, model in zip(swarm.sls, self.honest_models)
        ]
        until(lambda: len(check_ins(swarm.sn, contract)) == honest, "all models to be in", alive=swarm.sls)

    def head(self):
        return Head(self.swarm.sn, self.contract)

    def merges(self):
        return self.swarm.sn.merges(self.contract)

    def answer(self, handler):
        model = self.models.get(handler.path.split("/")[2])
        model.serve(handler) if model else handler.send_error(404)

    def add(self, model):
        self.models[model.digest.hex()] = model
        return model

    def bring(self, make=lambda theirs: theirs.changed(len(theirs.data) - 8)):
        """Its own model, which is another one's with another last value; the round is merged then."""
        sl = self.swarm.sls[0]
        digest = next(sl.store.glob("*.safetensors")).stem
        own = self.add(make(ModelFile(sl.model_file(digest))))
        self.attacker.check_in(own.digest, len(own.data), self.head().layout)
        self.attacker.reveal(own.digest)
        until(lambda: self.head().is_merging, "all to have revealed", alive=self.swarm.sls)
        return own

    def propose(self, model, *what):
        assert self.head().leader == self.attacker.account
        self.attacker.propose(model.digest, len(model.data), *(what or (self.everybody(),)))

    def everybody(self):
        return [self.attacker.account, *(sl.node_account for sl in self.swarm.sls)]

    def attest(self):
        """Once it is this one's to do so; it has looked at nothing."""
        head = self.head()
        if head.is_checked and head.leader != self.attacker.account:
            with contextlib.suppress(AssertionError):  # it has already, or nobody has to
                self.attacker.open_seed(term=head.term)
            with contextlib.suppress(AssertionError):  # it has already, or nothing is dealt to it
                self.attacker.attest(term=head.term)

    def finish(self, attests=True, at=0):
        """What the honest ones have loaded, the first or a later one."""

        def merged():
            if attests:
                self.attest()
            return self.merges()

        until(merged, "an honest leader's merge to be accepted", alive=self.swarm.sls)
        assert self.merges()[0].leader in [sl.node_account for sl in self.swarm.sls]
        self.attacker.leave()
        return [program.result().merged[at]["w"] for program in self.programs]

    def is_barred(self, why):
        return (self.attacker.account, why) in self.swarm.sn.barred(self.contract)


@pytest.fixture
def hostile(swarm):
    made = []

    def make(honest=2, leads=True, floats=FLOATS, before=None, **how):
        """`before`: what is done with the swarm before anybody takes part."""
        swarm.start_sn()
        if before:
            before(swarm)
        made.append(Hostile(swarm, honest, leads, floats, **how))
        return made[0]

    yield make
    for one in made:
        one.files.clean_up()


def assert_all_have_the_mean(it, loaded, own):
    """The attacker's own model counts; what it proposed does not."""
    for model in loaded:
        np.testing.assert_array_equal(model, loaded[0])
    honest = [model["w"] for model in it.honest_models]
    values = np.frombuffer(own.data[-honest[0].nbytes :], np.float64)
    np.testing.assert_allclose(loaded[0], np.mean([values, *honest], axis=0), rtol=1e-12)


def test_a_false_chunk_is_found_and_the_next_leader_merges(hostile):
    """One bit of a model of seven chunks is not what the models give."""
    it = hostile()
    own = it.bring()
    it.propose(it.add(own.changed(len(own.data) // 2)))
    loaded = it.finish()
    assert it.swarm.sn.merges()[0].term > 0 and it.is_barred("false merge")
    assert_all_have_the_mean(it, loaded, own)


@pytest.mark.parametrize("floats", [FLOATS, 1000])
def test_with_more_peers_each_chunk_is_made_again_by_two_of_them(hostile, floats):
    """Who draws it is told by seeds, which all have committed to; what is small all have made themselves."""
    it = hostile(honest=3, floats=floats)
    own = it.bring()
    it.propose(it.add(own.changed(len(own.data) // 2)))
    loaded = it.finish()
    assert it.is_barred("false merge")
    assert_all_have_the_mean(it, loaded, own)


def test_a_proposal_that_its_leader_does_not_serve_is_nobodys_merge(hostile):
    it = hostile()
    own = it.bring()
    it.propose(own.changed(0))
    it.finish()


def test_a_leader_that_leaves_an_honest_model_out_is_replaced(hostile):
    """It says that a model has NaN which has none."""
    it = hostile()
    own = it.bring()
    first, second = (sl.node_account for sl in it.swarm.sls)
    it.propose(own, [it.attacker.account, first], [second], [2])
    loaded = it.finish()
    merge = it.swarm.sn.merges()[0]
    assert not merge.excluded and set(merge.contributors) == set(it.everybody())
    assert it.is_barred("false merge")
    assert_all_have_the_mean(it, loaded, own)


def test_a_leader_that_says_a_model_could_not_be_had_is_heard_by_nobody(hostile):
    """The others have it, and merge it."""
    it = hostile()
    own = it.bring()
    first, second = (sl.node_account for sl in it.swarm.sls)
    it.propose(own, [it.attacker.account, first], [second], [0])
    it.finish()
    assert second in it.swarm.sn.merges()[0].contributors


def test_who_challenges_what_is_right_is_barred(hostile):
    it = hostile(leads=False)
    own = it.bring()
    until(lambda: Head(it.swarm.sn).is_checked, "a proposal", alive=it.swarm.sls)
    it.attacker.challenge(1)
    loaded = it.finish()
    assert it.is_barred("false challenge") and it.swarm.sn.merges()[0].term == 0
    assert_all_have_the_mean(it, loaded, own)


def test_a_silent_checker_is_not_waited_for(hostile):
    it = hostile(leads=False)
    own = it.bring()
    loaded = it.finish(attests=False)
    assert it.is_barred("silent") or (it.attacker.account, "not heard") in it.swarm.sn.departures()
    assert it.swarm.sn.merges()[0].term == 0
    assert_all_have_the_mean(it, loaded, own)
