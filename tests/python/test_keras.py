"""Keras programs as people write them, on the backend of KERAS_BACKEND (default: torch), against an SL in a thread."""

import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import layers
from older import is_keras_2, py_dataset
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning._keras.names import weight_names
from swarmlearning.tf import SwarmCallback
from wire_schema import CLOSE, LOSS, SYNC

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = (X.sum(1) > 0).astype(np.int32)
W = np.arange(60, dtype=np.float32) + 1


class Logger(list):
    debug = error = info = warning = list.append


def compiled(model, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss, metrics=["accuracy"], **options)
    return model


def make_model(*front):
    return compiled(keras.Sequential([keras.Input((4,)), *front, layers.Dense(8, activation="relu"), layers.Dense(2)]))


def make_callback(**options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, totalEpochs=1), **options})


def fit(model, *callbacks, epochs=1):
    return model.fit(X, Y, batch_size=10, epochs=epochs, verbose=0, callbacks=list(callbacks))


# Names ---------------------------------------------------------------------------------------------------------------


def functional():
    inputs = keras.Input((5,))
    first, second = layers.Dense(3)(inputs), layers.Dense(3)(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Concatenate()([second, first])))


class Block(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense, self.norm = layers.Dense(4), layers.LayerNormalization()

    def build(self, shape):
        self.dense.build(shape)
        self.norm.build(shape)
        self.gain = self.add_weight(shape=(), name="gain")

    def call(self, x):
        return self.norm(self.dense(x)) * self.gain


def nested():
    inputs = keras.Input((4,))
    encoder = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    return keras.Model(inputs, layers.Dense(2)(Block()(Block()(encoder(inputs)))))


def recurrent():
    parts = [layers.Embedding(9, 4), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2, name="out")]
    return keras.Sequential([keras.Input((None,)), *parts])


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(4), layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


def own():
    model = Own()
    model(np.zeros((2, 4), "float32"))
    return model


def clone():
    return keras.models.clone_model(make_model())


@pytest.mark.parametrize("build", [make_model, functional, nested, recurrent, own, clone])
def test_names_do_not_depend_on_what_was_built_before(build):
    keras.backend.clear_session()
    first = list(weight_names(build()))
    make_model()
    second = list(weight_names(build()))
    assert first == second and len(first) == len(set(first))


def test_names_are_those_of_the_original():
    make_model()
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(2)])
    assert list(weight_names(model)) == [
        "dense/kernel:0", "dense/bias:0", "batch_normalization/gamma:0", "batch_normalization/beta:0",
        "batch_normalization/moving_mean:0", "batch_normalization/moving_variance:0", "dense_1/kernel:0",
        "dense_1/bias:0",
    ]  # fmt: skip


def test_layers_are_counted_in_the_order_in_which_they_were_made():
    """As the original's names are; the model has the second one first."""
    assert list(weight_names(functional()))[:4:2] == ["dense_1/kernel:0", "dense/kernel:0"]


def test_names_that_a_program_gives_are_kept():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="head"), layers.Dense(2, name="tail_7")])
    assert list(weight_names(model))[::2] == ["head/kernel:0", "tail_7/kernel:0"]


def test_a_cell_that_is_run_again_trains_the_same_model(swarm):
    ghost = swarm(ghost=True)
    for _ in range(3):
        model = make_model()
    callback = make_callback()
    fit(model, callback)
    assert list(ghost.sls[0].of_type(SYNC)[0].inputParams.weights)[0].startswith("dense")
    assert callback.modelDigest() == ghost.digest


# What is held --------------------------------------------------------------------------------------------------------


def test_a_normalization_layer_works_with_what_was_merged(swarm, tmp_path):
    ghost = swarm(ghost=True)
    normalize = layers.Normalization()
    normalize.adapt(X * 3 + 5)
    model = make_model(normalize)
    callback = make_callback(adsValData=(X, Y))
    fit(model, callback)
    path = str(tmp_path / "model.keras")
    model.save(path)
    again = keras.models.load_model(path)
    assert np.allclose(model.predict(X, verbose=0), again.predict(X, verbose=0), atol=1e-6)
    assert callback.modelDigest() == ghost.digest


def test_a_layer_that_keeps_what_it_computes_from_its_weights(swarm):
    class Cached(layers.Layer):
        loads = 0

        def build(self, shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def load_own_variables(self, store):
            super().load_own_variables(store)
            self.loads += 1

        def call(self, x):
            return x * self.scale

    ghost = swarm(ghost=True)
    layer = Cached()
    model = make_model(layer)
    callback = make_callback()
    fit(model, callback)
    assert layer.loads == callback.syncs and callback.modelDigest() == ghost.digest


def test_what_is_compiled_stays_when_no_layer_keeps_what_it_computed(swarm):
    """Compiling it again at each merge would cost more than the training."""
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.train_function)

    ghost = swarm(ghost=True)
    callback = make_callback(syncFrequency=1)
    fit(make_model(), callback, Watch())
    assert len(seen) == 6 and all(function is seen[0] for function in seen)
    assert callback.modelDigest() == ghost.digest


