"""The original's Keras client (TensorFlow 2.7), written from the protocol's description, beside this package's."""

import importlib.util
import json
import os

import numpy as np
import pytest
from harness import ROOT, Program
from launcher.forks import python_with
from launcher.processes import Process

pytestmark = pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")

BATCHES = 9
OURS = """
import json, sys
import numpy as np, keras
from swarmlearning.tf import SwarmCallback
keras.utils.set_random_seed(5)
if sys.argv[2] == "after another":
    keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8, activation="relu"),
                          keras.layers.BatchNormalization(), keras.layers.Dense(2)])
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
x, y = np.random.rand(90, 4).astype("float32"), np.random.randint(0, 2, 90)
swarm = SwarmCallback(syncFrequency=4, minPeers=2, totalEpochs=1, adsValData=(x, y), adsValBatchSize=30)
model.fit(x, y, batch_size=10, epochs=1, verbose=0, callbacks=[swarm])
json.dump({"digest": swarm.modelDigest(), "kernel": model.layers[0].kernel.numpy().tolist(),
           "mean": model.layers[1].moving_mean.numpy().tolist()}, open(sys.argv[1], "w"))
"""
SHAPES = {
    "dense/kernel:0": (4, 8),
    "dense/bias:0": (8,),
    "batch_normalization/gamma:0": (8,),
    "batch_normalization/beta:0": (8,),
    "batch_normalization/moving_mean:0": (8,),
    "batch_normalization/moving_variance:0": (8,),
    "dense_1/kernel:0": (8, 2),
    "dense_1/bias:0": (2,),
}


class OriginalKeras:
    """Its callback around a model that drifts: every weight of the model by name, trained or not; a sync at the begin,
    one after batch N + 1, then every N; the merged model is loaded in each loss request, and by name: a name that is
    missing is a KeyError."""

    def __init__(self, sync_frequency):
        rng = np.random.default_rng(2)
        self.weights = {name: rng.random(shape).astype(np.float32) for name, shape in SHAPES.items()}
        self.interval, self.count, self.over = sync_frequency, 0, False

    def __call__(self, client):
        client.open(syncInterval=self.interval, minPeers=2)
        self.sync(client)
        for _ in range(BATCHES):
            for value in self.weights.values():
                value += np.float32(0.01)
            if self.count == 0 and not self.over:
                self.sync(client)
            self.count -= 1
        client.close(self.weights, loss=self.judge)
        return self.weights

    def sync(self, client):
        answer = client.sync(self.weights, loss=self.judge)
        self.over, self.count = answer.trainingOver, answer.nextSyncInterval

    def judge(self, merged):
        for name, value in self.weights.items():
            value[...] = merged[name]
        return 0.5, 0.75


@pytest.mark.parametrize("ours", ["alone", "after another"])
def test_both_train_one_model(swarm, ours):
    swarm.start(sls=2)
    theirs = Program(swarm.sls[0], OriginalKeras(4))
    result = swarm.folder / "ours.json"
    environment = {
        **{"PYTHONPATH": os.path.join(ROOT, "python"), "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"},
        "SL_REQUEST_CHANNEL": str(swarm.sls[1].request),
        "SL_RESPONSE_CHANNEL": str(swarm.sls[1].response),
    }
    script = swarm.folder / "ours.py"
    script.write_text(OURS)
    program = Process("ours", [python_with("keras-torch"), script, result, ours], swarm.folder, environment)
    swarm.others.append(program)
    assert program.start().wait_exit(120) == 0, program.tail()
    weights = theirs.result()
    final = json.loads(result.read_text())
    merges = swarm.sn.merges()
    assert [len(merge.contributors) for merge in merges] == [2] * len(merges) and len(merges) >= 4
    assert final["digest"] == merges[-1].digest
    assert np.array_equal(np.array(final["kernel"], np.float32), weights["dense/kernel:0"])
    assert np.array_equal(np.array(final["mean"], np.float32), weights["batch_normalization/moving_mean:0"])
