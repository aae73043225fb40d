"""Handwritten digits (scikit-learn's, 8x8 pixels), dealt out to organisations that each see the world one-sidedly.

Node 0 has the least data, the last node the most (1 : 2 : 3 : 4 with four nodes). Each node has no example at all of
three digits and few of two others, so no node can learn the task alone. The test set is common to all and shared with
none. The split is the same in every process.
"""

import math
import os
from typing import Tuple

import numpy as np

FILE = "digits.npz"
CLASSES = 10
TEST_SHARE = 0.25
POOR = 0.1  # as many examples of a digit as a fair share would be, times this

Images = Tuple[np.ndarray, np.ndarray]  # float32 [n, 8, 8] from 0 to 1; int64 labels [n]


def load(node: int, nodes: int) -> Tuple[Images, Images]:
    """Training data of one node (-1: all there is), and the common test set."""
    images, labels = digits()
    images, labels = (images.reshape(-1, 8, 8) / 16).astype(np.float32), labels.astype(np.int64)
    train, test = _split(labels)
    mine = train if node < 0 else train[_owners(labels[train], nodes) == node]
    return (images[mine], labels[mine]), (images[test], labels[test])


def digits() -> Images:
    """All that there is: from the folder that the environment names, as tasks of a swarm do, or from scikit-learn,
    whose import takes two seconds."""
    folder = os.environ.get("DATA_DIR")
    if folder is None:
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    with np.load(os.path.join(folder, FILE)) as file:
        return file["images"], file["labels"]


def _split(labels: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The rows to train on and those of the test set, with as much of each digit: those that scikit-learn's
    train_test_split gives with `stratify` and random_state=1."""
    rng = np.random.RandomState(1)
    counts = np.bincount(labels, minlength=CLASSES)
    tests = math.ceil(len(labels) * TEST_SHARE)
    to_train = _dealt(counts, len(labels) - tests, rng)
    to_test = _dealt(counts - to_train, tests, rng)
    train, test = [], []
    for digit in range(CLASSES):
        rows = np.flatnonzero(labels == digit)[rng.permutation(counts[digit])]
        train.append(rows[: to_train[digit]])
        test.append(rows[to_train[digit] :][: to_test[digit]])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def _dealt(counts: np.ndarray, total: int, rng: np.random.RandomState) -> np.ndarray:
    """`total` in the proportion of `counts`; those get one more whose exact share is the most above a whole number."""
    exact = counts / counts.sum() * total
    dealt = np.floor(exact).astype(int)
    above = exact - dealt
    for value in np.unique(above)[::-1]:
        more = total - dealt.sum()
        if more == 0:
            break
        same = np.flatnonzero(above == value)
        dealt[rng.choice(same, min(len(same), more), replace=False)] += 1
    return dealt


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
