"""The SL's two FIFOs as files: waiting for them, being their only owner, opening them without blocking.

The owner holds a lock (flock) on the response FIFO, so that a second program on this host, or a second callback of the
same one, is told at once who has the session. The lock goes with the owner, however that ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from typing import Callable, Optional, Tuple

from ..errors import SwarmError

PIPE_SIZE = 1 << 20  # bytes in flight; Linux gives 64 KiB unasked
POLL_FIRST_SECONDS = 0.001
POLL_MAX_SECONDS = 0.25
LOCK_PATIENCE_SECONDS = 2.0  # an owner that is just ending gets so long
TURN_SECONDS = 0.2  # for the SL to see that the owner before this one is gone
SAID_FIRST_SECONDS = 10.0  # what is waited for is said then,
SAID_AGAIN_SECONDS = 60.0  # and each time that this has passed
SL_GONE_SECONDS = 15.0  # an SL that has ended with this program's training is not waited for longer

Log = Callable[[str], None]


class Waiting:
    """One wait that ends when somebody else acts: pauses between two looks, and says for whom it is."""

    def __init__(
        self, log: Log, on_wait: Callable[[float], None] = lambda seconds: None, limit: Optional[float] = None
    ):
        self._log, self._on_wait, self._limit = log, on_wait, limit
        self._started = time.monotonic()
        self._say_at = SAID_FIRST_SECONDS
        self._pause = POLL_FIRST_SECONDS

    def pause(self, text: str) -> None:
        """Sleeps a little; `text` says what is waited for."""
        seconds = time.monotonic() - self._started
        if self._limit is not None and seconds >= self._limit:
            raise SwarmError(
                "this program's SL ended with the training before this one: start it again, then this program. To "
                "train again under the same contract start that over, by 'swarm-inspect reset CONTRACT' beside an SN"
            )
        if seconds >= self._say_at:
            self._log(f"{text} ({seconds:.0f} s so far)")
            self._say_at += SAID_AGAIN_SECONDS
        if seconds >= 1.0:
            self._on_wait(seconds)
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, POLL_MAX_SECONDS)


def open_fifos(
    request_path: str,
    response_path: str,
    log: Log,
    on_wait: Callable[[float], None] = lambda seconds: None,
    trained_before: bool = False,
) -> Tuple[int, int]:
    """File descriptors for writing requests and reading responses, once the SL has its ends open too. Waits for the
    SL as long as that takes; not so if this program has `trained_before` beside it, as an SL ends with its training.
    Raises SwarmError when another program, or another callback, owns the FIFOs."""
    waiting = Waiting(log, on_wait, SL_GONE_SECONDS if trained_before else None)
    while True:
        for path in (request_path, response_path):
            _await_fifo(path, waiting, log)
        try:
            response_fd = _open(response_path, os.O_RDONLY)
        except OSError as error:
            raise _cannot_open(response_path, error) from None
        request_fd = None
        try:
            if _is_same_file(request_path, response_fd):
                raise SwarmError(f"{request_path}: is named as both the request and the response FIFO of the SL")
            if _lock(response_fd, response_path):
                time.sleep(TURN_SECONDS)
            request_fd = _open_request(request_path, response_path, response_fd, waiting)
        finally:
            if request_fd is None:
                os.close(response_fd)
        if request_fd is None:
            continue  # the SL has made other FIFOs
        for fd in (request_fd, response_fd):
            os.set_blocking(fd, True)
            _grow_pipe(fd)
        return request_fd, response_fd


def _await_fifo(path: str, waiting: Waiting, log: Log) -> None:
    if not os.path.exists(path):
        log(f"{path}: waiting for pipes to be created by the Swarm Learning node (SL)")
    while not os.path.exists(path):
        waiting.pause(f"{path}: still waiting for pipes to be created by the SL; is it running, and with this path?")
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        raise SwarmError(f"{path}: cannot create pipe; something else than a FIFO is there")


def _lock(fd: int, path: str) -> bool:
    """Makes this program the owner; true when another one has just ended. The lock belongs to the open file, so no two
    callbacks have it either."""
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    had_to_wait = False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return had_to_wait
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                return False  # a system without locks on FIFOs: nobody can be told apart there
        if time.monotonic() >= deadline:
            raise SwarmError(_owned_text(path, owner_of(fd)))
        had_to_wait = True
        time.sleep(0.05)


def _owned_text(path: str, owner: Optional[int]) -> str:
    if owner == os.getpid():
        return "this program has a session with its SL already: end it first with close(), or start a new program"
    who = "another program" if owner is None else f"another program, process {owner},"
    rank = os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or ""
    if rank not in ("", "0"):
        hint = f"this is rank {rank}: of the processes of one launcher only rank 0 makes a SwarmCallback"
    else:
        hint = "one program at a time trains beside an SL; end that one, or start another SL for this one"
    return f"{path}: {who} has the session with this SL; {hint}"


def owner_of(fd: int) -> Optional[int]:
    """The process that holds the lock on this open FIFO, as far as the system tells."""
    try:
        with open("/proc/locks") as file:
            locks = file.read()
        info = os.fstat(fd)
    except OSError:
        return None
    place = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    found = re.search(rf"FLOCK +\S+ +WRITE +(\d+) {place} ", locks)
    return int(found[1]) if found and int(found[1]) > 0 else None


def _open_request(path: str, response_path: str, response_fd: int, waiting: Waiting) -> Optional[int]:
    """None when the response FIFO is not the one that `response_fd` has opened any more."""
    while True:
        try:
            return _open(path, os.O_WRONLY)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            if error.errno != errno.ENXIO:  # ENXIO: nobody reads
                raise _cannot_open(path, error) from None
        if not _is_same_file(response_path, response_fd):
            return None
        waiting.pause(
            f"{path}: waiting for the SL, which does not have its end of the pipes open: is it running? And "
            "are request and response FIFO named the right way round? An SL ends with its training; start it again to "
            "train again"
        )


def _open(path: str, mode: int) -> int:
    """Never as descriptor 0, 1 or 2, which are free in a program without a console: what libraries print would get
    into the pipe."""
    fd = os.open(path, mode | os.O_NONBLOCK | os.O_CLOEXEC)
    if fd > 2:
        return fd
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


def _is_same_file(path: str, fd: int) -> bool:
    try:
        there, here = os.stat(path), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _cannot_open(path: str, error: OSError) -> SwarmError:
    return SwarmError(f"{path}: cannot open pipe: {error.strerror}; it must be readable and writable for this user")


def _grow_pipe(fd: int) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux with Python 3.10 or newer
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # over the user's pipe quota: slower, not wrong
