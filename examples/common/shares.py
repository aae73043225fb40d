"""Deals a data set out to the nodes of a swarm, in every program alike."""

import numpy as np

SEED = 7


def part_of(count: int, node: int, nodes: int) -> np.ndarray:
    """The rows of `node`, one of `nodes`, from 1; all parts are of one size, give or take a row."""
    return np.random.default_rng(SEED).permutation(count)[node - 1 :: nodes]


def biased_part_of(labels: np.ndarray, node: int, nodes: int) -> np.ndarray:
    """The same of two classes, as hospitals or banks have them: the first node has most of class 1 and the fewest rows
    of class 0, the last one most of class 0."""
    rng = np.random.default_rng(SEED)
    weights = np.arange(1, nodes + 1)
    mine = []
    for label, shares in ((0, weights), (1, weights[::-1])):
        rows = rng.permutation(np.flatnonzero(labels == label))
        ends = np.round(np.cumsum(shares) / shares.sum() * len(rows)).astype(int)
        mine.append(np.split(rows, ends[:-1])[node - 1])
    return rng.permutation(np.concatenate(mine))


def test_rows(count: int, share: float) -> np.ndarray:
    """True for the rows that nobody trains on: the same on all nodes."""
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(SEED + 1).permutation(count)[: round(count * share)]] = True
    return chosen


test_rows.__test__ = False  # it is no test of pytest's


def batch_size(usual: int, rows: int, sync_frequency: int) -> int:
    """`usual`, or less where so little data is there that an epoch would come to no merge."""
    return max(1, min(usual, rows // sync_frequency))
