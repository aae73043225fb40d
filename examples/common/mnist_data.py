"""MNIST: handwritten digits of 28x28 pixels.

Every node of the original's examples has all 60,000; so it is here with the file. Without it a node has its share of
the digits that scikit-learn carries.
"""

import pathlib
from typing import Tuple

import digits
import numpy as np
from files import check_images, find, read_arrays

FILE = "mnist.npz"
SOURCE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHAPE = (28, 28)


def load(folder: pathlib.Path, node: int, nodes: int) -> Tuple[digits.Images, digits.Images, str]:
    """Training and test images, and what to say of them."""
    path = find(folder, FILE)
    if path is None:
        train, test, told = digits.load_scaled(SHAPE[0], node, nodes)
        return train, test, f"{told}; {folder} has no {FILE}, which is at {SOURCE}"
    x_train, y_train, x_test, y_test = read_arrays(path, ("x_train", "y_train", "x_test", "y_test"))
    check_images(path, x_train, y_train, SHAPE)
    check_images(path, x_test, y_test, SHAPE)
    train, test = (x_train, y_train.astype(np.int64)), (x_test, y_test.astype(np.int64))
    return train, test, f"{path}, {len(x_train)} to train on"
