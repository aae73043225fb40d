"""How a swarm may merge: the values of mergeMethod, checked before anything is sent. See docs/merging.md."""

from __future__ import annotations

import re
from typing import Any

from ..errors import SwarmArgumentError

SPELLINGS = (
    "mean",
    "coordmedian",
    "geomedian",
    "trimmedmean:0.2",
    "krum:f",
    "multikrum:f,m",
    "clippedmean:norm",
    "custom:name",
)
_WHOLE = r"[0-9]{1,4}"
_DECIMAL = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_PATTERNS = {
    "mean": "",
    "coordmedian": "",
    "geomedian": "",
    "trimmedmean": f":({_DECIMAL})",
    "krum": f":({_WHOLE})",
    "multikrum": f":({_WHOLE}),({_WHOLE})",
    "clippedmean": f":({_DECIMAL})",
    "custom": r":([a-z0-9_-]{1,32})",
}


def check_merge_method(value: Any, min_peers: int) -> str:
    """The method in lower case; raises SwarmArgumentError for one that there is not, or not with so few peers."""
    text = value.lower() if isinstance(value, str) else ""
    name = text.partition(":")[0]
    if name not in _PATTERNS:
        raise _wrong(value, f"one of {', '.join(SPELLINGS)}")
    match = re.fullmatch(name + _PATTERNS[name], text)
    if name == "trimmedmean" and not (match and 0 < float(match[1]) < 0.5):
        raise _wrong(value, "the part to cut from each end, above 0 and below 0.5, for example trimmedmean:0.2")
    if name == "clippedmean" and not (match and float(match[1]) > 0):
        raise _wrong(value, "the longest way from the centre, above 0, for example clippedmean:10")
    if not match:
        usage = next(spelling for spelling in SPELLINGS if spelling.startswith(name))
        raise _wrong(value, f"{usage}, as in docs/merging.md")
    if name in ("krum", "multikrum"):
        _check_krum(value, min_peers, *(int(number) for number in match.groups()))
    return text


def _check_krum(value: Any, min_peers: int, hostile: int, chosen: int = 1) -> None:
    needed = 2 * hostile + 3
    if min_peers < needed:
        raise _wrong(value, f"minPeers of at least 2 * {hostile} + 3 = {needed} for it, minPeers is {min_peers}")
    if not 1 <= chosen <= min_peers - hostile:
        raise _wrong(value, f"to merge 1 to {min_peers - hostile} models of minPeers {min_peers}")


def _wrong(value: Any, wanted: str) -> SwarmArgumentError:
    return SwarmArgumentError(f"mergeMethod: wanted {wanted}, got {value!r}")
