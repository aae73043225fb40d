"""Breast tumours by 30 measures of their cells: which are malignant?

With `wdbc.data` of UCI in DATA_DIR that is this node's data. Otherwise the same 569 real cases come with scikit-learn,
and are dealt out to hospitals: the first has few patients, most of them ill, the last one many healthy ones. A quarter
is the test set of all.
"""

import pathlib
from typing import Tuple

import numpy as np
from files import find, read_table
from settings import Fault
from shares import biased_part_of, test_rows

FEATURES = 30
TEST_SHARE = 0.25
FILE = "wdbc.data"
SOURCE = "https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic"

Cases = Tuple[np.ndarray, np.ndarray]  # float32 [n, 30]; int64 [n], 1: malignant


def load(folder: pathlib.Path, node: int, nodes: int) -> Tuple[Cases, Cases, str]:
    """Training and test cases, and what to say of them."""
    path = find(folder, FILE)
    if path is not None:
        x, y = read_cases(path)
        mine, where = np.arange(len(y)), f"{path}, all {len(y)} cases of it"
    else:
        from sklearn.datasets import load_breast_cancer

        x, benign = load_breast_cancer(return_X_y=True)
        x, y = x.astype(np.float32), (1 - benign).astype(np.int64)
        mine = biased_part_of(y, node, nodes)
        where = f"scikit-learn's breast cancer cases, share {node} of {nodes}, as {folder} has no {FILE} of {SOURCE}"
    test = test_rows(len(y), TEST_SHARE)
    mine = mine[~test[mine]]
    told = f"{where}; {len(mine)} to train on, {int(y[mine].sum())} of them malignant, {int(test.sum())} to test"
    return (x[mine], y[mine]), (x[test], y[test]), told


def read_cases(path: pathlib.Path) -> Cases:
    """Lines of number, M or B, and 30 measures."""
    rows = read_table(path, FEATURES + 2, skip_header=False, text_column=1)
    letters = rows[:, 1]
    if not np.isin(letters, (ord("M"), ord("B"))).all():
        raise Fault(f"{path}: the second column says M or B; get the file from {SOURCE}")
    if len(np.unique(letters)) < 2:
        raise Fault(f"{path}: malignant and benign cases are needed")
    return rows[:, 2:].astype(np.float32), (letters == ord("M")).astype(np.int64)
