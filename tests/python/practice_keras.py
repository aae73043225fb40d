"""Keras models and fits as people write them, on the backend of KERAS_BACKEND. As in styles_keras.py each takes part in
a swarm and returns its callback; here each also checks what is particular about it."""

import os
import tempfile

import keras
import numpy as np
from keras import layers
from older import needs_keras_3
from styles_keras import X, Y, fit, make_callback
from swarmlearning import SwarmError
from swarmlearning._keras.names import weight_names

TENSORFLOW = keras.backend.backend() == "tensorflow"
JUDGED = dict(adsValData=(X, Y))
TOKENS = np.random.default_rng(5).integers(0, 9, (40, 3))


class Own(keras.Model):
    """Has no weights before it sees a batch; keeps its layers in lists and dicts."""

    def __init__(self):
        super().__init__()
        self.first, self.more = layers.Dense(4), [layers.Dense(4), layers.Dense(4)]
        self.heads = {"main": layers.Dense(2)}

    def call(self, x, training=False):
        x = self.first(x)
        for layer in self.more:
            x = layer(x)
        return self.heads["main"](x)


def dense(*middle):
    return keras.Sequential([keras.Input((6,)), *middle, layers.Dense(2)])


def a_model_of_ones_own_that_is_not_built():
    return fit(Own(), make_callback())


def one_that_is_judged_before_it_is_built():
    return fit(Own(), make_callback(**JUDGED))


def a_sequence_without_an_input_shape():
    return fit(keras.Sequential([layers.Dense(8), layers.Dense(2)]), make_callback())


def one_that_is_half_built():
    head = keras.Sequential([keras.Input((8,)), layers.Dense(2)])
    return fit(keras.Sequential([layers.Dense(8), head]), make_callback())


def a_layer_that_is_never_called():
    model = Own()
    model.unused = layers.Dense(7)
    return fit(model, make_callback())


def only_what_is_trained_of_one_that_is_not_built():
    return fit(Own(), make_callback(sharedParameters="trainable"))


def mixed(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        return dense(layers.Dense(8), layers.BatchNormalization())
    finally:
        keras.mixed_precision.set_global_policy("float32")


def mixed_precision():
    return fit(mixed("mixed_bfloat16"), make_callback(**JUDGED))


def mixed_precision_with_a_scaled_loss():
    return fit(mixed("mixed_float16"), make_callback(**JUDGED), keras.optimizers.Adam(0.01))


def random_layers():
    """The seeds of their generators are this node's own."""
    return fit(dense(layers.GaussianNoise(0.1), layers.Dropout(0.3), layers.Dense(8)), make_callback(**JUDGED))


def averages_put_in_place_at_the_end():
    needs_keras_3("SwapEMAWeights")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=False)
    return fit(dense(), make_callback(), keras.optimizers.SGD(0.05, use_ema=True), others=[swap])


def averages_put_in_place_each_epoch():
    needs_keras_3("SwapEMAWeights")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    return fit(dense(), make_callback(**JUDGED), keras.optimizers.SGD(0.05, use_ema=True), others=[swap])


def low_rank_adapters():
    needs_keras_3("enable_lora()")
    model = dense(layers.Dense(8))
    model.layers[0].enable_lora(2)
    callback = fit(model, make_callback(sharedParameters="trainable"))
    names = set(callback._get_parameters())
    assert {"dense/lora_kernel_a:0", "dense/lora_kernel_b:0"} < names and "dense/kernel:0" not in names
    return callback


def attention():
    inputs = keras.Input((6,))
    x = layers.Reshape((3, 2))(inputs)
    x = layers.TimeDistributed(layers.Dense(3))(layers.MultiHeadAttention(2, 4)(x, x))
    return fit(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x))), make_callback(**JUDGED))


def several_outputs():
    inputs = keras.Input((6,))
    outputs = {"kind": layers.Dense(2, name="kind")(inputs), "size": layers.Dense(1, name="size")(inputs)}
    model = keras.Model(inputs, outputs)
    loss = {"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "size": "mse"}
    model.compile("sgd", loss)
    callback, targets = make_callback(adsValData=(X, {"kind": Y, "size": X[:, :1]})), {"kind": Y, "size": X[:, :1]}
    model.fit(X, targets, batch_size=10, epochs=2, verbose=0, callbacks=[callback])
    return callback


def weights_set_by_another_callback():
    """In the middle of training; the next merge takes what is there."""

    class Shrinks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([weight * 0.5 for weight in self.model.get_weights()])

    return fit(dense(), make_callback(**JUDGED), others=[Shrinks()])


def a_normalization_that_is_compiled():
    """What it computes with is what was merged, in memory as after saving."""
    normalize = layers.Normalization()
    normalize.adapt(X * 3 + 5)
    model = dense(normalize)
    callback = fit(model, make_callback())
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        again = keras.models.load_model(path).predict(X, verbose=0)
    assert np.allclose(model.predict(X, verbose=0), again, atol=1e-5)
    return callback


def a_model_from_a_file():
    """Other models before it have counted the names of its layers on; as a new one it is not another model."""
    fresh = list(weight_names(dense(layers.Dense(8), layers.BatchNormalization())))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        dense(layers.Dense(8), layers.BatchNormalization()).save(path)
        model = keras.models.load_model(path)
    callback = fit(model, make_callback(**JUDGED))
    assert list(callback._get_parameters()) == fresh
    return callback


def a_copy_made_by_a_tuner():
    """Tuners train with copies of the callbacks that they are given."""
    import copy

    original = make_callback(**JUDGED)
    try:
        fit(dense(), copy.deepcopy(original))
    except SwarmError as error:
        assert "is a copy of the one that has the session" in str(error)
    else:
        raise AssertionError("the copy trained without a swarm")
    return fit(dense(), original)


def texts():
    """On TensorFlow a model may take texts; on the others it gets the numbers that they stand for."""
    lookup = layers.TextVectorization(output_mode="int", output_sequence_length=3, vocabulary=["a", "b", "c"])
    words, parts = np.array([["a b"], ["c"]] * 20), [layers.Embedding(9, 4), layers.Flatten(), layers.Dense(2)]
    if not TENSORFLOW:
        model = keras.Sequential([keras.Input((3,), dtype="int32"), *parts])
        return fit(model, make_callback(adsValData=(TOKENS, Y)), x=TOKENS)
    import tensorflow

    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup, *parts])
    return fit(model, make_callback(adsValData=(words, Y)), x=tensorflow.convert_to_tensor(words))


STYLES = [
    a_model_of_ones_own_that_is_not_built, one_that_is_judged_before_it_is_built, a_sequence_without_an_input_shape,
    one_that_is_half_built, a_layer_that_is_never_called, only_what_is_trained_of_one_that_is_not_built,
    mixed_precision, mixed_precision_with_a_scaled_loss, random_layers, averages_put_in_place_at_the_end,
    averages_put_in_place_each_epoch, low_rank_adapters, attention,
    several_outputs, weights_set_by_another_callback, a_normalization_that_is_compiled, a_model_from_a_file,
    a_copy_made_by_a_tuner, texts,
]  # fmt: skip
