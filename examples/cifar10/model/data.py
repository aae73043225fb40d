"""CIFAR-10: photographs of 32x32 pixels in ten classes.

Where DATA_DIR has the folder cifar-10-batches-py, a node has all 50,000, as in the original's example. Without it a
node has its share of the digits that scikit-learn carries.
"""

import pathlib
import pickle
from typing import Tuple

import digits
import numpy as np
from files import check_images, find
from settings import Fault

FOLDER = "cifar-10-batches-py"
SOURCE = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_FILE = "test_batch"
SHAPE = (32, 32, 3)

# All that a batch is made of. A pickle may name any function of Python, to be called while it is read.
PARTS_OF_ARRAYS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def load(folder: pathlib.Path, node: int, nodes: int) -> Tuple[digits.Images, digits.Images, str]:
    """Training and test images, and what to say of them."""
    batches = find(folder, FOLDER)
    if batches is None:
        (x, y), (x_test, y_test), told = digits.load_scaled(SHAPE[0], node, nodes)
        told = f"{told}; {folder} has no {FOLDER}, which is in {SOURCE}"
        return (in_colour(x), y), (in_colour(x_test), y_test), told
    parts = [read_batch(batches / name) for name in TRAIN_FILES]
    x, y = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return (x, y), read_batch(batches / TEST_FILE), f"{batches}, {len(x)} to train on"


def in_colour(images: np.ndarray) -> np.ndarray:
    return np.repeat(images[..., None], 3, axis=-1)


class _Arrays(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in PARTS_OF_ARRAYS:
            raise pickle.UnpicklingError(f"it wants to use {module}.{name}, which no batch of CIFAR-10 does")
        return super().find_class(module, name)


def read_batch(path: pathlib.Path) -> digits.Images:
    try:
        with open(path, "rb") as file:
            batch = _Arrays(file, encoding="bytes").load()
        pixels, labels = batch[b"data"], np.asarray(batch[b"labels"])
    except Exception as error:  # a broken pickle ends in nearly any
        raise Fault(f"{path}: it cannot be read as a batch of CIFAR-10 ({error}); get it from {SOURCE}") from None
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != np.prod(SHAPE):
        raise Fault(f"{path}: its rows are not of {np.prod(SHAPE)} bytes; get it from {SOURCE}")
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    check_images(path, images, labels, SHAPE)
    return images, labels.astype(np.int64)