@pytest.mark.parametrize("place", ["before", "after"])
def test_restored_best_weights(swarm, place):
    ghost = swarm(ghost=True)
    logger = Logger()
    callback = make_callback(logger=logger)
    stop = keras.callbacks.EarlyStopping(monitor="loss", mode="max", patience=1, restore_best_weights=True)
    fit(make_model(), *([stop, callback] if place == "before" else [callback, stop]), epochs=4)
    assert callback.modelDigest() == ghost.digest
    told = [text for text in logger if "likely by EarlyStopping; the swarm's model was put back" in text]
    # Keras 2 restores before the training ends, and only when it is stopped.
    assert len(told) == (place == "after" and not is_keras_2())


def test_a_callback_that_loads_a_checkpoint_at_the_end(swarm):
    class Restores(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.first = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.first)

    ghost = swarm(ghost=True)
    logger = Logger()
    callback = make_callback(logger=logger)
    fit(make_model(), callback, Restores())
    assert callback.modelDigest() == ghost.digest
    assert any("4 parameters were changed (dense/bias:0, " in text and "by Restores" in text for text in logger)


def test_a_callback_after_it_sees_the_final_model(swarm):
    ghost = swarm(ghost=True)
    seen = []
    callback = make_callback()
    look = keras.callbacks.LambdaCallback(on_train_end=lambda logs: seen.append(callback.modelDigest()))
    fit(make_model(), callback, look)
    assert seen == [ghost.digest]


def test_two_fits_one_after_the_other(swarm):
    """The second one has no swarm any more, and says so."""
    swarm()
    callback = make_callback()
    model = make_model()
    fit(model, callback)
    with pytest.raises(SwarmError):
        fit(model, callback)


def test_a_weight_that_is_changed_as_it_is_assigned(swarm):
    swarm(ghost=True)
    model = make_model()
    callback = make_callback()
    callback.set_model(model)
    variable = model.layers[-1].bias
    assign = variable.assign
    variable.assign = lambda value: assign(np.clip(value, 0, 0.1))
    with pytest.raises(SwarmError, match="1 of 4 differ, dense_1/bias:0. Likely: a layer changes its weights"):
        callback.on_train_begin()


# Batches, loops ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "interval, steps, batches, syncs_at",
    [
        (8, 4, 32, [12, 20, 28]),
        (6, 4, 32, [8, 16, 20, 28, 32]),
        (3, 1, 10, [4, 7, 10]),
        (2, 4, 12, [4, 8, 12]),
    ],
)
def test_batches_are_counted_by_their_index(swarm, interval, steps, batches, syncs_at):
    swarm()
    callback = make_callback(syncFrequency=interval)
    callback.set_model(make_model())
    callback.on_train_begin()
    seen = []
    callback.on_epoch_begin(0)
    for index in range(steps - 1, batches, steps):
        before = callback.syncs
        callback.on_train_batch_end(index)
        if callback.syncs > before:
            seen.append(index + 1)
    callback.on_train_end()
    assert seen == syncs_at


def test_an_epoch_begins_at_its_first_batch(swarm):
    swarm()
    callback = make_callback(syncFrequency=3)
    fit(make_model(), callback, epochs=3)  # 18 batches
    assert callback.syncs == 1 + 5 + 1


def test_a_loop_without_set_model_is_told(swarm):
    swarm()
    callback = make_callback()
    with pytest.raises(SwarmError, match=r"call its set_model\(model\) before on_train_begin"):
        callback.on_train_begin()


def test_a_loop_with_set_model(swarm):
    ghost = swarm(ghost=True)
    model = make_model()
    callback = make_callback(adsValData=(X, Y))
    callback.set_model(model)
    callback.on_train_begin()
    for _ in range(4):
        model.train_on_batch(X[:10], Y[:10])
        callback.on_batch_end()
    callback.on_train_end()
    assert callback.modelDigest() == ghost.digest


# What is shared ------------------------------------------------------------------------------------------------------


def test_only_what_is_trained(swarm):
    ghost = swarm(ghost=True)
    model = make_model(layers.BatchNormalization())
    model.layers[1].trainable = False
    compiled(model)
    callback = make_callback(sharedParameters="trainable")
    fit(model, callback)
    names = set(ghost.sls[0].of_type(CLOSE)[0].inputParams.weights)
    assert names == {"batch_normalization/gamma:0", "batch_normalization/beta:0", "dense_1/kernel:0", "dense_1/bias:0"}
    assert callback.modelDigest() == ghost.digest


def test_patterns(swarm):
    ghost = swarm(ghost=True)
    fit(make_model(), make_callback(sharedParameters=["*/kernel:0"]))
    assert set(ghost.sls[0].of_type(CLOSE)[0].inputParams.weights) == {"dense/kernel:0", "dense_1/kernel:0"}


