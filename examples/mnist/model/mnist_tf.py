"""Learns to read handwritten digits together with other nodes (Keras on TensorFlow)."""

import logging

import keras
import mnist_data
from programs import place_for, run, tell_data, tell_saved
from settings import read_settings
from shares import batch_size
from swarmlearning.tf import SwarmCallback

SYNC_FREQUENCY = 128
BATCH = 128


def make_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input(mnist_data.SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    settings = read_settings(max_epochs=5)
    (x, y), (x_test, y_test), told = mnist_data.load(settings.data_dir, settings.node, settings.nodes)
    tell_data(told)
    x, x_test = x / 255.0, x_test / 255.0

    keras.utils.set_random_seed(1)
    model = make_model()
    swarm = SwarmCallback(
        syncFrequency=SYNC_FREQUENCY,
        minPeers=settings.min_peers,
        useAdaptiveSync=False,
        adsValData=(x_test, y_test),
        adsValBatchSize=8,
        totalEpochs=settings.max_epochs,
    )
    swarm.logger.setLevel(logging.DEBUG)
    size = batch_size(BATCH, len(x), SYNC_FREQUENCY)
    model.fit(x, y, batch_size=size, epochs=settings.max_epochs, verbose=2, callbacks=[swarm])

    path = place_for(settings.scratch_dir / "mnist_tf")
    model.export(path, verbose=False)  # a SavedModel of TensorFlow
    tell_saved(swarm, path)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"loss {loss:.4f}, accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    run(main)
