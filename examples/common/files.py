"""Reads data files as people have them. What is broken is said with the file's name; nothing in a file is executed."""

import pathlib
import zipfile
from typing import Optional, Sequence, Tuple

import numpy as np
from settings import Fault


def find(folder: pathlib.Path, name: str) -> Optional[pathlib.Path]:
    """The file, if it is there."""
    path = folder / name
    return path if path.exists() else None


def read_table(path: pathlib.Path, columns: int, skip_header: bool, text_column: Optional[int] = None) -> np.ndarray:
    """A CSV of numbers with so many columns; of `text_column` the code of its first letter."""
    codes = {} if text_column is None else {text_column: lambda text: float(ord(text[:1] or " "))}
    try:
        rows = np.loadtxt(path, delimiter=",", skiprows=int(skip_header), quotechar='"', converters=codes, ndmin=2,
                          encoding="utf-8")  # fmt: skip
    except (ValueError, OSError) as error:
        raise Fault(f"{path}: {error}") from None
    if len(rows) == 0:
        raise Fault(f"{path}: there are no rows in it")
    if rows.shape[1] != columns:
        raise Fault(f"{path}: it has {rows.shape[1]} columns where {columns} are wanted")
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise Fault(f"{path}: row {broken[0] + 1} has a value that is no number")
    return rows


def read_arrays(path: pathlib.Path, names: Sequence[str]) -> Tuple[np.ndarray, ...]:
    """Arrays of an .npz by their names; objects, which could hold programs, are refused."""
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file]
            if missing:
                raise Fault(f"{path}: it has no {' and no '.join(missing)}")
            return tuple(file[name] for name in names)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise Fault(f"{path}: it cannot be read as .npz: {error}") from None


def check_images(path: pathlib.Path, images: np.ndarray, labels: np.ndarray, shape: Tuple[int, ...]) -> None:
    """Bytes of that shape, and a label from 0 to 9 for each."""
    if images.shape[1:] != shape or images.dtype != np.uint8 or len(images) == 0:
        raise Fault(f"{path}: images are {images.dtype} of {images.shape}; wanted uint8 of {('n', *shape)}")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise Fault(f"{path}: there are {len(images)} images and labels of {labels.shape}, {labels.dtype}")
    if labels.min() < 0 or labels.max() > 9:
        raise Fault(f"{path}: a label is not from 0 to 9")
