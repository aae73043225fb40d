"""A swarm of SLs in one object: speaks the channel's protocol over real FIFOs and merges for real.

One thread per SL. A round closes when every program still in training, or ended with a model to give, is in it.
"""

import os
import threading

import numpy as np
from wire_schema import (
    BODY_OF_TYPE,
    CLOSE,
    CLOSED,
    GET_LOSS,
    HEADER_SIZE,
    KILL,
    LOSS,
    MESSAGES,
    OPEN,
    OPENED,
    STATUS,
    SYNC,
    SYNCED,
    frame,
    parse_header,
)


def bfloat16_to_float(raw):
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


def float_to_bfloat16(values):
    return ((values.view(np.uint32) + 0x8000) >> 16).astype("<u2").tobytes()


def merge(contributions):
    """Weighted mean of [(weights message, weight)]; 0-d integers become float64, other dtypes stay."""
    merged = MESSAGES["Weights"]()
    total = sum(weight for _, weight in contributions)
    for name, first in contributions[0][0].weights.items():
        mean = 0.0
        bfloat16 = first.dtype == "dtype('bfloat16')"
        for weights, weight in contributions:
            entry = weights.weights[name]
            raw = bfloat16_to_float(entry.data) if bfloat16 else np.frombuffer(entry.data, eval("np." + entry.dtype))
            mean = mean + raw.astype(np.float64) * (weight / total)
        out = merged.weights[name]
        out.shape.extend(first.shape)
        out.dtype = first.dtype
        if bfloat16:
            out.data = float_to_bfloat16(mean.astype(np.float32))
            continue
        dtype = eval("np." + first.dtype)
        if not first.shape and dtype.kind in "iu":
            dtype = np.dtype("float64")
            out.dtype = "dtype('float64')"
        elif dtype.kind in "iu":
            mean = np.rint(mean)
        out.data = mean.astype(dtype).tobytes()
    return merged


class FakeSwarm:
    """`count` SLs whose FIFOs are in `folder`; `script(sl, request)` may answer a request in place of the rules."""

    def __init__(self, folder, count=1, interval=None, script=None, over_after=None):
        self.interval = interval
        self.script = script
        self.over_after = over_after  # sync number from which trainingOver is said
        self.lock = threading.Condition()
        self.waiting = {}  # index -> (weights, weight) of those in the present round
        self.snapshots = {}  # index -> (weights, weight) of those who closed
        self.merged = None
        self.round_num = 0
        self.gone = set()
        self.sls = [FakeSL(self, index, str(folder)) for index in range(count)]

    def start(self):
        for sl in self.sls:
            sl.thread.start()
        return self

    def join(self):
        for sl in self.sls:
            sl.thread.join(30)
            assert not sl.thread.is_alive(), f"SL {sl.index} is stuck"
            if sl.error:
                raise sl.error

    def _close_round_if_complete(self):
        training = set(range(len(self.sls))) - set(self.snapshots) - self.gone
        if training <= set(self.waiting):
            given = {**self.snapshots, **self.waiting}
            contributions = [given[index] for index in sorted(given) if given[index][1] > 0]
            if contributions:
                self.merged = merge(contributions)
            self.waiting = {}
            self.round_num += 1
            self.lock.notify_all()

    def leave(self, index):
        with self.lock:
            self.gone.add(index)
            self.waiting.pop(index, None)
            self._close_round_if_complete()

    def take_part(self, index, weights, weight):
        """Gives to the present round and waits for its merge."""
        with self.lock:
            self.waiting[index] = (weights, weight)
            mine = self.round_num
            self._close_round_if_complete()
            while self.round_num == mine:
                assert self.lock.wait(30), "nobody closes the round"
            return self.merged

    def end(self, index, weights, weight):
        """A closed program's last model stays in every round; waits until all have closed."""
        with self.lock:
            self.snapshots[index] = (weights, weight)
            self._close_round_if_complete()
            while len(self.snapshots) + len(self.gone) < len(self.sls):
                assert self.lock.wait(30), "nobody else closes"
            self.lock.notify_all()
            return self.merged


class FakeSL:
    """One SL. `requests` has every message received, as (type, message)."""

    def __init__(self, swarm, index, folder):
        self.swarm, self.index = swarm, index
        self.request_path = os.path.join(folder, f"request.{index}")
        self.response_path = os.path.join(folder, f"response.{index}")
        for path in (self.request_path, self.response_path):
            os.mkfifo(path)
        self.requests, self.error = [], None
        self.thread = threading.Thread(target=self._run, daemon=True)

    @property
    def environment(self):
        return {"SL_REQUEST_CHANNEL": self.request_path, "SL_RESPONSE_CHANNEL": self.response_path}

    def send(self, msg_type, message):
        self.send_raw(frame(msg_type, message))

    def send_raw(self, raw):
        self.response.write(raw)
        self.response.flush()

    def send_status(self, code, text):
        self.send(STATUS, MESSAGES["Status"](code=code, msg=text))

    def receive(self):
        raw = self.request.read(HEADER_SIZE)
        if not raw:
            raise EOFError
        version, msg_type, size = parse_header(raw)
        assert version == 2
        message = MESSAGES[BODY_OF_TYPE[msg_type]]()
        message.ParseFromString(self.request.read(size))
        self.requests.append((msg_type, message))
        return msg_type, message

    def _run(self):
        try:
            with open(self.response_path, "wb") as self.response, open(self.request_path, "rb") as self.request:
                while self._step(*self.receive()):
                    pass
        except (EOFError, BrokenPipeError):
            pass
        except Exception as error:
            self.error = error
        finally:
            self.swarm.leave(self.index)

    def _step(self, msg_type, message):
        """False at the end of the session."""
        if self.swarm.script:
            verdict = self.swarm.script(self, msg_type, message)
            if verdict is not None:
                return verdict
        if msg_type == OPEN:
            self.opened = message
            self.send(OPENED, MESSAGES["SessionResponse"](sessionID=f"session {self.index}"))
        elif msg_type == SYNC:
            if self.swarm.over_after and message.syncSeqNum >= self.swarm.over_after:
                self.send(SYNCED, self._response(message, trainingOver=True))
                return True
            merged = self.swarm.take_part(self.index, message.inputParams, message.nodeWeightage)
            self.ask_loss(message, merged)
            self.send(SYNCED, self._response(message))
        elif msg_type == CLOSE:
            merged = self.swarm.end(self.index, message.inputParams, message.nodeWeightage)
            self.ask_loss(message, merged)
            self.send(CLOSED, self._response(message))
            return False
        elif msg_type == KILL:
            return False
        return True

    def ask_loss(self, message, merged, **fields):
        values = dict(sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, lossSeqNum=7, mergedParams=merged)
        values.update(fields)
        self.send(GET_LOSS, MESSAGES["LossRequest"](**values))
        msg_type, reply = self.receive()
        assert msg_type == LOSS
        if reply.status.code == 0:
            assert reply.status.msg == "StatusOK" and reply.lossSeqNum == 7
            assert reply.sessionID == message.sessionID and reply.syncSeqNum == message.syncSeqNum
        return reply

    def _response(self, message, **fields):
        interval = self.swarm.interval or self.opened.syncInterval
        return MESSAGES["SyncResponse"](
            sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, nextSyncInterval=interval, **fields
        )

    def of_type(self, msg_type):
        return [message for kind, message in self.requests if kind == msg_type]
