"""Handwritten digits (scikit-learn's, 8x8 pixels), dealt out to organisations that each see the world one-sidedly.

Node 0 has the least data, the last node the most (1 : 2 : 3 : 4 with four nodes). Each node has no example at all of
three digits and few of two others, so no node can learn the task alone. The test set is common to all and shared with
none. The split is the same in every process.
"""

import os
from typing import Tuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CLASSES = 10
TEST_SHARE = 0.25
POOR = 0.1  # as many examples of a digit as a fair share would be, times this

Images = Tuple[np.ndarray, np.ndarray]  # float32 [n, 8, 8] from 0 to 1; int64 labels [n]


def load(node: int, nodes: int) -> Tuple[Images, Images]:
    """Training data of one node (-1: all there is), and the common test set."""
    images, labels = _digits()
    images = (images.reshape(-1, 8, 8) / 16).astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels.astype(np.int64), test_size=TEST_SHARE, random_state=1, stratify=labels
    )
    mine = np.full(len(y_train), True) if node < 0 else _owners(y_train, nodes) == node
    return (x_train[mine], y_train[mine]), (x_test, y_test)


def _digits() -> Images:
    """All that there is: from the folder that the environment names, as tasks of a swarm do, or from scikit-learn."""
    folder = os.environ.get("DATA_DIR")
    if folder is None:
        return load_digits(return_X_y=True)
    with np.load(os.path.join(folder, "digits.npz")) as file:
        return file["images"], file["labels"]


def _owners(labels: np.ndarray, nodes: int) -> np.ndarray:
    """Which node each sample belongs to."""
    shares = _shares(np.bincount(labels, minlength=CLASSES), nodes)
    owners = np.zeros(len(labels), int)
    rng = np.random.default_rng(2)
    for digit in range(CLASSES):
        samples = rng.permutation(np.flatnonzero(labels == digit))
        ends = np.round(np.cumsum(shares[:, digit]) * len(samples)).astype(int)
        for node, part in enumerate(np.split(samples, ends[:-1])):
            owners[part] = node
    return owners


def _shares(counts: np.ndarray, nodes: int) -> np.ndarray:
    """[node, digit]: which part of a digit's samples a node gets, so that the sizes come out as they should."""
    interest = np.array([[_interest(node, digit) for digit in range(CLASSES)] for node in range(nodes)])
    wanted = np.arange(1, nodes + 1) / sum(range(1, nodes + 1)) * counts.sum()
    weight = np.ones(nodes)
    for _ in range(100):
        shares = weight[:, None] * interest
        shares /= shares.sum(axis=0)
        weight *= wanted / (shares @ counts)
    return shares


def _interest(node: int, digit: int) -> float:
    place = (digit - 3 * node) % CLASSES
    return 0.0 if place < 3 else POOR if place < 5 else 1.0
