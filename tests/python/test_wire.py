"""The codec, byte for byte and against the protobuf library."""

import dataclasses
import random

import pytest
from swarmlearning._session import messages
from swarmlearning._session.wire import WireError, decode, encode
from wire_schema import MESSAGES, frame, parse_header


def raw(message):
    return b"".join(bytes(piece) for piece in encode(message))


def test_header_vector():
    header = messages.Header(messages.ApiVersion(2, 2), 3, 1_000_000)
    assert raw(header).hex() == "0a0a0d02000000150200000015030000001d40420f00"
    assert decode(messages.Header, raw(header)) == header
    assert parse_header(raw(header)) == (2, 3, 1_000_000)


def test_session_request_vector():
    request = messages.SessionRequest(128, 2, 0, False, "snapshot", 1, "c", "mean")
    assert raw(request).hex() == "08800110022a08736e617073686f7430013a016342046d65616e"


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**31 - 1, -1, -(2**31)])
def test_int32(value):
    ours = messages.Status(code=value, msg="x")
    theirs = MESSAGES["SessionRequest"](syncInterval=value)
    assert decode(messages.Status, raw(ours)).code == value
    assert decode(messages.SessionRequest, theirs.SerializeToString()).syncInterval == value
    assert raw(messages.SessionRequest(syncInterval=value)) == theirs.SerializeToString()


def random_fields(rng, cls):
    """A message of ours and the same one of the protobuf library."""
    theirs_cls = {"ApiVersion": "APIVersion"}.get(cls.__name__, cls.__name__)
    ours, theirs = cls(), MESSAGES[theirs_cls]()
    for spec in dataclasses.fields(cls):
        kind = spec.metadata["kind"]
        if spec.metadata["mapped"]:
            for index in range(rng.randrange(4)):
                name = f"w{index}é"
                ours.weights[name], entry = random_fields(rng, kind)
                theirs.weights[name].CopyFrom(entry)
        elif isinstance(kind, type):
            value, other = random_fields(rng, kind)
            setattr(ours, spec.name, value)
            if raw(value):
                getattr(theirs, spec.name).CopyFrom(other)
        elif kind == "uint32s":
            value = tuple(rng.choice([0, 1, 300, 2**32 - 1]) for _ in range(rng.randrange(4)))
            setattr(ours, spec.name, value)
            getattr(theirs, spec.name).extend(value)
        else:
            value = {
                "int32": rng.choice([0, 1, 2] if spec.name == "code" else [0, 1, -1, 2**31 - 1, -(2**31)]),
                "fixed32": rng.randrange(2**32),
                "uint64": rng.choice([0, 1, 2**40, 2**64 - 1]),
                "bool": rng.random() < 0.5,
                "float": rng.choice([0.0, 0.5, -2.25, float("inf")]),
                "string": rng.choice(["", "text", "Größe"]),
                "bytes": bytes(rng.randrange(256) for _ in range(rng.randrange(9))),
            }[kind]
            setattr(ours, spec.name, value)
            setattr(theirs, spec.name, value)
    return ours, theirs


ALL = [cls for cls in vars(messages).values() if isinstance(cls, type) and dataclasses.is_dataclass(cls)]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_same_as_protobuf(cls):
    rng = random.Random(cls.__name__)
    for _ in range(50):
        ours, theirs = random_fields(rng, cls)
        assert type(theirs).FromString(raw(ours)) == theirs
        assert decode(cls, theirs.SerializeToString()) == ours


def test_every_message_is_covered():
    assert len(ALL) == len(MESSAGES)


def test_unpacked_shape_and_unknown_fields_are_accepted():
    body = bytes([0x10, 3, 0x10, 4]) + bytes([0x7A, 2, 1, 2]) + bytes([0x19]) + bytes(8)
    with pytest.raises(WireError):  # field 3 is bytes, not a 64-bit number
        decode(messages.NDArray, body)
    assert decode(messages.NDArray, body[:8]).shape == (3, 4)


@pytest.mark.parametrize(
    "body",
    ["0a05ab", "0a", "08", "80", "ffffffffffffffffffffff01", "0b", "02", "0a02c328", "1a0110"],
    ids=["short bytes", "no size", "no number", "open tag", "endless", "group", "field 0", "not UTF-8", "bad inner"],
)
def test_broken_bytes_are_refused(body):
    with pytest.raises(WireError):
        decode(messages.SyncResponse, bytes.fromhex(body))


def test_random_bytes_never_do_anything_else():
    rng = random.Random(1)
    valid = bytearray(frame(7, MESSAGES["SyncResponse"](sessionID="s", syncSeqNum=1, nextSyncInterval=3))[22:])
    for _ in range(3000):
        mutated = bytearray(valid)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        for cls in ALL:
            try:
                decode(cls, bytes(mutated[: rng.randrange(len(mutated) + 1)]))
            except WireError:
                pass


def test_large_data_is_not_copied():
    data = memoryview(bytearray(1 << 20))
    pieces = encode(messages.Weights({"w": messages.NDArray("dtype('uint8')", (1 << 20,), data)}))
    assert any(piece is data for piece in pieces)
    body = b"".join(map(bytes, pieces))
    decoded = decode(messages.Weights, body).weights["w"].data
    assert decoded.obj is body
