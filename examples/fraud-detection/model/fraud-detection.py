"""Learns with other banks to tell fraud from honest payments (Keras on TensorFlow)."""

import data
import keras
from programs import place_for, run, tell_data, tell_saved
from settings import read_settings
from swarmlearning.tf import SwarmCallback

SYNC_FREQUENCY = 128
BATCH = 32


def make_model() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((data.FEATURES,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss="binary_crossentropy", metrics=[keras.metrics.AUC()])
    return model


def main() -> None:
    settings = read_settings(max_epochs=100)
    (x, y), test, told = data.load(settings.data_dir, settings.node)
    tell_data(told)

    keras.utils.set_random_seed(1)
    model = make_model()
    swarm = SwarmCallback(
        syncFrequency=SYNC_FREQUENCY,
        minPeers=settings.min_peers,
        adsValData=test,
        adsValBatchSize=32,
        mergeMethod="mean",
        totalEpochs=settings.max_epochs,
    )
    model.fit(x, y, batch_size=BATCH, epochs=settings.max_epochs, verbose=2, callbacks=[swarm])

    path = place_for(settings.scratch_dir / "fraud-detection")
    model.export(path, verbose=False)  # a SavedModel of TensorFlow
    tell_saved(swarm, path)
    loss, auc = model.evaluate(*test, batch_size=BATCH, verbose=0)
    print(f"loss {loss:.4f}, AUC {auc:.4f}", flush=True)


if __name__ == "__main__":
    run(main)
