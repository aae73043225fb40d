"""Writes numpy.safetensors with the safetensors package (0.8.0 made the file in the tree)."""

import pathlib

import numpy as np
import safetensors

TYPES = "bool uint8 int8 int16 uint16 float16 int32 uint32 float32 float64 int64 uint64".split()


kept = []  # the package takes addresses


def entry(array, dtype=None):
    array = np.ascontiguousarray(array).reshape(array.shape)
    kept.append(array)
    return safetensors.TensorSpec(
        dtype=dtype or str(array.dtype), shape=list(array.shape), data_ptr=array.ctypes.data, data_len=array.nbytes
    )


tensors = {}
for index, name in enumerate(TYPES):
    numbers = np.arange(6).reshape(2, 3)
    tensors["w." + name] = entry((numbers % 2 if name == "bool" else numbers + index).astype(name))
# bfloat16 is the upper half of float32
halves = (np.arange(6, dtype="float32").view("uint32") >> 16).astype("uint16")
tensors["w.bfloat16"] = entry(halves.reshape(2, 3), "bfloat16")
tensors["scalar"] = entry(np.array(2.5))
tensors["empty"] = entry(np.zeros(0, "float32"))
tensors['q"\\\n\u00e9\u0001'] = entry(np.zeros(1, "float32"))
pathlib.Path(__file__).with_name("numpy.safetensors").write_bytes(safetensors.serialize(tensors))
