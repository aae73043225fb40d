"""The part of the protobuf 3 wire format that the ML channel needs.

A message is a dataclass whose fields are made by `wire_field`, so that the table of numbers and kinds stands beside
the names. Encoding returns the pieces of the message, in order, without copying large data; decoding returns
`memoryview`s into the buffer it was given. Zero values are left out and default to zero, as protobuf 3 asks.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import Any, Callable, Dict, Iterator, List, Tuple, Type, TypeVar, Union

Buffer = Union[bytes, memoryview]
Message = TypeVar("Message")

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types

_FLOAT = struct.Struct("<f")
_UINT32 = struct.Struct("<I")

_ZERO: Dict[str, Callable[[], Any]] = {
    "int32": int,
    "uint64": int,
    "fixed32": int,
    "bool": bool,
    "float": float,
    "string": str,
    "bytes": bytes,
    "uint32s": tuple,  # repeated uint32
}


class WireError(ValueError):
    """Bytes that are not the message they should be."""


def wire_field(number: int, kind: Union[str, type], *, mapped: bool = False) -> Any:
    """One field of a message. `kind` is a key of `_ZERO` or the class of a message within the message;
    `mapped` makes it a map from names to such messages."""
    make: Callable[[], Any] = dict
    if not mapped:
        make = kind if isinstance(kind, type) else _ZERO[kind]
    return dataclasses.field(default_factory=make, metadata={"number": number, "kind": kind, "mapped": mapped})


# Encoding ---------------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    """A non-negative integer, seven bits a byte, least significant first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def size_of(pieces: List[Buffer]) -> int:
    """Bytes in all pieces together."""
    return sum(len(piece) for piece in pieces)


def encode(message: Any) -> List[Buffer]:
    """The bytes of `message` as pieces to be written one after the other."""
    pieces: List[Buffer] = []
    for spec in dataclasses.fields(message):
        number, kind = spec.metadata["number"], spec.metadata["kind"]
        value = getattr(message, spec.name)
        if spec.metadata["mapped"]:
            for name, entry in value.items():
                inner = _delimited(1, [name.encode()]) + _delimited(2, encode(entry))
                pieces += _delimited(number, inner)
        elif isinstance(kind, type):
            inner = encode(value)
            if inner:
                pieces += _delimited(number, inner)
        else:
            pieces += _encode_scalar(number, kind, value)
    return pieces


def _tag(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def _delimited(number: int, content: List[Buffer]) -> List[Buffer]:
    return [_tag(number, BYTES) + varint(size_of(content)), *content]


def _encode_scalar(number: int, kind: str, value: Any) -> List[Buffer]:
    if kind == "string":
        return _delimited(number, [value.encode()]) if value else []
    if kind == "bytes":
        return _delimited(number, [value]) if len(value) else []
    if kind == "uint32s":
        return _delimited(number, [b"".join(map(varint, value))]) if value else []
    if kind == "float":
        bits = _FLOAT.pack(value)
        return [_tag(number, FIXED32) + bits] if any(bits) else []
    if not value:
        return []
    if kind == "fixed32":
        return [_tag(number, FIXED32) + _UINT32.pack(value)]
    return [_tag(number, VARINT) + varint(int(value) & 0xFFFFFFFFFFFFFFFF)]  # negative numbers take ten bytes


# Decoding ---------------------------------------------------------------------------------------------------------


def decode(cls: Type[Message], raw: Buffer) -> Message:
    """Reads a whole message. Unknown fields are skipped. Raises `WireError`."""
    message = cls()
    specs = {spec.metadata["number"]: spec for spec in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for number, wire_type, value in _records(memoryview(raw)):
        if number not in specs:
            continue
        spec = specs[number]
        kind = spec.metadata["kind"]
        try:
            if spec.metadata["mapped"]:
                name, entry = _decode_entry(kind, _expect(wire_type, BYTES, value))
                getattr(message, spec.name)[name] = entry
            elif isinstance(kind, type):
                setattr(message, spec.name, decode(kind, _expect(wire_type, BYTES, value)))
            elif kind == "uint32s":
                setattr(message, spec.name, getattr(message, spec.name) + _decode_uint32s(wire_type, value))
            else:
                setattr(message, spec.name, _decode_scalar(kind, wire_type, value))
        except WireError as error:
            raise WireError(f"{cls.__name__}.{spec.name}: {error}") from None
    return message


def _records(raw: memoryview) -> Iterator[Tuple[int, int, Any]]:
    """Field number, wire type and raw value of everything in a message."""
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise WireError("field number 0")
        value: Any
        if wire_type == VARINT:
            value, at = _read_varint(raw, at)
        elif wire_type in (BYTES, FIXED32, FIXED64):
            size = 4 if wire_type == FIXED32 else 8
            if wire_type == BYTES:
                size, at = _read_varint(raw, at)
            if size > len(raw) - at:
                raise WireError(f"field {number} wants {size} bytes, {len(raw) - at} are left")
            value = raw[at : at + size]
            at += size
        else:
            raise WireError(f"field {number} has wire type {wire_type}")
        yield number, wire_type, value


def _read_varint(raw: memoryview, at: int) -> Tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            raise WireError("cut short within a number")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise WireError("number of more than ten bytes")


def _expect(wire_type: int, wanted: int, value: Any) -> Any:
    if wire_type != wanted:
        raise WireError(f"wire type {wire_type} where {wanted} belongs")
    return value


def _text(raw: memoryview) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise WireError("text that is not UTF-8") from None


def _decode_scalar(kind: str, wire_type: int, value: Any) -> Any:
    if kind == "string":
        return _text(_expect(wire_type, BYTES, value))
    if kind == "bytes":
        return _expect(wire_type, BYTES, value)
    if kind == "float":
        return _FLOAT.unpack(_expect(wire_type, FIXED32, value))[0]
    if kind == "fixed32":
        return _UINT32.unpack(_expect(wire_type, FIXED32, value))[0]
    number = _expect(wire_type, VARINT, value)
    if kind == "bool":
        return bool(number)
    if kind == "uint64":
        return number
    low = number & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def _decode_uint32s(wire_type: int, value: Any) -> Tuple[int, ...]:
    if wire_type == VARINT:  # a writer that does not pack
        return (value & 0xFFFFFFFF,)
    numbers = []
    at = 0
    packed = _expect(wire_type, BYTES, value)
    while at < len(packed):
        number, at = _read_varint(packed, at)
        numbers.append(number & 0xFFFFFFFF)
    return tuple(numbers)


def _decode_entry(kind: type, raw: memoryview) -> Tuple[str, Any]:
    name, entry = "", kind()
    for number, wire_type, value in _records(raw):
        if number == 1:
            name = _text(_expect(wire_type, BYTES, value))
        elif number == 2:
            entry = decode(kind, _expect(wire_type, BYTES, value))
    return name, entry
