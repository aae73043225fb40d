"""A training of four nodes by each merge method: what they get is what the method is to give, and they learn."""

import shutil
import subprocess
import threading

import merge_twins
import numpy as np
import pytest
from harness import PATIENCE, ROOT, Meeting, Program, trains
from wire_client import SLError

NODES, ROUNDS, CLASSES, INPUTS = 4, 4, 3, 8


class Learner:
    """Softmax regression on one node's share of clouds around three points."""

    def __init__(self, node):
        centers = np.random.default_rng(7).normal(size=(CLASSES, INPUTS)) * 2
        rng = np.random.default_rng(node)
        self.labels = rng.integers(CLASSES, size=120)
        self.inputs = centers[self.labels] + rng.normal(size=(120, INPUTS))
        self.model = {"w": np.zeros((INPUTS, CLASSES), np.float32), "b": np.zeros(CLASSES)}

    def probabilities(self):
        scores = self.inputs @ self.model["w"] + self.model["b"]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def train(self):
        for _ in range(10):
            error = self.probabilities() - np.eye(CLASSES)[self.labels]
            self.model["w"] = (self.model["w"] - 0.02 * self.inputs.T @ error / 12).astype(np.float32)
            self.model["b"] = self.model["b"] - 0.02 * error.sum(axis=0) / 12
        return self.model

    def load(self, merged):
        self.model = {"w": np.array(merged["w"], np.float32), "b": np.array(merged["b"], float)}

    def accuracy(self):
        return float((self.probabilities().argmax(axis=1) == self.labels).mean())


@pytest.mark.parametrize(
    "method",
    ["mean", "coordmedian", "geomedian", "trimmedmean:0.2", "krum:0", "multikrum:0,2", "clippedmean:0.05"],
)
def test_a_training_by_each_method(swarm, method):
    swarm.start(sls=NODES)
    meet = threading.Barrier(NODES)
    sent = [[None] * NODES for _ in range(ROUNDS + 1)]

    def work(node):
        def run(client):
            learner = Learner(node)
            client.open(minPeers=NODES, mergeMethod=method)
            meet.wait(PATIENCE)
            for number in range(ROUNDS + 1):
                sent[number][node] = {name: value.copy() for name, value in learner.train().items()}
                exchange = client.sync if number < ROUNDS else client.close
                exchange(sent[number][node])
                learner.load(client.merged[-1])
            return client.merged, learner.accuracy()

        return run

    programs = [Program(sl, work(node)) for node, sl in enumerate(swarm.sls)]
    results = [program.result() for program in programs]
    for number in range(ROUNDS + 1):
        expected = merge_twins.merged(method, sent[number])
        for merged, _ in results:
            for name in expected:
                np.testing.assert_allclose(merged[number][name], expected[name], rtol=1e-5, atol=1e-6)
    assert all(accuracy > 0.8 for _, accuracy in results)
    assert swarm.sn.completed() and len(swarm.sn.merges()) == ROUNDS + 1


def test_methods_that_do_not_agree_or_cannot_be_are_refused(swarm):
    one, two = swarm.start(sls=2).sls
    with one.connect() as client, pytest.raises(SLError, match="below 0.5 from each end"):
        client.open(mergeMethod="trimmedmean:0.6", minPeers=2)
    with one.connect() as client, pytest.raises(SLError, match="5 models in every round, but minPeers is 2"):
        client.open(mergeMethod="krum:1", minPeers=2)
    with one.connect() as first, two.connect() as second:
        first.open(mergeMethod="TrimmedMean:0.20", minPeers=2)
        with pytest.raises(SLError, match="'trimmedmean:0.2' is in force, peer asked for 'trimmedmean:0.3'"):
            second.open(mergeMethod="trimmedmean:0.3", minPeers=2)


@pytest.fixture
def library(tmp_path):
    compiler = shutil.which("cc") or pytest.skip("no C compiler")

    def build(*flags):
        out = tmp_path / f"midrange{len(list(tmp_path.iterdir()))}.so"
        source = ROOT / "examples/merge_library/midrange.c"
        subprocess.run([compiler, "-shared", "-fPIC", "-I", ROOT, *flags, "-o", out, source], check=True)
        return out

    return build


def test_a_training_by_a_library(swarm, library):
    swarm.start(sls=3, flags=["--merge-library", library()])
    values = [1.0, 2.0, 9.0]
    meet = Meeting(3)
    programs = [
        Program(sl, trains([{"w": np.full(70_000, value)}] * 2, None, meet, minPeers=3, mergeMethod="custom:midrange"))
        for sl, value in zip(swarm.sls, values)
    ]
    for program in programs:
        assert all(np.all(merged["w"] == 5) for merged in program.result().merged)
    assert len(swarm.sn.merges()) == 3


def test_libraries_must_be_the_same_everywhere(swarm, library):
    swarm.start()
    swarm.add_sl(flags=["--merge-library", library()])
    swarm.add_sl(flags=["--merge-library", library("-DOTHER", "-g")])
    none, one, other = swarm.sls
    with none.connect() as client, pytest.raises(SLError, match="'custom:midrange' needs --merge-library at every SL"):
        client.open(mergeMethod="custom:midrange", minPeers=2)
    with one.connect() as first, other.connect() as second:
        first.open(mergeMethod="custom:midrange", minPeers=2)
        with pytest.raises(SLError, match="'custom:midrange,[0-9a-f]{64}' is in force, peer asked for 'custom:mid"):
            second.open(mergeMethod="custom:midrange", minPeers=2)
