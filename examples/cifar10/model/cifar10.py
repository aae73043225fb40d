"""Learns to tell what is on small pictures together with other nodes (Keras on TensorFlow)."""

import data
import keras
from programs import place_for, run, tell_data, tell_saved
from settings import read_settings
from shares import batch_size
from swarmlearning.tf import SwarmCallback

SYNC_FREQUENCY = 128
BATCH = 128


def make_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input(data.SHAPE),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    settings = read_settings(model_dir="/platform/swarmml/model", max_epochs=5)
    (x, y), (x_test, y_test), told = data.load(settings.data_dir, settings.node, settings.nodes)
    tell_data(told)
    x, x_test = (images.astype("float32") / 255 for images in (x, x_test))

    keras.utils.set_random_seed(1)
    model = make_model()
    swarm = SwarmCallback(
        syncFrequency=SYNC_FREQUENCY,
        minPeers=settings.min_peers,
        useAdaptiveSync=False,
        adsValData=(x_test, y_test),
        adsValBatchSize=32,
        totalEpochs=settings.max_epochs,
    )
    size = batch_size(BATCH, len(x), SYNC_FREQUENCY)
    model.fit(x, y, batch_size=size, epochs=settings.max_epochs, verbose=2, callbacks=[swarm])

    path = place_for(settings.model_dir / "saved_models" / "cifar10.h5")
    model.save(path)
    tell_saved(swarm, path)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"loss {loss:.4f}, accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    run(main)
