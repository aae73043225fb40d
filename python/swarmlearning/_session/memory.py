"""Models by way of memory that this program shares with its SL, instead of through the FIFOs.

The memory is a memfd, whose descriptor is sent to a socket beside the request FIFO. It has two slots: the last merge
stays readable in one while the next model is written into the other. It is used again for every round. A model lies in
it as a safetensors file, as the SL stores it. What cannot be done here goes through the FIFOs.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import mmap
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from ..errors import SwarmError
from .arrays import ITEM_SIZE, Params
from .digest import SAFETENSORS_NAMES, safetensors_layout
from .messages import MemoryPlace, NDArray
from .wire import Buffer

MEMORY_VARIABLE = "SWARM_SHARED_MEMORY"
SLOTS = 2
COPIED_AT_ONCE = 8 << 20  # bytes
COPIERS_MAX = 4  # threads; more than that memory does not serve
HEADER_MAX = 16 << 20  # bytes of JSON
FILE_BYTES_MAX = (1 << 40) - HEADER_MAX  #: bytes of all tensors together that an SL stores

_NUMPY_NAMES = {theirs: ours for ours, theirs in SAFETENSORS_NAMES.items()}
_NO_EXEC_SEAL = 8  # MFD_NOEXEC_SEAL, of Linux 6.3


def can_share() -> bool:
    """Whether this system has what it takes, and nobody has switched it off."""
    wanted = os.environ.get(MEMORY_VARIABLE, "").strip().lower() not in ("false", "0", "no", "off")
    return wanted and hasattr(os, "memfd_create") and hasattr(socket, "SCM_RIGHTS") and hasattr(fcntl, "F_ADD_SEALS")


class SharedMemory:
    """One session's memory. `socket_name` is what the SL says, `request_path` its request FIFO."""

    def __init__(self, request_path: str, socket_name: str, session_id: str):
        if os.path.basename(socket_name) != socket_name or socket_name in ("", ".", ".."):
            raise SwarmError(f"the SL names {socket_name!r} as a socket in the folder of its pipes; it is no file name")
        self._folder = os.path.dirname(request_path) or "."
        self._socket_name = socket_name
        self._session_id = session_id
        self._region = 0  # its number; the SL has got it
        self._slot_size = 0
        self._slots: List[memoryview] = []
        self._free_slot = 0  # the one without the last merge
        self.failure = ""  # why it is not used

    def put(self, params: Params) -> Optional[MemoryPlace]:
        """Writes a model where the SL finds it; None when it must go through the FIFO."""
        if self.failure:
            return None
        header, pieces = safetensors_layout(params)
        size = len(header) + sum(len(piece) for piece in pieces)
        try:
            if not self._slots or size > self._slot_size:
                self._make(size)
        except (OSError, MemoryError, ValueError) as error:
            self.failure = f"{type(error).__name__}: {error}"
            return None
        _copy(self._slots[self._free_slot], [header, *pieces])
        return MemoryPlace(self._region, self._free_slot, size)

    def take(self, place: MemoryPlace) -> Params:
        """The model that the SL has put there; views, which stay as they are until the merge after the next one."""
        known = place.region == self._region and 0 <= place.slot < len(self._slots)
        if not known or not 0 < place.size <= self._slot_size:
            raise SwarmError(
                f"the SL names memory that it was not sent: {place.size} bytes in slot {place.slot} of {place.region}"
            )
        params = read_safetensors(self._slots[place.slot][: place.size])
        self._free_slot = (place.slot + 1) % SLOTS
        return params

    def _make(self, size: int) -> None:
        slot_size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        with _low_descriptors_taken():
            fd = _make_memfd()
            try:
                os.ftruncate(fd, SLOTS * slot_size)
                # Who reads memory that was cut off is ended by a signal; so the SL cannot cut it off.
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
                mapped = memoryview(mmap.mmap(fd, SLOTS * slot_size))
                self._send(fd, self._region + 1)
            finally:
                os.close(fd)
        self._region += 1
        self._slot_size = slot_size
        self._slots = [mapped[slot * slot_size : (slot + 1) * slot_size] for slot in range(SLOTS)]
        self._free_slot = 0

    def _send(self, fd: int, region: int) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        folder = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)  # the SL does not have to read it now
                sender.connect(f"/proc/self/fd/{folder}/{self._socket_name}")  # a path may have 107 bytes only
                sender.sendmsg([f"{self._session_id} {region}".encode()], rights)
        finally:
            os.close(folder)


def read_safetensors(file: memoryview) -> Params:
    """The parameters of a file, as views of it. Nothing that it says is believed."""
    try:
        length = int.from_bytes(file[:8], "little")
        if not 8 + length <= len(file) or length > HEADER_MAX:
            raise ValueError(f"a header of {length} bytes")
        data = file[8 + length :]
        return {name: _array(entry, data) for name, entry in _entries(bytes(file[8 : 8 + length]))}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SwarmError(f"the SL sent a model that cannot be read: {error}") from None


def _entries(text: bytes) -> Iterator[Tuple[str, Any]]:
    for name, entry in json.loads(text).items():
        if name != "__metadata__":
            yield name, entry


def _array(entry: Any, data: memoryview) -> NDArray:
    dtype, (begin, end) = _NUMPY_NAMES[entry["dtype"]], entry["data_offsets"]
    shape = tuple(entry["shape"])
    size = ITEM_SIZE[dtype]
    for number in (begin, end, *shape):
        if type(number) is not int or number < 0:
            raise ValueError(f"{number!r} is no number of elements or bytes")
    for extent in shape:
        size *= extent
    if not begin <= end <= len(data) or end - begin != size or begin % ITEM_SIZE[dtype]:
        raise ValueError(f"bytes {begin} to {end} of {len(data)} for shape {list(shape)} of {dtype}")
    return NDArray(f"dtype('{dtype}')", shape, data[begin:end])


def _make_memfd() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("swarm-model", flags | _NO_EXEC_SEAL)
    except OSError:
        return os.memfd_create("swarm-model", flags)


@contextlib.contextmanager
def _low_descriptors_taken() -> Iterator[None]:
    """In a program without a console 0, 1 and 2 are free: what libraries print would get into the model."""
    taken = [os.open(os.devnull, os.O_RDWR)]
    while taken[-1] <= 2:
        taken.append(os.open(os.devnull, os.O_RDWR))
    try:
        yield
    finally:
        for fd in taken:
            os.close(fd)


def _copy(to: memoryview, pieces: List[Buffer]) -> None:
    """One piece after the other, on several threads where it is much."""
    target = np.frombuffer(to, np.uint8)
    jobs: List[Tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    at = 0
    for piece in pieces:
        source = np.frombuffer(piece, np.uint8) if len(piece) else np.empty(0, np.uint8)
        for begin in range(0, len(source), COPIED_AT_ONCE):
            part = source[begin : begin + COPIED_AT_ONCE]
            jobs.append((target[at + begin : at + begin + len(part)], part))
        at += len(source)
    copiers = min(COPIERS_MAX, os.cpu_count() or 1, at // COPIED_AT_ONCE)
    if copiers < 2:
        for job in jobs:
            np.copyto(*job)
        return
    with ThreadPoolExecutor(copiers) as pool:
        for _ in pool.map(lambda job: np.copyto(*job), jobs):
            pass
