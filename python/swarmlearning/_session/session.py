"""One training session with the Swarm Learning node: open, sync any number of times, then close or kill.

Strictly request and response. While a sync or close is under way the SL may ask for the loss of a merged model; that
question is also the only way in which a merged model reaches this program.
"""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple, Type, TypeVar

from ..errors import PipeClosed, SwarmError
from .arrays import Params
from .channel import BODY_SIZE_MAX, Channel
from .memory import SharedMemory, can_share
from .messages import (
    KillSessionRequest,
    LossRequest,
    LossResponse,
    MsgType,
    SessionRequest,
    SessionResponse,
    Status,
    StatusCode,
    SyncRequest,
    SyncResponse,
    Weights,
)
from .narrowing import Narrowing
from .undo import Undo
from .wire import WireError, decode

Message = TypeVar("Message")

#: Takes a merged model; returns loss, metric, epochs done and epochs in all.
MergedHandler = Callable[[Params], Tuple[float, float, int, int]]
#: Takes what the SL says about this node's part in the rounds.
NoticeHandler = Callable[[str], None]

NO_NOTICE = ("", "StatusOK")
#: Bytes of all tensors together that a message in the FIFOs can hold; 1 MiB is left for names and shapes.
MESSAGE_BYTES_MAX = BODY_SIZE_MAX - (1 << 20)