def test_an_unknown_pattern_is_named(swarm):
    swarm()
    with pytest.raises(SwarmError, match="Init call .*called like 'tail/.*'; there are dense/kernel:0"):
        fit(make_model(), make_callback(sharedParameters="tail/*"))


# Validation data -----------------------------------------------------------------------------------------------------


class Batches(py_dataset()):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[20 * index : 20 * index + 20], Y[20 * index : 20 * index + 20]


def pairs():
    return [(X[at : at + 20], Y[at : at + 20]) for at in (0, 20, 40)]


FORMS = {
    "arrays": lambda: (X, Y),
    "float64": lambda: (X.astype(np.float64), Y.astype(np.int64)),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "a list of two arrays": lambda: [X, Y],
    "unit weights": lambda: (X, Y, np.ones(60, "float32")),
    "list": pairs,
    "lists as batches": lambda: [list(pair) for pair in pairs()],
    "zip": lambda: zip(X.reshape(3, 20, 4), Y.reshape(3, 20)),
    "map": lambda: map(tuple, pairs()),
    "generator": lambda: (pair for pair in pairs()),
    "PyDataset": Batches,
    "dict batches": lambda: [{"anything": x, "labels": y} for x, y in pairs()],
}


def torch_forms():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return {"dataset": data, "loader": torch.utils.data.DataLoader(data, 7),
            "iterator": iter(torch.utils.data.DataLoader(data, 7))}  # fmt: skip


def check_loss(swarm, model, data, wanted):
    sl = swarm().sls[0]
    callback = make_callback(adsValData=data, adsValBatchSize=7)
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_train_end()
    assert [reply.loss for reply in sl.of_type(LOSS)] == pytest.approx([wanted, wanted], rel=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_forms(swarm, form):
    model = make_model()
    check_loss(swarm, model, FORMS[form](), model.evaluate(X, Y, verbose=0)[0])


@pytest.mark.parametrize("form", ["dataset", "loader", "iterator"])
def test_data_sets_of_torch(swarm, form):
    model = make_model()
    check_loss(swarm, model, torch_forms()[form], model.evaluate(X, Y, verbose=0)[0])


@pytest.mark.parametrize("whole", [True, False])
def test_sample_weights(swarm, whole):
    model = make_model()
    data = (X, Y, W) if whole else [(x, y, w) for (x, y), w in zip(pairs(), W.reshape(3, 20))]
    check_loss(swarm, model, data, model.evaluate(X, Y, sample_weight=W, verbose=0)[0])


def several():
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    return compiled(keras.Model([left, right], layers.Dense(2)(layers.Concatenate()([left, right]))))


@pytest.mark.parametrize(
    "data",
    [
        ([X[:, :2], X[:, 2:]], Y),
        ({"left": X[:, :2], "right": X[:, 2:]}, Y),
        [({"left": X[:, :2], "right": X[:, 2:]}, Y)],
        [{"left": X[:, :2], "right": X[:, 2:], "label": Y}],
        iter([((X[:, :2], X[:, 2:]), Y)]),
    ],
    ids=["list", "dict", "batch", "one dict", "nest"],
)
def test_several_inputs(swarm, data):
    model = several()
    check_loss(swarm, model, data, model.evaluate([X[:, :2], X[:, 2:]], Y, verbose=0)[0])


BAD = {
    "wrong shape": ([(X[:, :3], Y)], r"adsValData: the model cannot be judged on its first batch \(\w+ at "),
    "nothing": ([], "adsValData has no samples"),
    "no target": ([{"x": X}], "dicts without labels"),
    "a number": (7, "or something that yields batches, got a int"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_judged_end_the_program_before_the_first_merge(swarm, case):
    sl = swarm().sls[0]
    data, text = BAD[case]
    with pytest.raises(SwarmArgumentError, match=f"(?s)Init call to SL container failed - .*{text}"):
        fit(make_model(), make_callback(adsValData=data))
    assert not sl.of_type(SYNC)


def test_a_later_failure_does_not_end_the_training(swarm):
    class Unsteady(Batches):
        def __getitem__(self, index):
            if index == 2:
                raise OSError("patient 4711")
            return super().__getitem__(index)

    sl, logger = swarm().sls[0], Logger()
    fit(make_model(), make_callback(adsValData=Unsteady(), logger=logger))
    assert [reply.loss for reply in sl.of_type(LOSS)] == [0] * 4
    assert sum("could not be judged" in text for text in logger) == 1 and not any("4711" in text for text in logger)


def test_the_list_of_callbacks_is_found_by_its_frame():
    callback = make_loopback_callback()
    callbacks = keras.callbacks.CallbackList([callback], model=make_model(), add_history=True)
    assert type(callbacks.callbacks[-1]).__name__ == "_EndWatch"
    assert sys._getframe() is not None and len(callbacks.callbacks) == 3


def make_loopback_callback():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWARM_LOOPBACK", "true")
        return make_callback()
