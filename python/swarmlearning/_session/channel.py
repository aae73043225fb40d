"""One session's connection to the Swarm Learning node: frames in two FIFOs.

A frame is a header of 22 bytes and a body. The SL makes both FIFOs; `fifo` opens the response FIFO for reading first
and then the request FIFO for writing, in the mirrored order of the SL. End of file is how either side learns that the
other is gone, so a program that dies needs no farewell.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import time
import weakref
from typing import Any, Callable, Iterator, List, Set, Tuple

import numpy as np

from .._display.notebook import in_notebook
from ..errors import PipeClosed, SwarmError
from . import fifo
from .messages import API_VERSION, ApiVersion, Header, MsgType, Status
from .wire import Buffer, WireError, decode, encode, size_of

HEADER_SIZE = 22
BODY_SIZE_MAX = 0x7FFFFFFF  # protobuf's own limit
WRITEV_MAX = 512  # pieces in one call; the system's limit is 1024
FAREWELL_SECONDS = 2.0  # for the SL to see the end of a session, while it still writes
QUIET_SECONDS = 0.2  # without a byte of it: it has seen the end, and perhaps waits for the next program already

ENDED = "the session with the SL has ended; make a new SwarmCallback for another training"
TAKEN_OVER = "a newer SwarmCallback of this program has the session with the SL"

Log = Callable[[str], None]
OnWait = Callable[[float], None]  # seconds waited


class Channel:
    """One session's connection. Blocking; there is no time limit, since the SL may wait for peers for hours. Cannot
    be copied: a FIFO pair has one owner."""

    def __init__(self, request_path: str, response_path: str, log: Log, on_wait: OnWait = lambda seconds: None):
        """Waits until the SL has made both FIFOs and opened them too. `on_wait` is called about once a second while
        it does not come, or while it owes a reply, with the seconds since the last message to it."""
        self.paths = (request_path, response_path)
        self.ended = ""  # why it is not open any more
        self.waits_for = ""  # by what the SL says since the last message to it
        self._sent_at = time.monotonic()
        self._on_wait = on_wait
        self._busy = False  # a message is under way
        self._response_fd = self._request_fd = -1
        self._error_before = _last_error()  # not itself: it would keep a failed run's frames alive
        self.bytes_sent = 0
        self.bytes_received = 0
        _end_dead_session(self.paths, log)
        self._request_fd, self._response_fd = fifo.open_fifos(
            request_path, response_path, log, on_wait, self.paths in _trained
        )
        _trained.discard(self.paths)
        _open_channels.add(self)

    @property
    def is_open(self) -> bool:
        return self._request_fd >= 0

    @property
    def is_abandoned(self) -> bool:
        """Its owner failed since it was opened, or works in a notebook, where a cell that is run again makes a new
        callback and leaves the old one behind."""
        return not self._busy and (in_notebook() or _last_error() != self._error_before)

    def send(self, msg_type: MsgType, message: Any) -> None:
        """Writes one message; large arrays go out of the model's own memory."""
        if not self.is_open:
            raise SwarmError(self.ended or ENDED)
        body = encode(message)
        size = size_of(body)
        if not 0 < size <= BODY_SIZE_MAX:
            raise SwarmError(f"{msg_type.name} has {size} bytes; the channel takes 1 to {BODY_SIZE_MAX} (2 GiB - 1)")
        header = Header(ApiVersion(API_VERSION, API_VERSION), int(msg_type), size)
        self._busy = True
        try:
            with _broken_pipe_as_error():
                self._write(encode(header) + body)
        except BrokenPipeError:
            raise PipeClosed(f"cannot send {msg_type.name}: the SL closed the pipe; its log says why") from None
        finally:
            self._busy = False
        self.bytes_sent += HEADER_SIZE + size
        self.waits_for, self._sent_at = "", time.monotonic()

    def receive(self) -> Tuple[MsgType, memoryview]:
        """The next message's type and body. Notices of what the SL waits for are taken here."""
        self._busy = True
        try:
            while True:
                msg_type, body = self._receive_any()
                if msg_type != MsgType.Status or not self._take_notice(body):
                    return msg_type, body
        finally:
            self._busy = False

    def _receive_any(self) -> Tuple[MsgType, memoryview]:
        while not _readable(self._response_fd, 1.0):
            self._on_wait(time.monotonic() - self._sent_at)
        header = _decode_header(self._read(HEADER_SIZE))
        body = self._read(header.msgSize)
        self.bytes_received += HEADER_SIZE + header.msgSize
        return MsgType(header.msgType), body

    def _take_notice(self, body: memoryview) -> bool:
        try:
            status = decode(Status, body)
        except WireError:
            return False  # whoever wants an answer says what is wrong with it
        if status.notice:
            self.waits_for = status.msg
        return status.notice

    def close(self, why: str = ENDED) -> None:
        """Closes both pipes, which ends the session for the SL; waits a moment until the SL has seen that, so that
        nothing of this session is left in the pipes for the next one. May be called twice."""
        if not self.is_open:
            return
        self.ended = why
        request_fd, response_fd = self._forget()
        os.close(request_fd)
        try:
            _await_end(response_fd)
        finally:
            os.close(response_fd)

    def finish(self) -> None:
        """The training is over, and with it the SL."""
        _trained.add(self.paths)
        self.close()

    def drop(self, why: str) -> None:
        """Closes this process's copies of the descriptors only: the session is another process's."""
        self.ended = why
        for fd in self._forget():
            if fd >= 0:
                os.close(fd)

    def __del__(self) -> None:
        if not sys.is_finalizing():  # then the system closes them
            self.close()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a session with an SL cannot be copied or pickled")

    def _forget(self) -> Tuple[int, int]:
        fds = (self._request_fd, self._response_fd)
        self._request_fd = self._response_fd = -1
        return fds

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
                raise PipeClosed(f"wanted: {size} bytes, got {got} bytes: pipe closed? The SL's log says why it ended.")
            got += more
        return buffer


