"""An SL's side of shared memory, by the book: a datagram socket beside the FIFOs, memory that is read and written by
system calls, models as safetensors files. Shares nothing with the package."""

import fcntl
import json
import os
import socket

import numpy as np
from wire_end import Array
from wire_schema import MESSAGES

#: By falling alignment, in which order tensors stand in a file.
NAMES = {
    "U64": "uint64", "I64": "int64", "F64": "float64", "F32": "float32", "U32": "uint32", "I32": "int32",
    "BF16": "bfloat16", "F16": "float16", "U16": "uint16", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


class SLMemory:
    """`places` has where every model was, those of the program and those for it."""

    def __init__(self, folder, name):
        self.name, self.path = name, os.path.join(folder, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.fd, self.region, self.places, self.datagrams = -1, 0, [], 0

    def read(self, session, place):
        """The Weights message of a model that the program has put there."""
        if place.region != self.region:
            self._receive(f"{session} {place.region}")
            self.region = place.region
        self.places.append((place.region, place.slot))
        self.next_slot = place.slot
        assert os.fstat(self.fd).st_blocks * 512 >= place.size
        return weights_of(os.pread(self.fd, place.size, self._start(place.slot)))

    def write(self, weights):
        """Puts a merge there and returns its place."""
        file = file_of(weights)
        place = MESSAGES["MemoryPlace"](region=self.region, slot=self.next_slot, size=len(file))
        assert os.pwrite(self.fd, file, self._start(place.slot)) == len(file)
        self.places.append((place.region, place.slot))
        self.next_slot = 1 - self.next_slot
        return place

    def _start(self, slot):
        return slot * (os.fstat(self.fd).st_size // 2)

    def _receive(self, wanted):
        message, fds, _, _ = socket.recv_fds(self.socket, 200, 1)
        self.datagrams += 1
        assert message.decode() == wanted
        self.close()
        (self.fd,) = fds
        assert fcntl.fcntl(self.fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


def weights_of(file):
    length = int.from_bytes(file[:8], "little")
    message, data = MESSAGES["Weights"](), file[8 + length :]
    for name, entry in json.loads(file[8 : 8 + length]).items():
        begin, end = entry["data_offsets"]
        array = message.weights[name]
        array.dtype, array.data = f"dtype('{NAMES[entry['dtype']]}')", data[begin:end]
        array.shape.extend(entry["shape"])
    return message


def file_of(weights):
    order = list(NAMES.values())
    entries, data = {}, b""
    for name, array in sorted(weights.weights.items(), key=lambda item: (order.index(item[1].dtype[7:-2]), item[0])):
        kind = next(theirs for theirs, ours in NAMES.items() if ours == array.dtype[7:-2])
        span = [len(data), len(data) + len(array.data)]
        entries[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": span}
        data += array.data
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def every_kind():
    """A parameter of each type that can be shared, and of odd shapes."""
    values = {f"a.{name}": np.arange(7).astype(name).reshape(7, 1) for name in NAMES.values() if name != "bfloat16"}
    values["bits"] = Array("dtype('bfloat16')", (2,), b"\x80\x3f\x00\x40")
    values["count"], values["scale"] = np.array(4), np.array(0.5, np.float32)
    values["none"], values["flag"] = np.zeros((0, 3)), np.array(True)
    return values
