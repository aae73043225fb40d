"""The processes of torch.distributed that train one model together, of which rank 0 speaks with the SL.

Every rank makes a SwarmCallback and calls it alike. Rank 0 syncs; the others wait for its news in the process group's
store, which has no time limit of a collective operation, and then all take rank 0's tensors by a broadcast.
"""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Dict, Iterable, Optional

import torch
import torch.distributed as dist

from ..errors import SwarmError

SETTLE_SECONDS = 5.0  # rank 0 waits so long for the callbacks of the other ranks
POLL_SECONDS = 0.02
ALONE = (
    "torch.distributed has {count} ranks and only rank 0 has a SwarmCallback: the others do not get the merged models. "
    "Make one on every rank and call it alike (only rank 0 speaks with the SL), or broadcast the parameters after "
    "every sync"
)

_made = 0  # callbacks of this process; the same number on each rank names one training


class Ranks:
    """This process among the others; `alone` when no other rank has a callback."""

    def __init__(self, rank: int, count: int):
        global _made
        _made += 1
        self.rank = rank
        self.count = count
        self.alone = False
        self._prefix = f"swarmlearning/{_made}"
        self._heard = 0
        if self.follows:
            self._store.add(self._key("ranks"), 1)

    @classmethod
    def present(cls) -> Optional["Ranks"]:
        """None for a program of one process."""
        if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
            return None
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def follows(self) -> bool:
        """Takes what rank 0 has."""
        return self.rank > 0

    def settle(self) -> None:
        """On rank 0, when training begins: finds out who else takes part. Either all do or nobody."""
        others = self.count - 1
        deadline = time.monotonic() + SETTLE_SECONDS
        present = self._store.add(self._key("ranks"), 0)
        while present < others and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            present = self._store.add(self._key("ranks"), 0)
        self.alone = present == 0
        if 0 < present < others:
            error = f"{present + 1} of {self.count} ranks have a SwarmCallback; make one on every rank"
            self.tell({"error": error})
            raise SwarmError(error)
        if self.alone:
            self.tell({"error": f"rank 0 began to train without this rank, which was over {SETTLE_SECONDS:.0f} s late"})

    def tell(self, news: Dict[str, Any]) -> None:
        """From rank 0 to the others."""
        self._heard += 1
        self._store.set(self._key(f"news/{self._heard}"), json.dumps(news))
        self._store.add(self._key("news"), 1)

    def hear(self, on_wait: Callable[[float], None]) -> Dict[str, Any]:
        """The next news of rank 0, however long that takes; `on_wait` is called about once a second."""
        started = time.monotonic()
        next_call = 1.0
        while self._store.add(self._key("news"), 0) <= self._heard:
            time.sleep(POLL_SECONDS)
            if time.monotonic() - started >= next_call:
                on_wait(time.monotonic() - started)
                next_call += 1.0
        self._heard += 1
        news: Dict[str, Any] = json.loads(self._store.get(self._key(f"news/{self._heard}")))
        if "error" in news:
            raise SwarmError(f"rank 0: {news['error']}")
        return news

    @property
    def _store(self) -> Any:
        return dist.distributed_c10d._get_default_store()

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}"


def broadcast(tensors: Iterable[torch.Tensor]) -> None:
    """Gives rank 0's values to all ranks, in place. As bytes, since not every backend knows every type."""
    with torch.no_grad():
        for tensor in tensors:
            if tensor.numel() == 0:
                continue
            plain = torch.view_as_real(tensor) if tensor.is_complex() else tensor
            flat = plain.detach().contiguous().reshape(-1)
            dist.broadcast(flat.view(torch.uint8), 0)
            if flat.data_ptr() != plain.data_ptr():
                plain.copy_(flat.reshape(plain.shape))
