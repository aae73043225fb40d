"""The Keras callback on the backend of KERAS_BACKEND (torch by default), against an SL in a thread."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from older import as_numpy, py_dataset
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning._session.arrays import pack
from swarmlearning.tf import SwarmCallback
from wire_schema import CLOSE, KILL, LOSS, SYNC

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X.sum(1) > 0).astype(np.int32)


def make_model(dtype=None, batch_norm=False):
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    parts = [keras.layers.Input((4,)), keras.layers.Dense(8, activation="relu", dtype=dtype)]
    if batch_norm:
        parts.append(keras.layers.BatchNormalization())
    parts.append(keras.layers.Dense(2, dtype=dtype))
    model = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def make_callback(**options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, totalEpochs=1), **options})


def fit(model, *callbacks, epochs=1, **options):
    return model.fit(X, Y, batch_size=10, epochs=epochs, verbose=0, callbacks=list(callbacks), **options)


def arrays(message):
    return {
        name: np.frombuffer(entry.data, entry.dtype[7:-2]).reshape(tuple(entry.shape))
        for name, entry in message.inputParams.weights.items()
    }


def weights(callback):
    return {name: as_numpy(variable) for name, variable in callback._variables().items()}


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def test_fit_syncs_after_batch_n_plus_1(swarm):
    sl = swarm().sls[0]
    model = make_model()
    callback = make_callback()
    fit(model, callback, epochs=2)
    assert len(sl.of_type(SYNC)) == 1 + 5  # at the beginning and after batches 3, 5, 7, 9, 11
    assert [r.epochsdone for r in sl.of_type(LOSS)] == [0, 0, 0, 1, 1, 1, 2]
    assert same(arrays(sl.of_type(CLOSE)[0]), weights(callback))


def test_a_tracker_gets_what_was_reported(swarm):
    from test_tracker import Recorder

    sl = swarm(tells_rounds=True).sls[0]
    recorder = Recorder()
    callback = make_callback(tracker=recorder, adsValData=(X, Y))
    fit(make_model(), callback)
    told = [(call[2]["swarm/loss"], call[2]["swarm/metric"]) for call in recorder.calls if call[0] == "round"]
    reported = [(reply.loss, reply.metrics) for reply in sl.of_type(LOSS)]
    assert np.allclose(told, reported) and told[-1][1] > 0
    assert recorder.calls[-2][3]["swarm.digest"] == callback.modelDigest()


def test_training_goes_on_from_the_merged_model(swarm):
    """Merges that replace every weight by 0.5: what the next batch starts from, and what the program ends with."""
    seen = []

    def script(sl, kind, message):
        if kind in (SYNC, CLOSE):
            seen.append({name: value.copy() for name, value in arrays(message).items()})
            for entry in message.inputParams.weights.values():
                entry.data = np.full_like(np.frombuffer(entry.data, entry.dtype[7:-2]), 0.5).tobytes()
        return None

    swarm(script=script)
    model = make_model()
    model.optimizer.learning_rate = 1e-4
    fit(model, make_callback(syncFrequency=1), epochs=1)
    assert all((as_numpy(variable) == 0.5).all() for variable in model.weights)
    moved = [max(np.abs(value - 0.5).max() for value in params.values()) for params in seen[1:]]
    assert len(moved) == 6 and moved[-1] == 0  # the close follows a sync with no batch between
    assert all(0 < distance < 1e-3 for distance in moved[:-1])  # one or two small steps away from 0.5


def test_a_swarm_of_one_trains_as_if_alone(swarm):
    """The sync, with its loss pass in the middle of an epoch, changes neither weights nor the figures of fit()."""
    alone = make_model()
    plain = fit(alone, epochs=2, shuffle=False)
    swarm()
    model = make_model()
    together = fit(model, make_callback(adsValData=(X, Y), adsValBatchSize=16), epochs=2, shuffle=False)
    for a, b in zip(alone.weights, model.weights):
        assert np.allclose(as_numpy(a), as_numpy(b), atol=1e-5)
    assert together.history["loss"] == pytest.approx(plain.history["loss"], rel=1e-4)
    assert together.history["accuracy"] == pytest.approx(plain.history["accuracy"])


def generator():
    for at in range(0, 60, 20):
        yield X[at : at + 20], Y[at : at + 20]


class Batches(py_dataset()):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[20 * index : 20 * index + 20], Y[20 * index : 20 * index + 20]


@pytest.mark.parametrize("data", [(X, Y), generator, Batches], ids=["tuple", "generator", "dataset"])
def test_loss_and_metric(swarm, data):
    sl = swarm().sls[0]
    model = make_model()
    callback = make_callback(adsValData=data() if callable(data) else data, adsValBatchSize=7)
    fit(model, callback)
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    assert len(sl.of_type(LOSS)) == 4
    assert sl.of_type(LOSS)[-1].loss == pytest.approx(loss, rel=1e-4)
    assert sl.of_type(LOSS)[-1].metrics == pytest.approx(accuracy, rel=1e-4)


def test_weights_that_are_not_trained_are_shared(swarm):
    sl = swarm().sls[0]
    model = make_model(batch_norm=True)
    fit(model, make_callback())
    names = list(sl.of_type(CLOSE)[0].inputParams.weights)
    assert len(names) == len(model.weights) == 8
    assert any(name == "batch_normalization/moving_mean:0" for name in names)


def test_bfloat16(swarm):
    sl = swarm().sls[0]
    model = make_model(dtype="bfloat16")
    callback = make_callback()
    fit(model, callback)
    entries = sl.of_type(CLOSE)[0].inputParams.weights
    assert {entry.dtype for entry in entries.values()} == {"dtype('bfloat16')"}
    for name, variable in callback._variables().items():
        value = (np.frombuffer(entries[name].data, np.uint16).astype(np.uint32) << 16).view(np.float32)
        assert np.array_equal(value, np.ravel(as_numpy(variable)).astype(np.float32))


class Counter(keras.layers.Layer):
    """Has an integer scalar, and two weights of one name."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="same")
        self.other = self.add_weight(shape=(2,), initializer="ones", name="same")
        self.third = self.add_weight(shape=(2,), initializer="zeros", name="same")

    def call(self, inputs):
        return inputs * self.other[0] + self.third[0]


