"""Large merges by methods that look at whole models: these are measured in shards, and then made in shards."""

import itertools
import struct

import numpy as np
from harness import Program, trains, until
from launcher.model_files import chunk_hashes
from outsider import training
from test_lying_leader import ModelFile, hostile
from test_lying_maker import FLOATS as DOUBLES
from test_lying_maker import Maker

__all__ = ["hostile"]  # the fixture
FLOATS = 1_500_000  # 6 MB: too large for all to check all of it
UNITS = 4  # chunks, as there are so few, of the attacker's part, the first of four
KINDS = "measureShard(uint64,uint64,uint32,uint32,bytes32[])"


def models(count):
    base = np.random.default_rng(3).random(FLOATS, np.float32)
    return [base + np.float32(0.01 * i * i) for i in range(count)]


def merged(swarm, method, values):
    swarm.start(sls=len(values))
    programs = [
        Program(sl, trains([{"w": value}], None, None, minPeers=len(values), mergeMethod=method))
        for sl, value in zip(swarm.sls, values, strict=True)
    ]
    got = [program.result().merged[0]["w"] for program in programs]
    merge = swarm.sn.merges()[0]
    assert len(merge.contributors) == merge.shards == len(values) and not merge.excluded
    assert all(np.array_equal(one, got[0]) for one in got)
    return got[0]


def test_a_geometric_median_is_made_in_shards(swarm):
    values = models(4)
    got = merged(swarm, "geomedian", values).astype(np.float64)
    ways = [np.linalg.norm(got - value) for value in values]
    # At the median the directions to all models are in balance.
    pull = sum((value - got) / way for value, way in zip(values, ways, strict=True))
    assert np.linalg.norm(pull) < 0.02


def test_krum_takes_one_model_as_it_is(swarm):
    values = models(5)
    got = merged(swarm, "krum:1", values)
    assert np.array_equal(got, values[1])


class Measurer(Maker):
    """It says what its part of four models is measured to, and its own model is far from the others."""

    @staticmethod
    def far(theirs):
        values = np.frombuffer(theirs.data[-8 * DOUBLES :], np.float64) + 1000.0
        return ModelFile(theirs.data[: -8 * DOUBLES] + values.tobytes())

    def __init__(self, hostile):
        self.it = hostile(honest=3, leads=False, floats=DOUBLES, method="krum:0")
        self.own = self.it.bring(self.far)

    def measure(self, words):
        self.it.attacker.call(training(self.it.contract), KINDS, (1, 1, self.it.head().term, 0, words))

    def lie(self):
        """That nobody but this one is near any other."""
        stored = {file.stem for sl in self.it.swarm.sls for file in sl.store.glob("*.safetensors")}
        models = sorted({bytes.fromhex(stem) for stem in stored} | {self.own.digest})
        assert len(models) == 4
        pairs = [0.0 if self.own.digest in pair else np.inf for pair in itertools.combinations(models, 2)]
        self.measure([word for _ in range(UNITS) for word in self.words(pairs)])

    @staticmethod
    def words(sums):
        packed = struct.pack(f">{len(sums)}d", *sums).ljust(64, b"\0")
        return [packed[:32], packed[32:]]

    def is_measured(self):
        return self.it.swarm.sn.events("measured", self.it.contract)

    def finish(self):
        """The round ends with what krum says of the four: the honest model between the two others."""
        for model in self.it.finish():
            assert np.array_equal(model, self.it.honest_models[1]["w"])
        merge = self.it.merges()[0]
        assert not merge.excluded and len(merge.contributors) == 4
        return merge


def test_who_lies_of_what_it_has_measured_is_found_and_barred(hostile):
    """By its sums its own model is the merge, and its part of that is right by these."""
    liar = Measurer(hostile)
    liar.lie()
    until(liar.is_measured, "all to have measured", alive=liar.it.swarm.sls)
    liar.hashes = chunk_hashes(liar.own.data)[:UNITS]
    liar.serve(liar.own)
    liar.commit(liar.hashes)
    merge = liar.finish()
    assert liar.it.is_barred("false merge") and merge.term > 0


def test_who_declines_to_measure_leaves_the_merge_to_the_leader(hostile):
    maker = Measurer(hostile)
    maker.measure([])
    merge = maker.finish()
    assert (merge.term, merge.shards) == (0, 0) and not maker.it.swarm.sn.barred()


def test_who_never_measures_is_not_waited_for(hostile):
    """Most others have measured, so the leader merges soon, as a whole; the silent one's model is in it."""
    silent = Measurer(hostile)
    merge = silent.finish()
    assert (merge.term, merge.shards) == (0, 0)
