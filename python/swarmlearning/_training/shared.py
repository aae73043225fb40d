"""Which tensors of a model are shared, and under which names.

Wrappers of parallel training, of compilation and of adapters put segments of their own into a tensor's name. They are
taken out, so that a node that wraps its model and one that does not train the same one.
"""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any, Collection, Dict, Iterable, List, Sequence, Set, Tuple, Union

from .._session.memory import FILE_BYTES_MAX, can_share
from .._session.session import MESSAGE_BYTES_MAX
from ..errors import SwarmArgumentError, SwarmError

SharedParameters = Union[str, Sequence[str]]

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod|base_model\.model)\.")
_NAMES_SHOWN = 5


class Sharing:
    """What the argument `sharedParameters` means: "all", "trainable", or patterns as of `fnmatch`."""

    def __init__(self, wanted: SharedParameters):
        patterns = [wanted] if isinstance(wanted, str) else wanted
        if not isinstance(patterns, (list, tuple, set, frozenset)) or not patterns:
            raise SwarmArgumentError(_wanted(wanted))
        for pattern in patterns:
            if not isinstance(pattern, str) or not pattern.strip():
                raise SwarmArgumentError(_wanted(wanted))
        self.patterns: List[str] = sorted(patterns)
        self.all = self.patterns == ["all"]
        self.trainable = self.patterns == ["trainable"]
        self._has_begun = False
        self._begun_with: Set[str] = set()  # the trainable ones then
        self._added: Set[str] = set()  # those that became trainable since

    def begin(self) -> None:
        """Training begins: from now on the same parameters are shared, though layers may be frozen for a while, as the
        halves of a GAN are in turn."""
        self._has_begun = True

    def check_unchanged(self) -> None:
        """Raises when parameters are trained by now that this node does not share."""
        if self._added:
            raise SwarmError(
                f"sharedParameters='trainable': {some(sorted(self._added))} became trainable after training had begun, "
                "when the nodes had agreed on what is shared. Share 'all', or name by patterns whatever is ever trained"
            )

    def select(self, names: Iterable[str], trainable: Collection[str]) -> Set[str]:
        """Those of `names` that are shared; `trainable` are the ones that training changes."""
        names = list(names)
        if self.all:
            return set(names)
        if self.trainable:
            return self._select_trainable({name for name in names if name in trainable}, names)
        matches = {pattern: {name for name in names if fnmatchcase(name, pattern)} for pattern in self.patterns}
        for pattern, found in matches.items():
            if not found:
                raise SwarmError(f"sharedParameters: no parameter is called like {pattern!r}; there are {some(names)}")
        return set().union(*matches.values())

    def _select_trainable(self, chosen: Set[str], names: List[str]) -> Set[str]:
        if self._begun_with:
            self._added = chosen - self._begun_with
            return self._begun_with & set(names)
        if not chosen:
            raise SwarmError("sharedParameters='trainable': no parameter of the model is trainable")
        if self._has_begun:
            self._begun_with = chosen
        return chosen


def _wanted(got: Any) -> str:
    return (
        "sharedParameters: wanted 'all', 'trainable', or patterns of parameter names such as ['encoder.*', '*.bias'], "
        f"got {got!r}"
    )


def plain_names(names: Iterable[str]) -> Dict[str, str]:
    """Each name, and what it is without the segments of wrappers. Names that would become the same one are kept.

    >>> plain_names(["module.fc.weight", "_orig_mod.fc.bias", "base_model.model.fc.scale"])["module.fc.weight"]
    'fc.weight'
    """
    names = list(names)
    plain = {name: _WRAPPERS.sub("", name) for name in names}
    taken = Counter(plain.values())
    return {name: short if taken[short] == 1 else name for name, short in plain.items()}


def some(names: Iterable[str]) -> str:
    """The first few, for a message."""
    names = list(names)
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > 5 else "")


def shared_bytes_max() -> int:
    """What may be shared from here: more through shared memory, if the SL has it, than through the FIFOs."""
    return FILE_BYTES_MAX if can_share() else MESSAGE_BYTES_MAX


def check_size(sizes: Dict[str, int]) -> None:
    """Raises when tensors of these bytes are more than the channel to the SL carries, and says what is large."""
    total, limit = sum(sizes.values()), shared_bytes_max()
    if total <= limit:
        return
    largest: List[Tuple[str, int]] = sorted(sizes.items(), key=lambda item: -item[1])[:3]
    shown = ", ".join(f"{name} {mebibytes(size)}" for name, size in largest)
    raise SwarmError(
        f"the model has {mebibytes(total)} to be shared, the channel to the SL carries at most {mebibytes(limit)}; "
        f"the largest are {shown}. Share less of it with sharedParameters, or store it in fewer bits, e.g. bfloat16"
    )


def mebibytes(size: int) -> str:
    """For people.

    >>> mebibytes(12), mebibytes(3 << 19)
    ('12 bytes', '1.5 MiB')
    """
    return f"{size} bytes" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"