class Session:
    """Raises SwarmError when the SL reports an error or breaks the protocol; the session is unusable then."""

    def __init__(
        self,
        channel: Channel,
        request: SessionRequest,
        notice: NoticeHandler = lambda text: None,
        narrowing: Optional[Narrowing] = None,
        undo: Optional[Undo] = None,
    ):
        self._channel = channel
        self._narrowing = narrowing or Narrowing()
        self._undo = undo
        self._notice = notice
        self._sync_count = 0
        request.takesNotices = True  # `channel` takes them
        request.sharesMemory = can_share()
        request.takesBack = undo is not None
        try:
            channel.send(MsgType.OpenSessionRequest, request)
            msg_type, body = channel.receive()
        except PipeClosed as error:
            raise PipeClosed(f"{error} An SL ends with its training: start it again to train again.") from None
        response = _expect(msg_type, body, {MsgType.OpenSessionResponse}, SessionResponse, "open-session")
        _check_ok(response.status)
        self.session_id = response.sessionID
        #: The SL's name among the peers, for a program that follows rounds; empty where the SL does not say it.
        self.node = response.node
        self._memory: Optional[SharedMemory] = None
        if request.sharesMemory and response.memorySocket:
            self._memory = SharedMemory(channel.paths[0], response.memorySocket, response.sessionID)
        #: The round from whose merge this program goes on, as it asked; 0: none is merged yet; None: the SL cannot.
        self.resumes_from: Optional[int] = response.resumeRound if response.resumes else None

    def sync(self, params: Params, weightage: int, merged: MergedHandler) -> SyncResponse:
        """Gives `params` to the next merge and waits for its result."""
        self._sync_count += 1
        return self._exchange(MsgType.SyncRequest, self._sync_count, params, weightage, merged)

    def close(self, params: Params, weightage: int, merged: MergedHandler) -> SyncResponse:
        """Says that local training has ended and waits until the swarm's has. Counts apart from the syncs."""
        response = self._exchange(MsgType.CloseSessionRequest, 1, params, weightage, merged)
        self._channel.finish()
        return response

    def kill(self, reason: str) -> None:
        """Leaves without waiting for anybody; there is no reply."""
        request = KillSessionRequest(self.session_id, Status(StatusCode.OK, reason))
        self._channel.send(MsgType.KillSessionRequest, request)
        self._channel.finish()

    def _exchange(
        self, msg_type: MsgType, number: int, params: Params, weightage: int, merged: MergedHandler
    ) -> SyncResponse:
        self._channel.send(msg_type, self._request(number, self._narrowing.narrow(params), weightage))
        while True:
            reply_type, body = self._channel.receive()
            if reply_type == MsgType.GetLossRequest:
                self._answer_loss(number, body, merged)
                continue
            final = {MsgType.SyncResponse, MsgType.CloseSessionResponse}
            response = _expect(reply_type, body, final, SyncResponse, f"Sync-{number}")
            if response.syncSeqNum != number:
                raise SwarmError(f"[Sync-{number}]: bad sync seq num: wanted {number}, got {response.syncSeqNum}")
            _check_ok(response.status)
            if response.status.msg not in NO_NOTICE:
                self._notice(response.status.msg)
            return response

    def _request(self, number: int, params: Params, weightage: int) -> SyncRequest:
        request = SyncRequest(self.session_id, number, weightage, 1)
        place = self._memory.put(params) if self._memory else None
        if place is None:
            self.check_size(sum(len(array.data) for array in params.values()))
            request.inputParams = Weights(params)
        else:
            request.inputMemory = place
            self._channel.bytes_sent += place.size
        return request

    def check_size(self, size: int) -> None:
        """Raises when tensors of `size` bytes can go to the SL in no way that this session has."""
        if size <= MESSAGE_BYTES_MAX or (self._memory and not self._memory.failure):
            return
        why = f"it failed: {self._memory.failure}" if self._memory else "the SL does not have it"
        raise SwarmError(
            f"the model has {size >> 20} MiB to be shared, the FIFOs carry {MESSAGE_BYTES_MAX >> 20} MiB at most, and "
            f"shared memory, which carries more, cannot be used: {why}. Start the SL with --shared-memory=true, "
            "see that both are on one host and see the same folder of pipes, or share less with sharedParameters"
        )

    def _merged(self, request: LossRequest) -> Params:
        place = request.mergedMemory
        if place.region == 0:
            return request.mergedParams.weights
        if self._memory is None:
            raise SwarmError("the SL names shared memory, which this session does not have")
        self._channel.bytes_received += place.size
        return self._memory.take(place)

    def _answer_loss(self, number: int, body: memoryview, merged: MergedHandler) -> None:
        request = _decode(LossRequest, body, f"Sync-{number}.get-loss")
        if request.sessionID != self.session_id:
            raise SwarmError(f"[Sync-{number}].get-loss: bad session ID: {request.sessionID!r}")
        if request.syncSeqNum != number:
            raise SwarmError(f"[Sync-{number}].get-loss: bad sync seq num: wanted {number}, got {request.syncSeqNum}")
        response = LossResponse(self.session_id, number, request.lossSeqNum)
        try:
            params = self._narrowing.widen(self._merged(request))
            if self._undo and request.goesBack:
                self._undo.go_back()
            if self._undo and request.ahead:
                self._undo.keep()
            response.loss, response.metrics, response.epochsdone, response.totalepochs = merged(params)
            response.status = Status(StatusCode.OK, "StatusOK")
        except Exception as error:
            response.loss = -1.0
            response.status = Status(StatusCode.ErrorInUser, f"Loss computation failed. {error}"[:4096])
            self._channel.send(MsgType.GetLossResponse, response)
            raise
        self._channel.send(MsgType.GetLossResponse, response)


def _decode(cls: Type[Message], body: memoryview, where: str) -> Message:
    try:
        return decode(cls, body)
    except WireError as error:
        raise SwarmError(f"{where}: bad response: {error}") from None


def _expect(msg_type: MsgType, body: memoryview, wanted: Any, cls: Type[Message], where: str) -> Message:
    """The body as a `cls`; an error status in its place is raised with its text."""
    if msg_type in wanted:
        return _decode(cls, body, where)
    got = msg_type.name
    if msg_type == MsgType.Status:
        status = _decode(Status, body, where)
        _check_ok(status)
        got = f"Status {status.msg!r}"
    raise SwarmError(f"{where}: bad response: wanted {cls.__name__}, got {got}")


def _check_ok(status: Status) -> None:
    if status.code != StatusCode.OK:
        raise SwarmError(f"SL error: {status.msg}")