_open_channels: weakref.WeakSet[Channel] = weakref.WeakSet()
_trained: Set[Tuple[str, str]] = set()  #: paths of FIFOs on which this program has trained to the end


def _end_dead_session(paths: Tuple[str, str], log: Log) -> None:
    """A callback of this program that was dropped, or abandoned after an error, does not keep the next one out."""
    if not _open_on(paths):
        return
    gc.collect()  # a model that refers to its callback makes a cycle
    for channel in _open_on(paths):
        if not channel.is_abandoned:
            raise SwarmError(
                "this program has a session with its SL already: end it first with close(), or start a new program"
            )
        log("ending the session of this program's SwarmCallback before this one")
        channel.close(TAKEN_OVER)


def _open_on(paths: Tuple[str, str]) -> List[Channel]:
    return [channel for channel in list(_open_channels) if channel.is_open and channel.paths == paths]


def _last_error() -> int:
    """Names the error that an interactive interpreter, or a notebook, has shown last."""
    return id(getattr(sys, "last_value", None))


def _drop_inherited() -> None:
    """A forked data-loading worker must neither use our end of the pipes nor keep it open when this program dies."""
    for channel in list(_open_channels):
        channel.drop(f"this process was forked from process {os.getppid()}, which has the session with the SL")


os.register_at_fork(after_in_child=_drop_inherited)


def _readable(fd: int, seconds: float) -> bool:
    poll = select.poll()  # unlike select(), for descriptors beyond 1023 too
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _await_end(response_fd: int) -> None:
    """Reads until the SL has closed its end."""
    os.set_blocking(response_fd, False)  # the SL may open its end anew, for the next session, between look and read
    deadline = time.monotonic() + FAREWELL_SECONDS
    try:
        while time.monotonic() < deadline and _readable(response_fd, QUIET_SECONDS) and os.read(response_fd, 1 << 16):
            pass
    except BlockingIOError:
        pass  # it has


@contextlib.contextmanager
def _broken_pipe_as_error() -> Iterator[None]:
    """A program that has set SIGPIPE to its default, as tools for pipes do, is not ended by it without a word."""
    if signal.getsignal(signal.SIGPIPE) != signal.SIG_DFL:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        yield
    finally:
        while signal.SIGPIPE not in before and signal.SIGPIPE in signal.sigpending():
            signal.sigwait({signal.SIGPIPE})
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