def test_integer_scalars_and_repeated_names(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = keras.Sequential([keras.layers.Input((2,)), Counter(name="counter")])
    callback = make_callback()
    callback.set_model(model)
    params = callback._get_parameters()
    assert [name.split("/")[-1] for name in params] == ["same:0", "same#2:0", "same#3:0"]
    name = next(name for name, array in params.items() if array.shape == ())
    callback._load_parameters({**params, name: pack(np.float64(3.6))})
    assert int(as_numpy(model.layers[0].count)) == 4
    with pytest.raises(SwarmError, match="shape"):
        callback._load_parameters({**params, name: pack(np.zeros(2))})
    with pytest.raises(SwarmError, match="lacks 3"):
        callback._load_parameters({})


def test_loading_copies(monkeypatch):
    """Training must not write into the memory of the last merged model."""
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    model = make_model()
    callback = make_callback()
    callback.set_model(model)
    values = {
        name: np.array(np.frombuffer(a.data, "<f4")).reshape(a.shape) for name, a in callback._get_parameters().items()
    }
    copies = {name: value.copy() for name, value in values.items()}
    callback._load_parameters({name: pack(value) for name, value in values.items()})
    fit(model, epochs=2)
    assert all(np.array_equal(values[name], copies[name]) for name in values)


def test_training_over_stops_fit(swarm):
    sl = swarm(over_after=2).sls[0]
    model = make_model()
    callback = make_callback()
    history = fit(model, callback, epochs=5)
    assert len(history.epoch) == 1 and callback.trainingOver
    sl.thread.join(10)
    assert len(sl.of_type(SYNC)) == 2 and sl.of_type(KILL) and not sl.of_type(CLOSE)
    merged = arrays(sl.of_type(SYNC)[0])  # a swarm of one: what it sent is what was merged
    assert same(merged, weights(callback))


def test_training_over_at_the_beginning_is_an_error(swarm):
    swarm(over_after=1)
    with pytest.raises(SwarmError, match="was over before this program began"):
        fit(make_model(), make_callback(), epochs=5)


def test_early_stopping_beside_it(swarm):
    sl = swarm().sls[0]
    model = make_model()
    early = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=100.0, restore_best_weights=True)
    callback = make_callback(adsValData=(X, Y))
    history = fit(model, early, callback, epochs=9)
    assert len(history.epoch) < 9 and len(sl.of_type(CLOSE)) == 1
    assert same(arrays(sl.of_type(CLOSE)[0]), weights(callback))


def test_arguments_for_pytorch_are_ignored(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    callback = make_callback(lossFunction="no such", metricFunction="no such", mlPlatform="tf")
    model = make_model()
    fit(model, callback)
    assert callback.options.mlPlatform == "TF"
    with pytest.raises(SwarmArgumentError, match="KERAS, TF"):
        make_callback(mlPlatform="PYTORCH")


def test_a_model_without_weights_is_named(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    callback = make_callback()
    callback.set_model(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(SwarmError, match="no weights yet"):
        callback.modelDigest()
