"""Both ends of the ML channel: frames on a pair of FIFOs, and arrays in `Weights` messages.

The same for the client (`wire_client.py`) and for the SL (`fake_sl.py`); what each of them may say when stands there.
"""

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet
from wire_schema import API_VERSION, BODY_OF_TYPE, HEADER_SIZE, MESSAGES, frame, parse_header

ITEM_SIZES = {"bool", "float16", "float32", "float64", "bfloat16"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class WireError(Exception):
    """The other end did something that API version 2 does not allow."""


class PipeClosed(WireError, EOFError):
    """The other end is gone, and left no frame unfinished."""


class Array:
    """Raw parameter, for dtypes that numpy lacks and for sending what should be refused."""

    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, tuple(shape), bytes(data)


def encode_weights(params, weights):
    """Fills a Weights message from numpy arrays or `Array`s, as the original client does."""
    for name, value in params.items():
        entry = weights.weights[name]
        if isinstance(value, Array):
            entry.dtype, entry.data = value.dtype, value.data
            entry.shape.extend(value.shape)
        else:
            value = np.asarray(value)
            entry.dtype = repr(value.dtype)
            entry.shape.extend(value.shape)
            entry.data = value.tobytes(order="C")


def decode_weights(weights):
    """numpy arrays by name (bfloat16: `Array`s); checks dtype text and size of each."""
    params = {}
    for name, entry in weights.weights.items():
        text = entry.dtype
        if not (text.startswith("dtype('") and text.endswith("')") and text[7:-2] in ITEM_SIZES):
            raise WireError(f"{name}: the client cannot evaluate np.{text}")
        if text == "dtype('bfloat16')":
            params[name] = Array(text, entry.shape, entry.data)
            size = 2
        else:
            dtype = np.dtype(text[7:-2])
            params[name] = np.frombuffer(entry.data, dtype)
            size = dtype.itemsize
        if len(entry.data) != size * int(np.prod(list(entry.shape), dtype=np.int64)):
            raise WireError(f"{name}: {len(entry.data)} bytes for shape {list(entry.shape)} of {text}")
        if isinstance(params[name], np.ndarray):
            params[name] = params[name].reshape(tuple(entry.shape))
    return params


class WireEnd:
    """One end of a channel; `reader` and `writer` are its open FIFOs."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def disconnect(self):
        """What the other end sees when a program dies."""
        self.writer.close()
        self.reader.close()

    def send_raw(self, raw):
        view = memoryview(raw)
        while view:
            view = view[self.writer.write(view) :]

    def send(self, msg_type, message):
        self.send_raw(frame(msg_type, message))

    def read_exact(self, size):
        parts, got = [], 0
        while got < size:
            part = self.reader.read(min(size - got, 1 << 20))
            if not part:
                kind = WireError if got else PipeClosed
                raise kind(f"wanted: {size} bytes, got {got} bytes: pipe closed?")
            parts.append(part)
            got += len(part)
        return b"".join(parts)

    def receive(self):
        """Type and message; the header is checked byte for byte."""
        version, msg_type, size = parse_header(self.read_exact(HEADER_SIZE))
        if version != API_VERSION:
            raise WireError(f"API version {version} where {API_VERSION} was expected")
        if not 0 < msg_type < 11:
            raise WireError(f"unsupported message type: {msg_type}")
        if size == 0:
            raise WireError("empty body")
        message = MESSAGES[BODY_OF_TYPE[msg_type]]()
        message.ParseFromString(self.read_exact(size))
        if len(UnknownFieldSet(message)):
            raise WireError(f"unknown fields in message type {msg_type}")
        return msg_type, message
