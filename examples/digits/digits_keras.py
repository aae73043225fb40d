"""The program of digits_pyt.py with Keras 3, on the backend that KERAS_BACKEND names.

What makes it a swarm program is the SwarmCallback in the list of callbacks.
"""

import math

import data
import keras
import options
from keras import layers
from swarmlearning.tf import SwarmCallback


def make_model() -> keras.Model:
    return keras.Sequential(
        [
            layers.Input((8, 8)),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(data.CLASSES),
        ]
    )


def main(args) -> dict:
    (x, y), test = data.load(args.node, args.nodes)

    keras.backend.clear_session()  # names of layers must not depend on what was built before
    keras.utils.set_random_seed(args.seed)
    model = make_model()
    schedule = keras.optimizers.schedules.CosineDecay(options.LEARNING_RATE, args.epochs * options.BATCHES_PER_EPOCH)
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )

    swarm = SwarmCallback(
        syncFrequency=options.SYNC_FREQUENCY,
        minPeers=args.min_peers,
        trainingContract=args.contract,
        adsValData=test,
        adsValBatchSize=512,
        totalEpochs=args.epochs,
    )
    show = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(f"epoch {epoch + 1}/{args.epochs}  loss {logs['loss']:.4f}", flush=True)
    )

    # As many batches on every node, however much data it has: so all come to each sync together.
    batch_size = math.ceil(len(x) / options.BATCHES_PER_EPOCH)
    model.fit(x, y, batch_size=batch_size, epochs=args.epochs, verbose=0, callbacks=[show, swarm])

    _, accuracy = model.evaluate(*test, batch_size=512, verbose=0)
    return options.result(args, swarm, accuracy)


if __name__ == "__main__":
    options.run(main)
