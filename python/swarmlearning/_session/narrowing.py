"""Parameters that travel, and are merged, in fewer bits than their model has them.

A node narrows what it gives to a merge, and widens the merge again. What the swarm stores, checks and records is the
narrow model, so that nothing but its type has to be agreed on: a node with another one has other parameters than the
rest.
"""

from __future__ import annotations

import os
from typing import Any, Dict

import numpy as np

from ..errors import SwarmError
from .arrays import BFLOAT16, Params, dtype_name, pack, unpack
from .messages import NDArray

TRANSFER_VARIABLE = "SWARM_TRANSFER_TYPE"
TRANSFER_TYPES = ("float16", BFLOAT16)
_WIDE = ("float32", "float64")


def transfer_type_of_environment() -> str:
    """What the environment variable says, for programs that cannot be changed; empty when it says nothing."""
    return os.environ.get(TRANSFER_VARIABLE, "").strip().lower()


class Narrowing:
    """To `transfer_type` and back; an empty one leaves everything as it is. Scalars stay as they are: they count."""

    def __init__(self, transfer_type: str = ""):
        self._type = transfer_type
        self._types: Dict[str, str] = {}  #: of the parameters that were narrowed

    def narrow(self, params: Params) -> Params:
        """Raises SwarmError for a number that is too large for the type."""
        if not self._type:
            return params
        self._types = {name: dtype_name(array) for name, array in params.items() if _is_wide(array)}
        return {name: self._narrowed(name, array) for name, array in params.items()}

    def widen(self, params: Params) -> Params:
        return {
            name: pack(unpack(array).astype(self._types[name])) if name in self._types else array
            for name, array in params.items()
        }

    def _narrowed(self, name: str, array: NDArray) -> NDArray:
        if name not in self._types:
            return array
        values = unpack(array)
        with np.errstate(over="ignore", invalid="ignore"):
            single = values.astype(np.float32)
            if self._type == BFLOAT16:
                bits = _rounded_to_bfloat16(single)
                narrow, finite = pack(bits, BFLOAT16), (bits & 0x7F80) != 0x7F80
            else:
                half = single.astype(np.float16)
                narrow, finite = pack(half), np.isfinite(half)
        lost = np.isfinite(values) & ~finite
        if lost.any():
            raise SwarmError(
                f"transferType={self._type!r}: {name!r} has {int(lost.sum())} values that are too large for it, up to "
                f"{np.abs(values[lost]).max():.3g}; use 'bfloat16', whose range is that of float32, or leave it out"
            )
        return narrow


def _is_wide(array: NDArray) -> bool:
    return array.shape != () and dtype_name(array) in _WIDE


def _rounded_to_bfloat16(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bits of the nearest ones, of two equally near ones the even one (IEEE 754); NaN stays NaN."""
    bits = values.view(np.uint32)
    rounded = ((bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)
