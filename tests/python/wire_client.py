"""A training program's side of the ML channel, with every check that the original client makes.

Independent of the `swarmlearning` package. Used as

    client = WireClient(request_path, response_path)
    client.open(syncInterval=4, minPeers=1)
    reply = client.sync({"w": numpy_array}, loss=lambda merged: (0.5, 0.9))
    reply = client.close({"w": numpy_array})

Every method raises WireError with a text that says which rule the SL broke.
"""

import os
import time

import numpy as np
from wire_end import Array, WireEnd, WireError, decode_weights, encode_weights
from wire_schema import CLOSE, CLOSED, GET_LOSS, KILL, LOSS, MESSAGES, OPEN, OPENED, STATUS, SYNC, SYNCED

__all__ = ["Array", "SLError", "WireClient", "WireError"]


class SLError(WireError):
    """The SL answered with an error status, whose text this is."""


def as_original_client_loads(value):
    """What the original's `torch.Tensor(array)` makes of a merged array: a 0-d integer is taken as a size."""
    if value.shape == () and value.dtype.kind in "iu":
        raise WireError("0-d integer: the original client takes it as a size and the training fails")
    return value


class WireClient(WireEnd):
    """One session. Merged models are kept in `merged`, the newest last."""

    def __init__(self, request_path, response_path, wait_seconds=60.0):
        deadline = time.monotonic() + wait_seconds
        for path in (request_path, response_path):
            while not os.path.exists(path):
                if time.monotonic() > deadline:
                    raise WireError(f"{path}: the SL made no FIFO")
                time.sleep(0.05)
        reader = open(response_path, "rb", buffering=0)
        super().__init__(reader, open(request_path, "wb", buffering=0))
        self.session_id, self.opened = "", None
        self.sync_count = 0
        self.loss_requests = 0
        self.given_ahead = []  # of each merge: whether it may be taken back
        self.went_back = []  # whether what was kept was to be put back before it
        self.merged = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.disconnect()

    def open(self, **fields):
        """SessionRequest with the original's defaults, changed by `fields`; returns the session's ID."""
        values = dict(
            syncInterval=4,
            minPeers=1,
            maxPeers=0,
            useAdaptiveSync=False,
            checkinModelOnTrainEnd="snapshot",
            nodeWeightage=1,
            trainingContract="defaultbb.cqdb.sml.hpe",
            mergeMethod="mean",
        )
        values.update(fields)
        self.send(OPEN, MESSAGES["SessionRequest"](**values))
        msg_type, reply = self.receive()
        while values.get("takesNotices") and msg_type == STATUS and reply.notice:
            msg_type, reply = self.receive()  # the SL is not a member yet
        self._check_status(msg_type, reply)
        if msg_type != OPENED:
            raise WireError(f"open-session: bad response: wanted SessionResponse, got type {msg_type}")
        if reply.status.code != 0:
            raise SLError(reply.status.msg)
        if not reply.sessionID:
            raise WireError("open-session: empty session ID")
        if reply.memorySocket:
            raise WireError("the original client does not share memory, and must not be told of it")
        self.session_id, self.opened = reply.sessionID, reply
        return reply.sessionID

    def sync(self, params, loss=None, weightage=1, **answer):
        """One sync; `loss(merged)` returns loss and metric, or raises to answer ErrorInUser. Returns the response."""
        self.sync_count += 1
        return self._exchange(SYNC, SYNCED, self.sync_count, params, loss, weightage, answer)

    def close(self, params, loss=None, weightage=1, **answer):
        return self._exchange(CLOSE, CLOSED, 1, params, loss, weightage, answer)

    def kill(self, reason="done"):
        message = MESSAGES["KillSessionRequest"](sessionID=self.session_id)
        message.reason.msg = reason
        self.send(KILL, message)

    def _exchange(self, msg_type, wanted, number, params, loss, weightage, answer):
        request = MESSAGES["SyncRequest"](
            sessionID=self.session_id, syncSeqNum=number, nodeWeightage=weightage, numberOfNodes=1
        )
        encode_weights(params, request.inputParams)
        self.send(msg_type, request)
        while True:
            reply_type, reply = self.receive()
            self._check_status(reply_type, reply)
            if reply_type == GET_LOSS:
                self._answer_loss(number, params, reply, loss, answer)
                continue
            if reply_type != wanted:  # stricter than the original, which does not tell the two apart
                raise WireError(f"[Sync-{number}]: bad response: wanted type {wanted}, got type {reply_type}")
            if reply.syncSeqNum != number:
                raise WireError(f"[Sync-{number}]: bad sync seq num {reply.syncSeqNum}")
            if reply.status.code != 0:
                raise SLError(reply.status.msg)
            if msg_type == SYNC and not reply.trainingOver and reply.nextSyncInterval < 1:
                raise WireError("nextSyncInterval below 1: the client would never sync again")
            return reply

    def _answer_loss(self, number, params, request, loss, answer):
        self.loss_requests += 1
        if request.sessionID != self.session_id:
            raise WireError(f"[Sync-{number}].get-loss: bad session ID {request.sessionID!r}")
        if request.syncSeqNum != number:
            raise WireError(f"[Sync-{number}].get-loss: bad sync seq num {request.syncSeqNum}")
        if request.HasField("mergedMemory"):
            raise WireError(f"[Sync-{number}].get-loss: the model is in memory that was not shared")
        merged = decode_weights(request.mergedParams)
        for name, value in params.items():
            if name not in merged:
                raise WireError(f"merged model lacks {name}")
            if tuple(merged[name].shape) != tuple(value.shape):
                raise WireError(f"{name}: shape {merged[name].shape} came back for {value.shape}")
            if isinstance(merged[name], np.ndarray):
                as_original_client_loads(merged[name])
        self.merged.append(merged)
        self.given_ahead.append(request.ahead)
        self.went_back.append(request.goesBack)
        reply = MESSAGES["LossResponse"](
            sessionID=self.session_id, syncSeqNum=number, lossSeqNum=request.lossSeqNum, **answer
        )
        reply.status.msg = "StatusOK"
        try:
            reply.loss, reply.metrics = loss(merged) if loss else (0.0, 0.0)
        except Exception as error:
            reply.status.code, reply.status.msg, reply.loss = 2, f"Loss computation failed. {error}", -1.0
            self.send(LOSS, reply)
            raise
        self.send(LOSS, reply)

    @staticmethod
    def _check_status(msg_type, reply):
        if msg_type != STATUS:
            return
        if reply.code == 0:
            raise WireError("a Status with code OK is no answer")
        raise SLError(reply.msg)
