"""A training program whose model is a dictionary of arrays, for tests of the session."""

import numpy as np
from swarmlearning._session.arrays import pack, unpack
from swarmlearning._training.callback import SwarmCallbackBase
from swarmlearning._training.options import DEFAULT_CONTRACT, Options

DEFAULTS = dict(
    syncFrequency=3,
    minPeers=1,
    useAdaptiveSync=False,
    adsValData=None,
    adsValBatchSize=None,
    checkinModelOnTrainEnd="snapshot",
    trainingContract=DEFAULT_CONTRACT,
    nodeWeightage=1,
    mlPlatform=None,
    mergeMethod="mean",
    totalEpochs=2,
)


class DictCallback(SwarmCallbackBase):
    """A model of numpy arrays, whose loss is their sum."""

    platforms = ("PLAIN",)

    def __init__(self, values=None, logger=None, tracker=None, **options):
        self.values = values or {"w": np.array([1.0, 2.0], np.float32)}
        self.stopped = 0
        self._start(Options(**{**DEFAULTS, **options}), logger, tracker)

    def _get_parameters(self):
        return {name: pack(value) for name, value in self.values.items()}

    def _load_parameters(self, params):
        self.values = {name: unpack(params[name]).astype(value.dtype) for name, value in self.values.items()}

    def _evaluate(self):
        return float(sum(value.sum() for value in self.values.values())), 0.25

    def _stop_training(self):
        self.stopped += 1


def train(callback, batches, epochs=1):
    callback.on_train_begin()
    for epoch in range(epochs):
        for batch in range(batches):
            callback.on_batch_end(batch)
        callback.on_epoch_end(epoch)
    callback.on_train_end()
