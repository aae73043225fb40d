"""What of a model is shared, under which names, and what stays on this node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Tuple

from .shared import Sharing


@dataclass(frozen=True)
class SharedTensor:
    """`name` is what peers see, `own_name` what the model calls it; `trained` if it takes gradients."""

    name: str
    own_name: str
    dtype: str
    shape: Tuple[int, ...]
    size: int  # bytes
    trained: bool


@dataclass(frozen=True)
class LocalPart:
    """Something of the model that is not shared."""

    name: str
    why: str


@dataclass
class Inventory:
    """Of one model. `wrappers`: types around it that take no part."""

    shared: List[SharedTensor] = field(default_factory=list)
    local: List[LocalPart] = field(default_factory=list)
    wrappers: List[str] = field(default_factory=list)


def why_left_out(sharing: Sharing) -> str:
    """Of a tensor that could be shared."""
    return "it takes no gradients" if sharing.trainable else "sharedParameters does not name it"
