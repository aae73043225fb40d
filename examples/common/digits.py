"""Handwritten digits that scikit-learn carries, 1,797 of 8x8 pixels, in the shape of larger images."""

from typing import Tuple

import numpy as np
from shares import part_of, test_rows

TEST_SHARE = 0.2

Images = Tuple[np.ndarray, np.ndarray]  # uint8 [n, ...], 0 to 255; int64 labels [n], 0 to 9


def load_scaled(side: int, node: int, nodes: int) -> Tuple[Images, Images, str]:
    """One node's training images of `side` pixels squared, the test images of all, and what to say of them."""
    from sklearn.datasets import load_digits

    found = load_digits()
    zoom = side // 8
    frame = (side - 8 * zoom) // 2
    images = np.kron(found.images / 16 * 255, np.ones((zoom, zoom))).astype(np.uint8)
    images = np.pad(images, ((0, 0), (frame, side - 8 * zoom - frame), (frame, side - 8 * zoom - frame)))
    labels = found.target.astype(np.int64)
    test = test_rows(len(labels), TEST_SHARE)
    mine = part_of(len(labels), node, nodes)
    mine = mine[~test[mine]]
    told = f"scikit-learn's digits, 8x8 scaled to {side}x{side}, share {node} of {nodes}, {len(mine)} to train on"
    return (images[mine], labels[mine]), (images[test], labels[test]), told
