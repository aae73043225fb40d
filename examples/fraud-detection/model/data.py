"""Payments by credit card: which are fraud?

Where a node finds the files of the original's example in DATA_DIR, SB19_CCFDUBL_TRAIN.csv and SB19_CCFDUBL_TEST.csv,
these are its data. Where it finds the public creditcard.csv it takes its share of that, as many payments as the
original's nodes have. Otherwise payments are made up, of that shape: amounts and times, 28 measures that say a little
about fraud each, and more fraud at the one bank than at the other.
"""

import pathlib
from typing import Tuple

import numpy as np
from files import find, read_table
from settings import Fault
from shares import SEED

FEATURES = 30
TRAIN_FILE, TEST_FILE = "SB19_CCFDUBL_TRAIN.csv", "SB19_CCFDUBL_TEST.csv"
PUBLIC_FILE = "creditcard.csv"
SOURCE = "https://www.kaggle.com/mlg-ulb/creditcardfraud"
ROWS = (3500, 4000, 2500, 989)  # of the original's nodes
FRAUDS = (0.03, 0.02, 0.05, 0.1)  # which part of them is fraud here
TEST_ROWS, TEST_FRAUDS = 330, 0.1

Payments = Tuple[np.ndarray, np.ndarray]  # float32 [n, 30]: time, 28 measures, amount, scaled; float32 [n], 1: fraud


def load(folder: pathlib.Path, node: int) -> Tuple[Payments, Payments, str]:
    """Training and test payments of a node, from 1, and what to say of them."""
    own, public = find(folder, TRAIN_FILE), find(folder, PUBLIC_FILE)
    if own is not None:
        train, test, where = read_payments(own), read_payments(folder / TEST_FILE), str(own)
    elif public is not None:
        train, test = deal(read_payments(public), node)
        where = f"{public}, the share of node {node}"
    else:
        train, test = make_up(node)
        where = f"made up, as {folder} has no {PUBLIC_FILE} of {SOURCE}"
    return train, test, f"{where}; {len(train[1])} payments to train on, {int(train[1].sum())} of them fraud"


def read_payments(path: pathlib.Path) -> Payments:
    """A header, then rows of 30 features and the class."""
    rows = read_table(path, FEATURES + 1, skip_header=True)
    if not np.isin(rows[:, -1], (0, 1)).all():
        raise Fault(f"{path}: the last column says 0 or 1; get the file from {SOURCE}")
    return _scaled(rows[:, :-1]), rows[:, -1].astype(np.float32)


def _scaled(features: np.ndarray) -> np.ndarray:
    """The time in days, of the amount the logarithm: all features are of one size then, also where they were before."""
    out = features.astype(np.float32)
    out[:, 0] /= 86_400
    out[:, -1] = np.sign(out[:, -1]) * np.log1p(np.abs(out[:, -1]))
    return out


def deal(all_payments: Payments, node: int) -> Tuple[Payments, Payments]:
    """The test set of all nodes, and so many rows of a node's own as it has, fraud and others."""
    x, y = all_payments
    rng = np.random.default_rng(SEED)
    frauds, others = (rng.permutation(np.flatnonzero(y == label)) for label in (1, 0))
    take = len(frauds) * 2 // 3, len(others) * 2 // 3  # what there is to train on
    place = (node - 1) % len(ROWS)
    mine = np.concatenate(
        [
            frauds[: take[0]][place :: len(ROWS)][: round(ROWS[place] * FRAUDS[place])],
            others[: take[1]][place :: len(ROWS)][: round(ROWS[place] * (1 - FRAUDS[place]))],
        ]
    )
    test = np.concatenate(
        [frauds[take[0] :][: round(TEST_ROWS * TEST_FRAUDS)], others[take[1] :][: round(TEST_ROWS * (1 - TEST_FRAUDS))]]
    )
    mine, test = rng.permutation(mine), rng.permutation(test)
    return (x[mine], y[mine]), (x[test], y[test])


def make_up(node: int) -> Tuple[Payments, Payments]:
    place = (node - 1) % len(ROWS)
    train = _made_up(ROWS[place], FRAUDS[place], np.random.default_rng((SEED, node)))
    return train, _made_up(TEST_ROWS, TEST_FRAUDS, np.random.default_rng((SEED, 0)))


def _made_up(count: int, share: float, rng: np.random.Generator) -> Payments:
    y = np.zeros(count, np.float32)
    y[: max(1, round(count * share))] = 1
    y = rng.permutation(y)
    signs = np.random.default_rng(SEED).choice((-1.0, 1.0), FEATURES - 2)
    strength = np.linspace(1.6, 0.0, FEATURES - 2)  # the first measures say most, as the public ones do
    measures = rng.normal(size=(count, FEATURES - 2)) + y[:, None] * signs * strength
    time = rng.uniform(0, 172_800, count)
    amount = rng.lognormal(3.0 + 0.8 * y, 1.3)
    return _scaled(np.column_stack([time, measures, amount])), y
