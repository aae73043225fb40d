"""The twelve ways of styles_torch.py, as Keras programs train; on the backend of KERAS_BACKEND."""

import keras
import numpy as np
from keras import layers
from older import needs_keras_3
from swarmlearning.tf import SwarmCallback

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")
TORCH = keras.backend.backend() == "torch"


def make_callback(**options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, totalEpochs=2), **options})


def mlp(*middle, dtype=None):
    parts = [layers.Dense(8, activation="relu", dtype=dtype), *middle, layers.Dropout(0.1)]
    return keras.Sequential([keras.Input((6,)), *parts, layers.Dense(2, dtype=dtype)])


def fit(model, swarm, optimizer=None, x=X, others=(), **compile_options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"], **compile_options)
    model.fit(x, Y, batch_size=10, epochs=2, verbose=0, callbacks=[swarm, *others])
    return swarm


def plain():
    return fit(mlp(), make_callback())


def validation():
    return fit(mlp(), make_callback(adsValData=(X, Y, np.ones(40, "float32")), adsValBatchSize=8))


def batch_norm():
    normalize = layers.Normalization()
    normalize.adapt(X)
    parts = [normalize, layers.Dense(8), layers.BatchNormalization(), layers.Dense(2)]
    model = keras.Sequential([keras.Input((6,)), *parts])
    return fit(model, make_callback(adsValData=(X.astype("float64"), Y)))


def bfloat16():
    return fit(mlp(dtype="bfloat16"), make_callback(adsValData=(X, Y)))


def accumulation():
    needs_keras_3("gradient_accumulation_steps")
    return fit(mlp(), make_callback(), keras.optimizers.SGD(0.05, gradient_accumulation_steps=2))


def compiled():
    """Two batches in one step, where the backend can do that."""
    return fit(mlp(), make_callback(), **({} if TORCH else {"steps_per_execution": 2}))


def trainable_only():
    model = mlp()
    model.layers[0].trainable = False
    return fit(model, make_callback(sharedParameters="trainable"))


def tied():
    shared = layers.Dense(6, activation="relu")
    inputs = keras.Input((6,))
    return fit(keras.Model(inputs, layers.Dense(2)(shared(shared(inputs)))), make_callback())


def recurrent():
    parts = [layers.Reshape((3, 2)), layers.Bidirectional(layers.LSTM(4)), layers.Dense(2)]
    return fit(keras.Sequential([keras.Input((6,)), *parts]), make_callback(adsValData=(X, Y)))


def several_inputs():
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    out = layers.Dense(2)(layers.Concatenate()([layers.Dense(4)(left), layers.Dense(4)(right)]))
    data = {"left": X[:, :3], "right": X[:, 3:]}
    batches = [({name: part[at : at + 20] for name, part in data.items()}, Y[at : at + 20]) for at in (0, 20)]
    return fit(keras.Model([left, right], out), make_callback(adsValData=iter(batches)), x=data)


def averaged():
    return fit(mlp(), make_callback(), keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2))


def restore_best():
    """By a callback that stands after the SwarmCallback."""
    stop = keras.callbacks.EarlyStopping(monitor="loss", mode="max", patience=1, restore_best_weights=True)
    return fit(mlp(), make_callback(), others=[stop])


STYLES = [plain, validation, batch_norm, bfloat16, accumulation, compiled, trainable_only, tied, recurrent,
          several_inputs, averaged, restore_best]  # fmt: skip
