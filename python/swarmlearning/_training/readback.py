"""Whether a model holds the merged parameters that were loaded into it.

A merge that was loaded counts only when it can be read again: wrappers, layers that compute their weights, and
callbacks that restore an earlier state would otherwise end a training with another model than the swarm's.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np

from .._session.arrays import Params, dtype_name, is_integer, same_bytes, unpack, unpack_as
from .._session.messages import NDArray
from ..errors import SwarmError
from .shared import some


def changed_parameters(held: Params, merged: Params) -> List[str]:
    """Names of those that a model holds in another form than they were merged."""
    return [name for name, array in held.items() if not holds(array, merged[name])]


def holds(held: NDArray, merged: NDArray) -> bool:
    """Equal to the bit. Integer scalars are merged as float64, and may have come from a mean."""
    mine, theirs = dtype_name(held), dtype_name(merged)
    if tuple(held.shape) != tuple(merged.shape):
        return False
    if mine == theirs:
        return same_bytes(held.data, merged.data)
    if tuple(held.shape) == () and is_integer(mine):
        return bool(unpack(held) == unpack_as(merged, mine)) or is_that_integer(held, merged)
    return False


def is_that_integer(own: NDArray, merged: NDArray) -> bool:
    """Whether `own`, an integer scalar, is what `merged` stands for: a float64 cannot tell all of them apart."""
    return float(unpack(own)) == float(unpack(merged))


def check_loaded(held: Params, merged: Params, when: str, causes: Iterable[str]) -> None:
    """Raises SwarmError with the names of parameters that are not as merged, and what is likely to be the reason."""
    changed = changed_parameters(held, merged)
    if not changed:
        return
    types = sorted({f"{dtype_name(held[name])} instead of {dtype_name(merged[name])}" for name in changed
                    if dtype_name(held[name]) != dtype_name(merged[name])
                    and not is_integer(dtype_name(held[name]))})  # fmt: skip
    reasons = [f"this program's parameters are {', '.join(types)}"] if types else list(causes)
    raise SwarmError(
        f"{when} the model does not hold the merged parameters: {len(changed)} of {len(held)} differ, "
        f"{some(sorted(changed))}. Likely: {'; or '.join(reasons)}"
    )


def left_out(own: Params, merged: Params) -> Dict[str, str]:
    """What kept a model out of a merge: its parameters with NaN or infinite values that the merged one does not
    have there, and how many."""
    found: Dict[str, str] = {}
    for name, array in own.items():
        text = _non_finite(array, merged.get(name))
        if text:
            found[name] = text
    return found


def _non_finite(own: NDArray, merged: Optional[NDArray]) -> str:
    dtype = dtype_name(own)
    if merged is None or "float" not in dtype or dtype_name(merged) != dtype:
        return ""
    values = unpack(own)
    if values.size == 0 or _all_finite(values):
        return ""
    theirs = unpack(merged)
    with np.errstate(invalid="ignore"):
        odd = ~np.isfinite(values) & ~((values == theirs) | (np.isnan(values) & np.isnan(theirs)))
    if not odd.any():
        return ""
    nan = int((odd & np.isnan(values)).sum())
    counts = [f"{nan} NaN"] * bool(nan) + [f"{int(odd.sum()) - nan} infinite"] * bool(int(odd.sum()) - nan)
    return f"{' and '.join(counts)} of {values.size} values"


def _all_finite(values: np.ndarray[Any, Any]) -> bool:
    """By the sum at first, which needs no memory; a sum may overflow where no value does."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(values.sum(dtype=np.float64 if values.itemsize < 4 else None))) or bool(
            np.isfinite(values).all()
        )


def check_names(model: Iterable[str], merged: Iterable[str]) -> None:
    """Every parameter of the model must have come back from the merge."""
    missing = sorted(set(model) - set(merged))
    if missing:
        shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise SwarmError(f"the merged model lacks {len(missing)} of this model's parameters: {shown}")


def check_shape(name: str, merged: Sequence[int], model: Sequence[int]) -> None:
    if tuple(merged) != tuple(model):
        raise SwarmError(
            f"parameter {name}: the merged one has shape {list(merged)}, this program's model {list(model)}; "
            "all nodes must train the same model"
        )
