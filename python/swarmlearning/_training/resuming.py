"""What a program that resumes is told: from which merge it goes on, and whether it has that in the end."""

from __future__ import annotations

from typing import Optional

from ..errors import SwarmError


def resuming_text(contract: str, round_num: Optional[int]) -> str:
    """`round_num`: what the SL says; 0: nothing is merged yet; None: it cannot resume, which is an error."""
    if round_num is None:
        raise SwarmError(
            "resume: this SL cannot have a program go on from a merge, as the original's or an older swarmd; start "
            "swarmd of this package's version, or leave resume out"
        )
    if round_num == 0:
        return f"resume: no round of {contract} is merged yet; this program begins anew"
    return f"resume: this program goes on from the last merge of {contract}, of round {round_num} so far"


def was_resumed(wanted: int, merged_round: int, got_merge: bool) -> bool:
    """After the first sync: whether the model is that of the merge from which the program was to go on, or a later one.
    False when the training was started over meanwhile; raises SwarmError when the SL has given none."""
    if not got_merge:
        raise SwarmError(f"resume: the SL has not given the merge of round {wanted}, from which it is to go on")
    return merged_round >= wanted
