"""Validation data (`adsValData`) as programs have them, whatever the framework.

Texts that come from here name types and shapes only, never a value.
"""

from __future__ import annotations

import itertools
import traceback
from typing import Any, Iterator, Tuple

import numpy as np

from ..errors import SwarmArgumentError

ONE_SHOT_BATCHES_MAX = 10_000
BATCHES_MAX = 100_000  # of data that do not know how many they have
#: What the target is called in a batch that is a dict, the likeliest first.
TARGET_NAMES = ("labels", "label", "targets", "target", "y")


def keep_one_shot(data: Any) -> Any:
    """Reads what can be run through only once (generators, zip, map, iter(loader)) and keeps its batches: validation
    data are needed in every round."""
    if not hasattr(data, "__next__"):
        return data
    batches = list(itertools.islice(data, ONE_SHOT_BATCHES_MAX + 1))
    if len(batches) > ONE_SHOT_BATCHES_MAX:
        raise SwarmArgumentError(
            f"adsValData: the {type(data).__name__} did not end after {ONE_SHOT_BATCHES_MAX} batches; it must yield "
            "the validation data once"
        )
    return batches


def is_array(value: Any) -> bool:
    """Something with a first dimension: a numpy array, a tensor, a pandas object."""
    shape = getattr(value, "shape", None)
    try:
        return shape is not None and len(shape) >= 1
    except (TypeError, ValueError):  # a shape that is not known
        return False


def whole_arrays(data: Any) -> Any:
    """(x, y) or (x, y, sample_weight) when `data` is all validation data at once; None when it gives batches.
    A tuple always is; a list is when it has two or three arrays of one length."""
    if isinstance(data, tuple) and len(data) in (2, 3):
        return data
    if isinstance(data, list) and len(data) in (2, 3) and all(map(is_array, data)):
        lengths = {len(part) for part in data}
        return tuple(data) if len(lengths) == 1 else None
    return None


def count_samples(value: Any) -> int:
    """Samples in an array, or in a nest of arrays (several inputs)."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)) and value and (isinstance(value[0], dict) or is_array(value[0])):
        return count_samples(value[0])
    try:
        return len(value)
    except TypeError:
        raise SwarmArgumentError(f"adsValData: a {type(value).__name__} has no samples to be counted") from None


def is_several(value: Any, samples: int) -> bool:
    """Whether a list is several inputs rather than rows: arrays that each have all samples."""
    if not isinstance(value, (list, tuple)) or not value or not all(map(is_array, value)):
        return False
    return len(value) != samples and all(len(part) == samples for part in value)


def take_rows(value: Any, start: int, stop: int, samples: int) -> Any:
    """Rows [start, stop) of an array or of every array of a nest."""
    if isinstance(value, dict):
        return {key: take_rows(part, start, stop, samples) for key, part in value.items()}
    if is_several(value, samples):
        return tuple(take_rows(part, start, stop, samples) for part in value)
    if hasattr(value, "iloc"):  # pandas
        return np.asarray(value.iloc[start:stop])
    return value[start:stop]


def slices(parts: Tuple[Any, ...], size: int) -> Iterator[Tuple[Any, ...]]:
    """Whole arrays in batches of `size` samples."""
    target = parts[1]
    samples = count_samples(target)
    if count_samples_of_input(parts[0], samples) != samples:
        raise SwarmArgumentError(
            f"adsValData: {count_samples_of_input(parts[0], samples)} samples of x, but {samples} of y"
        )
    for start in range(0, samples, size):
        yield tuple(take_rows(part, start, start + size, samples) for part in parts)


def count_samples_of_input(value: Any, samples: int) -> int:
    if isinstance(value, dict) or is_several(value, samples):
        return count_samples(value)
    return len(value)


def batches_of(data: Any) -> Iterator[Any]:
    """Runs through an iterable, or through a sequence that ends by its length (keras PyDataset)."""
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not hasattr(data, "__iter__"):
        return (data[index] for index in range(len(data)))
    try:
        return iter(data) if has_length(data) else _with_an_end(data)
    except TypeError:
        raise SwarmArgumentError(
            f"adsValData: wanted (x, y), (x, y, sample_weight) or something that yields batches, got a "
            f"{type(data).__name__}"
        ) from None


def has_length(data: Any) -> bool:
    try:
        return len(data) >= 0
    except TypeError:
        return False


def _with_an_end(data: Any) -> Iterator[Any]:
    """Data that repeat themselves for ever would keep the swarm waiting as long."""
    batches = iter(data)

    def run() -> Iterator[Any]:
        for number, batch in enumerate(batches):
            if number == BATCHES_MAX:
                raise SwarmArgumentError(
                    f"adsValData: the {type(data).__name__} did not end after {BATCHES_MAX} batches; it must yield the "
                    "validation data once in each run"
                )
            yield batch

    return run()


def describe_failure(error: BaseException) -> str:
    """Type and place of an error in evaluating; its text may quote the data. Texts of this package may not."""
    if isinstance(error, SwarmArgumentError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
