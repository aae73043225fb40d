"""Parameters on their way between a model and a message.

Throughout the package a model's parameters are a `Params`: a dict from parameter name to `NDArray`, whose data is a
view of the model's own memory wherever the framework allows it. bfloat16, which numpy does not have, travels as its
16 raw bits under the dtype name `bfloat16`.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Dict

import numpy as np

from ..errors import SwarmError
from .messages import NDArray
from .wire import Buffer

Params = Dict[str, NDArray]

BFLOAT16 = "bfloat16"

#: dtypes that can be shared, by name, with bytes per element.
ITEM_SIZE = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "uint16": 2, "float16": 2, BFLOAT16: 2, "int32": 4, "uint32": 4,
    "float32": 4, "float64": 8, "int64": 8, "uint64": 8,
}  # fmt: skip

COMPARED_AT_ONCE = 1 << 17  # words of 8 bytes, so that they stay in the cache

_DTYPE_TEXT = re.compile(r"dtype\('([a-z0-9]+)'\)")


def is_integer(dtype: str) -> bool:
    """Signed and unsigned integers; bool is none."""
    return "int" in dtype


def dtype_name(array: NDArray) -> str:
    """`float32` for dtype('float32'). Nothing but the known names is taken."""
    match = _DTYPE_TEXT.fullmatch(array.dtype)
    if match is None or match[1] not in ITEM_SIZE:
        raise SwarmError(f"dtype {array.dtype!r} is not one of {', '.join(sorted(ITEM_SIZE))}")
    return match[1]


def pack(values: np.ndarray[Any, Any], dtype: str = "") -> NDArray:
    """A message's array from a numpy array of any layout; no copy when it is C-ordered and little endian.

    `dtype` names the element type when numpy's own differs: `bfloat16` for an array of its raw bits (uint16), or of
    values (float32, or a bfloat16 as the ml_dtypes package adds it).
    """
    name = dtype or values.dtype.name
    if name == BFLOAT16:
        values = _bfloat16_bits(values)
    elif name not in ITEM_SIZE or values.dtype.name != name:
        raise SwarmError(f"dtype {values.dtype} cannot be shared; supported are {', '.join(sorted(ITEM_SIZE))}")
    # not ascontiguousarray, which makes scalars one-dimensional
    values = np.asarray(values, dtype=values.dtype.newbyteorder("<"), order="C")
    return NDArray(f"dtype('{name}')", values.shape, memoryview(values.reshape(-1).view(np.uint8)))


def unpack(array: NDArray) -> np.ndarray[Any, Any]:
    """The array of a message, checked; a view of its data when that is aligned. bfloat16 is widened to float32,
    which loses nothing."""
    name = dtype_name(array)
    count = 1
    for extent in array.shape:
        count *= extent
    if count * ITEM_SIZE[name] != len(array.data):
        raise SwarmError(f"{len(array.data)} bytes of data for shape {list(array.shape)} of {name}")
    little = np.dtype("uint16" if name == BFLOAT16 else name).newbyteorder("<")
    values = np.frombuffer(array.data, dtype=little).reshape(array.shape)
    if name == BFLOAT16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    if sys.byteorder == "big":
        values = values.astype(values.dtype.newbyteorder("="))
    return np.require(values, requirements=["A"])


def unpack_as(array: NDArray, dtype: str) -> np.ndarray[Any, Any]:
    """`unpack`, ready to be loaded into a parameter of type `dtype`: merged integers come as floating point and are
    rounded to the nearest, which a plain cast would not do. Floating point types are left for the framework to
    cast."""
    values = unpack(array)
    if values.dtype.kind == "f" and dtype == "bool":
        return np.asarray(values >= 0.5)
    if values.dtype.kind == "f" and is_integer(dtype):
        return _to_integers(np.rint(values), dtype)
    return values


def same_bytes(a: Buffer, b: Buffer) -> bool:
    """Compares large buffers without a copy; a comparison of memoryviews goes byte by byte."""
    if len(a) != len(b):
        return False
    whole = len(a) // 8 * 8
    first, second = (np.frombuffer(x, np.uint64, whole // 8) if whole else np.empty(0) for x in (a, b))
    for at in range(0, len(first), COMPARED_AT_ONCE):
        if not np.array_equal(first[at : at + COMPARED_AT_ONCE], second[at : at + COMPARED_AT_ONCE]):
            return False
    return bytes(a[whole:]) == bytes(b[whole:])


def _to_integers(values: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """A float64 beyond the type becomes its nearest value: 2^63 may stand for 2^63 - 1."""
    limits = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        inside = (values >= float(limits.min)) & (values < float(limits.max) + (1 if limits.bits < 64 else 0))
        plain = np.where(inside, values, 0).astype(dtype)
    return np.where(inside, plain, np.where(values > 0, limits.max, limits.min).astype(dtype))


def _bfloat16_bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if values.dtype == np.float32:  # every value is a bfloat16, so that the low half is zero
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.view(np.uint16)
