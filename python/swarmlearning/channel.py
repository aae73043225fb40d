"""Two FIFOs to the Swarm Learning node, and the frames that travel in them.

A frame is a header of 22 bytes and a body. The SL makes both FIFOs; we wait for them, open the response FIFO for
reading first and then the request FIFO for writing, in the mirrored order of the SL. End of file is how either side
learns that the other is gone, so a program that dies needs no farewell.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import time
import weakref
from typing import Any, Callable, List, Tuple

import numpy as np

from .errors import SwarmError
from .messages import API_VERSION, ApiVersion, Header, MsgType
from .wire import Buffer, WireError, decode, encode, size_of

HEADER_SIZE = 22
BODY_SIZE_MAX = 0x7FFFFFFF  # protobuf's own limit
PIPE_SIZE = 1 << 20  # bytes in flight; Linux gives 64 KiB unasked
FIFO_POLL_SECONDS = 0.25
WRITEV_MAX = 512  # pieces in one call; the system's limit is 1024

Log = Callable[[str], None]
OnWait = Callable[[float], None]  # seconds waited


class Channel:
    """One session's connection. Blocking; there is no time limit, since the SL may wait for peers for hours."""

    def __init__(self, request_path: str, response_path: str, log: Log, on_wait: OnWait = lambda seconds: None):
        """Waits until the SL has made both FIFOs and opened them too. `on_wait` is called about once a second while
        a reply has not begun."""
        self.paths = (request_path, response_path)
        self._on_wait = on_wait
        self._response_fd = self._request_fd = -1
        if any(other.is_open and other.paths == self.paths for other in _open_channels):
            raise SwarmError("this program has a session with its SL already: end it first, or start a new program")
        for path in self.paths:
            _await_fifo(path, log)
        self.bytes_sent = 0
        self.bytes_received = 0
        _open_channels.add(self)
        self._response_fd = os.open(response_path, os.O_RDONLY)
        self._request_fd = os.open(request_path, os.O_WRONLY)
        for fd in (self._response_fd, self._request_fd):
            _grow_pipe(fd)

    @property
    def is_open(self) -> bool:
        return self._request_fd >= 0

    def send(self, msg_type: MsgType, message: Any) -> None:
        """Writes one message; large arrays go out of the model's own memory."""
        if not self.is_open:
            raise SwarmError("the session with the SL has ended; each program takes part in one training, once")
        body = encode(message)
        size = size_of(body)
        if not 0 < size <= BODY_SIZE_MAX:
            raise SwarmError(f"{msg_type.name} has {size} bytes; the channel takes 1 to {BODY_SIZE_MAX} (2 GiB - 1)")
        header = Header(ApiVersion(API_VERSION, API_VERSION), int(msg_type), size)
        try:
            self._write(encode(header) + body)
        except BrokenPipeError:
            raise SwarmError(f"cannot send {msg_type.name}: the SL closed the pipe; its log says why") from None
        self.bytes_sent += HEADER_SIZE + size

    def receive(self) -> Tuple[MsgType, memoryview]:
        """The next message's type and body."""
        started = time.monotonic()
        while not select.select([self._response_fd], [], [], 1.0)[0]:
            self._on_wait(time.monotonic() - started)
        header = _decode_header(self._read(HEADER_SIZE))
        body = self._read(header.msgSize)
        self.bytes_received += HEADER_SIZE + header.msgSize
        return MsgType(header.msgType), body

    def close(self) -> None:
        """Closes both pipes, which ends the session for the SL. May be called twice."""
        for fd in (self._request_fd, self._response_fd):
            if fd >= 0:
                os.close(fd)
        self._request_fd = self._response_fd = -1

    def __del__(self) -> None:
        self.close()

    def _write(self, pieces: List[Buffer]) -> None:
        pending = [memoryview(piece) for piece in pieces if len(piece)]
        at = 0
        while at < len(pending):
            written = os.writev(self._request_fd, pending[at : at + WRITEV_MAX])
            while at < len(pending) and written >= len(pending[at]):
                written -= len(pending[at])
                at += 1
            if written:
                pending[at] = pending[at][written:]

    def _read(self, size: int) -> memoryview:
        # np.empty, unlike bytearray, does not touch the memory before the bytes come
        buffer = memoryview(np.empty(size, np.uint8))
        got = 0
        while got < size:
            more = os.readv(self._response_fd, [buffer[got:]])
            if more == 0:
                raise SwarmError(f"wanted: {size} bytes, got {got} bytes: pipe closed? The SL's log says why it ended.")
            got += more
        return buffer


_open_channels: weakref.WeakSet[Channel] = weakref.WeakSet()


def _close_inherited() -> None:
    # A forked data-loading worker must not keep our end of the pipes open when this program dies.
    for channel in list(_open_channels):
        channel.close()


os.register_at_fork(after_in_child=_close_inherited)


def _decode_header(raw: memoryview) -> Header:
    try:
        header = decode(Header, raw)
    except WireError as error:
        raise SwarmError(f"the SL sent something else than a message header: {error}") from None
    version = header.apiVersion.apiVersion
    if version != API_VERSION:
        raise SwarmError(
            "Mismatch in the Swarm API version between ML and SL containers. Expected version "
            f"{API_VERSION}, but the version received from the header is {version}"
        )
    if header.msgType not in MsgType.__members__.values():
        raise SwarmError(f"unsupported message type: {header.msgType}")
    if header.msgSize > BODY_SIZE_MAX:
        raise SwarmError(f"message of {header.msgSize} bytes is over the limit of {BODY_SIZE_MAX}")
    return header


def _await_fifo(path: str, log: Log) -> None:
    if not os.path.exists(path):
        log(f"{path}: waiting for pipes to be created by the Swarm Learning node (SL)")
    while not os.path.exists(path):
        time.sleep(FIFO_POLL_SECONDS)
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        raise SwarmError(f"{path}: cannot create pipe; something else than a FIFO is there")


def _grow_pipe(fd: int) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux with Python 3.10 or newer
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # over the user's pipe quota: slower, not wrong
