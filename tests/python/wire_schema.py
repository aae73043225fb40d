"""The messages of the ML channel for the protobuf library, described at run time from the protocol's tables.

Written from the protocol's description alone and sharing nothing with the `swarmlearning` package, so that client,
package and SL can be checked against each other through it.
"""

import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# Fields from 100 on are swarmd's own: the original passes over them, and is never sent them.
# message -> fields as "name number type"; "*type" is repeated, "<Message" is a map from string to Message
TABLES = {
    "APIVersion": "apiVersion 1 fixed32; minVersion 2 fixed32",
    "Header": "apiVersion 1 APIVersion; msgType 2 fixed32; msgSize 3 fixed32",
    "NDArray": "dtype 1 string; shape 2 *uint32; data 3 bytes",
    "Weights": "weights 1 <NDArray",
    "Status": "code 1 !StatusCode; msg 2 string; notice 100 bool",
    "SessionRequest": "syncInterval 1 int32; minPeers 2 int32; maxPeers 3 int32; useAdaptiveSync 4 bool; "
    "checkinModelOnTrainEnd 5 string; nodeWeightage 6 int32; trainingContract 7 string; mergeMethod 8 string; "
    "takesNotices 100 bool; sharesMemory 101 bool; resume 102 bool; followsRounds 103 bool; takesBack 109 bool",
    "MemoryPlace": "region 1 int32; slot 2 int32; size 3 uint64",
    "SessionResponse": "status 1 Status; sessionID 2 string; memorySocket 101 string; resumes 102 bool; "
    "resumeRound 103 int32; node 104 string",
    "SyncRequest": "sessionID 1 string; syncSeqNum 2 int32; nodeWeightage 3 int32; numberOfNodes 4 int32; "
    "inputParams 5 Weights; inputMemory 101 MemoryPlace",
    "SyncResponse": "sessionID 1 string; syncSeqNum 2 int32; status 3 Status; nextSyncInterval 4 int32; "
    "trainingOver 5 bool; mergedRound 103 int32; mergedDigest 105 string; meanPeers 106 int32; meanLoss 107 float; "
    "meanMetric 108 float; training 111 string",
    "LossRequest": "sessionID 1 string; syncSeqNum 2 int32; lossSeqNum 3 int32; mergedParams 4 Weights; "
    "mergedMemory 101 MemoryPlace; ahead 109 bool; goesBack 110 bool",
    "LossResponse": "sessionID 1 string; syncSeqNum 2 int32; lossSeqNum 3 int32; status 4 Status; loss 5 float; "
    "metrics 6 float; epochsdone 7 int32; totalepochs 8 int32",
    "KillSessionRequest": "sessionID 1 string; reason 2 Status",
}
STATUS_CODES = {"StatusOK": 0, "ErrorInSL": 1, "ErrorInUser": 2, "ErrorOthers": 3}

API_VERSION = 2
HEADER_SIZE = 22
BODY_OF_TYPE = {
    1: "Status",
    2: "SessionRequest",
    3: "SessionResponse",
    4: "SyncRequest",
    5: "SyncResponse",
    6: "SyncRequest",
    7: "SyncResponse",
    8: "LossRequest",
    9: "LossResponse",
    10: "KillSessionRequest",
}
STATUS, OPEN, OPENED, CLOSE, CLOSED, SYNC, SYNCED, GET_LOSS, LOSS, KILL = BODY_OF_TYPE


def _build():
    file = descriptor_pb2.FileDescriptorProto(name="wire_schema_test.proto", syntax="proto3", package="wire_test")
    codes = file.enum_type.add(name="StatusCode")
    for name, number in STATUS_CODES.items():
        codes.value.add(name=name, number=number)
    kinds = descriptor_pb2.FieldDescriptorProto
    for message_name, table in TABLES.items():
        message = file.message_type.add(name=message_name)
        for row in table.split(";"):
            name, number, kind = row.split()
            field = message.field.add(name=name, number=int(number))
            field.label = kinds.LABEL_REPEATED if kind[0] in "*<" else kinds.LABEL_OPTIONAL
            if kind[0] == "<":
                entry = message.nested_type.add(name=name.capitalize() + "Entry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
                value = entry.field.add(name="value", number=2, type=kinds.TYPE_MESSAGE, label=kinds.LABEL_OPTIONAL)
                value.type_name = ".wire_test." + kind[1:]
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".wire_test.{message_name}.{entry.name}"
            elif kind[0] == "!":
                field.type, field.type_name = kinds.TYPE_ENUM, ".wire_test." + kind[1:]
            elif kind.lstrip("*") in TABLES:
                field.type, field.type_name = kinds.TYPE_MESSAGE, ".wire_test." + kind
            else:
                field.type = getattr(kinds, "TYPE_" + kind.lstrip("*").upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    get = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return {name: get(pool.FindMessageTypeByName("wire_test." + name)) for name in TABLES}


MESSAGES = _build()


def frame(msg_type, message):
    """Header and body."""
    body = message.SerializeToString()
    header = MESSAGES["Header"](msgType=msg_type, msgSize=len(body))
    header.apiVersion.apiVersion = header.apiVersion.minVersion = API_VERSION
    raw = header.SerializeToString()
    assert len(raw) == HEADER_SIZE, f"a header of {len(raw)} bytes cannot be read: empty body?"
    return raw + body


def parse_header(raw):
    """Message type and size of the body, by fixed offsets: what the bytes really are."""
    assert len(raw) == HEADER_SIZE
    parts = struct.unpack("<2sBIBIBIBI", raw)
    assert parts[0] == b"\x0a\x0a" and parts[1::2] == (0x0D, 0x15, 0x15, 0x1D), raw.hex()
    version, _, msg_type, size = parts[2::2]
    return version, msg_type, size
