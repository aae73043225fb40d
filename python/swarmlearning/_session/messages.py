"""The messages between a training program (ML) and its Swarm Learning node (SL), API version 2.

Names, numbers and types are those of HPE Swarm Learning 2.1, so either side may be the original.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Dict, Tuple

from .wire import Buffer, wire_field

API_VERSION = 2


class MsgType(enum.IntEnum):
    """What the header says its body is."""

    Status = 1
    OpenSessionRequest = 2
    OpenSessionResponse = 3
    CloseSessionRequest = 4
    CloseSessionResponse = 5
    SyncRequest = 6
    SyncResponse = 7
    GetLossRequest = 8
    GetLossResponse = 9
    KillSessionRequest = 10


class StatusCode(enum.IntEnum):
    OK = 0
    ErrorInSL = 1
    ErrorInUser = 2
    ErrorOthers = 3


@dataclass
class ApiVersion:
    apiVersion: int = wire_field(1, "fixed32")
    minVersion: int = wire_field(2, "fixed32")


@dataclass
class Header:
    """Always 22 bytes, since none of its numbers is zero."""

    apiVersion: ApiVersion = wire_field(1, ApiVersion)
    msgType: int = wire_field(2, "fixed32")
    msgSize: int = wire_field(3, "fixed32")


@dataclass
class NDArray:
    """One parameter: C order, little endian. `dtype` is the repr of a numpy dtype, e.g. dtype('float32')."""

    dtype: str = wire_field(1, "string")
    shape: Tuple[int, ...] = wire_field(2, "uint32s")
    data: Buffer = wire_field(3, "bytes")


@dataclass
class Weights:
    weights: Dict[str, NDArray] = wire_field(1, NDArray, mapped=True)


@dataclass
class Status:
    code: int = wire_field(1, "int32")
    msg: str = wire_field(2, "string")
    notice: bool = wire_field(100, "bool")  # swarmd's own: not an answer, see SessionRequest.takesNotices


@dataclass
class MemoryPlace:
    """Where a model is in the memory that a program shares with its SL; see `memory`. Fields from 100 on are swarmd's
    own, passed over by the original SL."""

    region: int = wire_field(1, "int32")  # 0: nowhere
    slot: int = wire_field(2, "int32")
    size: int = wire_field(3, "uint64")


@dataclass
class SessionRequest:
    syncInterval: int = wire_field(1, "int32")
    minPeers: int = wire_field(2, "int32")
    maxPeers: int = wire_field(3, "int32")
    useAdaptiveSync: bool = wire_field(4, "bool")
    checkinModelOnTrainEnd: str = wire_field(5, "string")
    nodeWeightage: int = wire_field(6, "int32")
    trainingContract: str = wire_field(7, "string")
    mergeMethod: str = wire_field(8, "string")
    #: swarmd's own, passed over by the original SL: while an answer is due the SL may send a `Status` that is marked as
    #: a notice and says what it waits for.
    takesNotices: bool = wire_field(100, "bool")
    sharesMemory: bool = wire_field(101, "bool")
    #: swarmd's own: go on from the last merge, if there is one. Not on the wire unless it is asked for.
    resume: bool = wire_field(102, "bool")
    #: swarmd's own: say which merge each answer brings, and what the peers have reported.
    followsRounds: bool = wire_field(103, "bool")
    #: swarmd's own: a merge may be given to it before it is accepted; see LossRequest.
    takesBack: bool = wire_field(109, "bool")


@dataclass
class SessionResponse:
    status: Status = wire_field(1, Status)
    sessionID: str = wire_field(2, "string")
    memorySocket: str = wire_field(101, "string")  # in the folder of the request FIFO; an SL without has none
    # swarmd's own, to a program that asks to resume:
    resumes: bool = wire_field(102, "bool")  # this SL can do that
    resumeRound: int = wire_field(103, "int32")  # the last one that is merged; 0: none is
    node: str = wire_field(104, "string")  # swarmd's own, to a program that follows rounds: its name among the peers


@dataclass
class SyncRequest:
    """Also the body of CloseSessionRequest."""

    sessionID: str = wire_field(1, "string")
    syncSeqNum: int = wire_field(2, "int32")
    nodeWeightage: int = wire_field(3, "int32")
    numberOfNodes: int = wire_field(4, "int32")
    inputParams: Weights = wire_field(5, Weights)
    inputMemory: MemoryPlace = wire_field(101, MemoryPlace)  # instead of them


@dataclass
class SyncResponse:
    """Also the body of CloseSessionResponse."""

    sessionID: str = wire_field(1, "string")
    syncSeqNum: int = wire_field(2, "int32")
    status: Status = wire_field(3, Status)
    nextSyncInterval: int = wire_field(4, "int32")
    trainingOver: bool = wire_field(5, "bool")
    # swarmd's own, to a program that follows rounds, and the first one also to one that resumes; of its model:
    mergedRound: int = wire_field(103, "int32")
    mergedDigest: str = wire_field(105, "string")  # in hex
    meanPeers: int = wire_field(106, "int32")  # so many have reported a loss; 0: the means say nothing
    meanLoss: float = wire_field(107, "float")
    meanMetric: float = wire_field(108, "float")
    training: str = wire_field(111, "string")  # tells apart networks, and generations of a training; empty: not known


@dataclass
class LossRequest:
    """Brings the merged model and asks how good it is on this node's validation data."""

    sessionID: str = wire_field(1, "string")
    syncSeqNum: int = wire_field(2, "int32")
    lossSeqNum: int = wire_field(3, "int32")
    mergedParams: Weights = wire_field(4, Weights)
    mergedMemory: MemoryPlace = wire_field(101, MemoryPlace)  # instead of them
    # swarmd's own, to a program that takes back:
    ahead: bool = wire_field(109, "bool")  # it may be taken back: what the program has now is to be kept
    goesBack: bool = wire_field(110, "bool")  # what was kept is put back before this merge is loaded


@dataclass
class LossResponse:
    sessionID: str = wire_field(1, "string")
    syncSeqNum: int = wire_field(2, "int32")
    lossSeqNum: int = wire_field(3, "int32")
    status: Status = wire_field(4, Status)
    loss: float = wire_field(5, "float")
    metrics: float = wire_field(6, "float")
    epochsdone: int = wire_field(7, "int32")
    totalepochs: int = wire_field(8, "int32")


@dataclass
class KillSessionRequest:
    sessionID: str = wire_field(1, "string")
    reason: Status = wire_field(2, Status)
