"""Makers of a part of a large merge that lie about it, decline it, or keep it to themselves: the merge is right."""

import contextlib
import struct

import numpy as np
from harness import until
from launcher.model_files import chunk_hashes
from outsider import training
from test_behind import behind
from test_lying_leader import ModelFile, assert_all_have_the_mean, hostile
from test_waits import say

__all__ = ["hostile"]  # the fixture

FLOATS = 1_600_000  # thirteen chunks: too many for all to make each of them again
KINDS = "commitShard(uint64,uint64,uint32,uint32,bytes32[])"


class Maker:
    """The attacker's part of the merge, the first one, as it says that it is. Units are chunks, as there are so few."""

    def __init__(self, it, wrong=None):
        own = it.bring()
        self.it, self.own = it, own
        merge = self.merge_of(it, own)
        self.hashes = chunk_hashes(merge)[:5]
        if wrong is not None:
            self.hashes[wrong] = bytes(32)

    @staticmethod
    def merge_of(it, own):
        """All begin with the same header; sums of such numbers are exact."""
        values = [np.frombuffer(own.data[-8 * FLOATS :], np.float64), *(model["w"] for model in it.honest_models)]
        merged = sum(value.astype(np.longdouble) for value in values) / len(values)
        return own.data[: -8 * FLOATS] + merged.astype(np.float64).tobytes()

    def commit(self, hashes):
        self.it.attacker.call(training(self.it.contract), KINDS, (1, 1, self.it.head().term, 0, hashes))

    def serve(self, model=None):
        """Where others ask for its part: the hashes of its chunks, and these as they are in `model`."""
        answer = self.it.answer

        def answers(handler):
            if handler.path == "/shards/0":
                return say(handler, b"swarmd shard v1" + struct.pack(">Q", 0) + b"".join(self.hashes))
            if model and handler.path == "/shards/0/data":
                return model.serve(handler)
            return answer(handler)

        self.it.answer = answers


def finish(it, own):
    loaded = it.finish()
    assert_all_have_the_mean(it, loaded, own)
    (first,) = it.merges()[:1]
    assert not first.excluded and set(first.contributors) == set(it.everybody())
    return first


def test_a_false_part_is_found_and_its_maker_is_barred(hostile):
    it = hostile(leads=False, floats=FLOATS)
    maker = Maker(it, wrong=2)
    maker.serve()
    maker.commit(maker.hashes)
    merge = finish(it, maker.own)
    assert it.is_barred("false merge") and merge.term > 0


def test_a_part_that_is_declined_is_made_by_the_leader(hostile):
    it = hostile(leads=False, floats=FLOATS)
    maker = Maker(it)
    maker.commit([])
    merge = finish(it, maker.own)
    assert (merge.term, merge.shards) == (0, 3) and not it.swarm.sn.barred()


def test_a_part_that_nobody_is_given_holds_up_no_round(hostile):
    """The leader merges alone then, and nobody is asked for parts in the next rounds."""
    it = hostile(leads=False, floats=FLOATS)
    maker = Maker(it)
    maker.commit(maker.hashes)
    merge = finish(it, maker.own)
    assert merge.shards == 0 and merge.term > 0
    with contextlib.suppress(AssertionError):
        it.attacker.leave()


def test_a_false_part_with_which_programs_train_on_is_taken_back(hostile):
    """They are given all of the merge before anybody has checked it, and go back once another one is accepted."""

    swarms = []

    def work(models, **session):
        def train(client):
            client.open(takesBack=True, **session)
            for _ in range(2):
                client.sync(models[0])
                until(lambda: swarms and swarms[0].merges(), "an honest leader's merge to be accepted")
            client.close(models[0])
            return client

        return train

    it = hostile(leads=False, floats=FLOATS, before=behind, work=work, contract="own")
    swarms.append(it)
    maker = Maker(it)
    false = ModelFile(maker.merge_of(it, maker.own)).changed(2 << 20)
    maker.hashes = chunk_hashes(false.data)[:5]
    maker.serve(false)
    maker.commit(maker.hashes)
    loaded = it.finish(at=1)
    assert it.is_barred("false merge") and it.merges()[0].term > 0
    assert_all_have_the_mean(it, loaded, maker.own)
    for client in (program.result() for program in it.programs):
        assert client.given_ahead[:2] == [True, False] and client.went_back[:2] == [False, True]
        theirs = slice(4 << 17)  # of the attacker's part
        values = np.frombuffer(false.data[-8 * FLOATS :], np.float64)
        np.testing.assert_array_equal(client.merged[0]["w"][theirs], values[theirs])
        assert not np.array_equal(client.merged[0]["w"][theirs], client.merged[1]["w"][theirs])
