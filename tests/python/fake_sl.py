"""A swarm of SLs in one object: speaks the channel's protocol over real FIFOs and merges for real.

One thread per SL. A round closes when every program still in training, or ended with a model to give, is in it.
"""

import json
import os
import threading

import numpy as np
from fake_memory import SLMemory
from launcher import model_files
from wire_end import Array, WireEnd, decode_weights, encode_weights
from wire_schema import CLOSE, CLOSED, GET_LOSS, KILL, LOSS, MESSAGES, OPEN, OPENED, STATUS, SYNC, SYNCED


def as_floats(value):
    if isinstance(value, Array):  # bfloat16
        return (np.frombuffer(value.data, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return value.astype(np.float64)


def like(first, mean):
    """The mean in the dtype of `first`."""
    if isinstance(first, Array):
        rounded = mean.astype(np.float32).view(np.uint32) + 0x8000
        return Array(first.dtype, first.shape, (rounded >> 16).astype("<u2").tobytes())
    return mean.astype(first.dtype)


def elect(values, weights):
    """The value of more than half of the weight, else the largest."""
    total = sum(weights)
    for value in values:
        if 2 * sum(weight for other, weight in zip(values, weights) if other == value) > total:
            return value
    return max(values)


def raw(value):
    return value.data if isinstance(value, Array) else value.tobytes()


def merge_one(values, weights):
    """One parameter of every contribution. 0-d integers become float64."""
    first = values[0]
    if all(raw(value) == raw(first) for value in values):
        merged = first
    elif not isinstance(first, Array) and first.dtype.kind in "iub":
        rows = np.stack([value.reshape(-1) for value in values], axis=1)
        merged = np.array([elect(list(row), weights) for row in rows], first.dtype).reshape(first.shape)
    else:
        merged = like(first, sum(as_floats(value) * (weight / sum(weights)) for value, weight in zip(values, weights)))
    if not isinstance(merged, Array) and merged.dtype.kind in "iu" and merged.shape == ():
        merged = merged.astype(np.float64)
    return merged


def merge(contributions):
    """Weighted mean of [(weights message, weight)]; what is the same in all is carried, other integers are elected."""
    given = [decode_weights(weights) for weights, _ in contributions]
    weights = [weight for _, weight in contributions]
    merged = {name: merge_one([params[name] for params in given], weights) for name in given[0]}
    message = MESSAGES["Weights"]()
    encode_weights(merged, message)
    return message


class FakeSwarm:
    """`count` SLs whose FIFOs are in `folder`; `script(sl, request)` may answer a request in place of the rules."""

    def __init__(
        self, folder, count=1, interval=None, script=None, over_after=None, sessions=1, memory=False, tells_rounds=False
    ):
        self.tells_rounds = tells_rounds  # to programs that follow them, as an SL of this version does
        self.training = "01020304-1"
        self.sessions = sessions  # that each SL serves, one after the other
        self.memory = memory  # whether the SLs share it with programs that ask for it
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

    def enter(self, index):
        with self.lock:
            self.gone.discard(index)
            self.snapshots.pop(index, None)

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


class FakeSL(WireEnd):
    """One SL. `requests` has every message received, as (type, message)."""

    def __init__(self, swarm, index, folder):
        self.swarm, self.index = swarm, index
        self.request_path = os.path.join(folder, f"request.{index}")
        self.response_path = os.path.join(folder, f"response.{index}")
        for path in (self.request_path, self.response_path):
            os.mkfifo(path)
        self.requests, self.error = [], None
        self.memory = SLMemory(folder, f"request.{index}.memory") if swarm.memory else None
        self.thread = threading.Thread(target=self._run, daemon=True)

    @property
    def environment(self):
        return {"SL_REQUEST_CHANNEL": self.request_path, "SL_RESPONSE_CHANNEL": self.response_path}

    def send_status(self, code, text):
        self.send(STATUS, MESSAGES["Status"](code=code, msg=text))

    def receive(self):
        msg_type, message = super().receive()
        self.requests.append((msg_type, message))
        return msg_type, message

    def _run(self):
        for _ in range(self.swarm.sessions):
            self.swarm.enter(self.index)
            self._serve()

    def _serve(self):
        try:
            with open(self.response_path, "wb", buffering=0) as writer, open(self.request_path, "rb") as reader:
                WireEnd.__init__(self, reader, writer)
                while self._step(*self.receive()):
                    pass
                if self.swarm.sessions > 1:  # the next program must not meet the end of this one
                    while reader.read(1 << 16):
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
            opened = MESSAGES["SessionResponse"](sessionID=f"session {self.index}")
            if self.memory and message.sharesMemory:
                opened.memorySocket = self.memory.name
            if self.swarm.tells_rounds and message.followsRounds:
                opened.node = f"sl-{self.index + 1}"
            self.send(OPENED, opened)
        elif msg_type == SYNC:
            if self.swarm.over_after and message.syncSeqNum >= self.swarm.over_after:
                self.send(SYNCED, self._response(message, trainingOver=True))
                return True
            merged = self.swarm.take_part(self.index, self._weights(message), message.nodeWeightage)
            self.ask_loss(message, merged)
            self.send(SYNCED, self._response(message))
        elif msg_type == CLOSE:
            merged = self.swarm.end(self.index, self._weights(message), message.nodeWeightage)
            self.ask_loss(message, merged)
            self.send(CLOSED, self._response(message))
            return False
        elif msg_type == KILL:
            return False
        return True

    def _weights(self, message):
        if not message.HasField("inputMemory"):
            return message.inputParams
        assert not message.inputParams.weights
        return self.memory.read(message.sessionID, message.inputMemory)

    def ask_loss(self, message, merged, **fields):
        values = dict(sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, lossSeqNum=7)
        if message.HasField("inputMemory"):
            values["mergedMemory"] = self.memory.write(merged)
        else:
            values["mergedParams"] = merged
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
        if self.swarm.tells_rounds and self.opened.followsRounds:
            told = dict(mergedRound=self.swarm.round_num + 10, mergedDigest=digest_of(self.swarm.merged))
            told["training"] = self.swarm.training
            fields = {**told, "meanPeers": 2, "meanLoss": 0.5, "meanMetric": 0.75, **fields}
        return MESSAGES["SyncResponse"](
            sessionID=message.sessionID, syncSeqNum=message.syncSeqNum, nextSyncInterval=interval, **fields
        )

    def of_type(self, msg_type):
        return [message for kind, message in self.requests if kind == msg_type]


class GhostSwarm(FakeSwarm):
    """One SL whose program has a peer that always gives the same model shifted by a quarter, so that every merge brings
    other values than the program has. `digest` names the last merge, as the chain would."""

    digest = None

    def take_part(self, index, weights, weight):
        self.merged = merge([(weights, 1), (shifted(weights), 1)])
        self.digest = digest_of(self.merged)
        self.round_num += 1
        return self.merged

    def end(self, index, weights, weight):
        return self.take_part(index, weights, weight)


def shifted(weights):
    """Floating point parameters a quarter up, but for scalars of float64, as which integers come by shared memory."""
    params = decode_weights(weights)
    for name, value in params.items():
        if isinstance(value, Array):
            up = (as_floats(value) + 0.25).astype(np.float32).view(np.uint32) >> 16
            params[name] = Array(value.dtype, value.shape, up.astype("<u2").tobytes())
        elif value.dtype.kind == "f" and (value.shape, value.dtype) != ((), np.float64):
            params[name] = (value + value.dtype.type(0.25)).astype(value.dtype)
    message = MESSAGES["Weights"]()
    encode_weights(params, message)
    return message


SAFETENSORS = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "float16": "F16", "bfloat16": "BF16",
    "int32": "I32", "uint32": "U32", "float32": "F32", "float64": "F64", "int64": "I64", "uint64": "U64",
}  # fmt: skip


def digest_of(weights):
    """The name of a model on the chain, by the book: a digest of its safetensors file in chunks of 1 MiB."""
    order = list(SAFETENSORS)
    entries, data = {}, b""
    arrays = sorted(weights.weights.items(), key=lambda item: (-order.index(item[1].dtype[7:-2]), item[0].encode()))
    for name, array in arrays:
        span = [len(data), len(data) + len(array.data)]
        entries[name] = {"dtype": SAFETENSORS[array.dtype[7:-2]], "shape": list(array.shape), "data_offsets": span}
        data += array.data
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file = len(text).to_bytes(8, "little") + text + data
    return model_files.digest_of(len(file), model_files.chunk_hashes(file)).hex()
