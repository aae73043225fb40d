"""The name that the swarm gives to a model: a digest of it as a safetensors file.

A node stores and announces every model under this digest, and each merge is recorded with it on the chain. Computed
from the parameters that a program really holds, it proves that they are the ones on record.
"""

from __future__ import annotations

import hashlib
import json
from typing import Dict, List, Tuple

import numpy as np

from .arrays import ITEM_SIZE, Params, dtype_name, pack, unpack
from .messages import NDArray
from .wire import Buffer

CHUNK_SIZE = 1 << 20  # bytes

#: numpy names and safetensors names, by rising alignment; a file's tensors stand in falling order of this.
SAFETENSORS_NAMES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "float16": "F16", "bfloat16": "BF16",
    "int32": "I32", "uint32": "U32", "float32": "F32", "float64": "F64", "int64": "I64", "uint64": "U64",
}  # fmt: skip
_ORDER = {name: place for place, name in enumerate(SAFETENSORS_NAMES)}


def model_digest(params: Params) -> str:
    """SHA-256, in hex, of "swarmd model v2", the file's size and the chunk size (both 8 bytes, big endian), and the
    root of a tree over the SHA-256 of each 1 MiB chunk of the file, in the shape of RFC 6962 (section 2.1): a node is
    the SHA-256 of a byte 1 and the two below it. `params` has the arrays by name; of the model of a callback, its
    method modelDigest() takes them.

    >>> import numpy
    >>> from swarmlearning._session.arrays import pack
    >>> model_digest({"bias": pack(numpy.zeros(2, "float32"))})[:16]
    '02d9adbe7aba3ab7'
    """
    header, data = safetensors_layout(params)
    pieces = [memoryview(piece) for piece in (header, *data)]
    size = sum(len(piece) for piece in pieces)
    hashes: List[bytes] = []
    chunk, room = hashlib.sha256(), CHUNK_SIZE
    for piece in pieces:
        while len(piece):
            chunk.update(piece[:room])
            taken = min(room, len(piece))
            piece, room = piece[taken:], room - taken
            if room == 0:
                hashes.append(chunk.digest())
                chunk, room = hashlib.sha256(), CHUNK_SIZE
    if room < CHUNK_SIZE:
        hashes.append(chunk.digest())
    head = b"swarmd model v2" + size.to_bytes(8, "big") + CHUNK_SIZE.to_bytes(8, "big")
    return hashlib.sha256(head + _tree_root(hashes)).hexdigest()


def _tree_root(hashes: List[bytes]) -> bytes:
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2])
        alone = hashes[len(hashes) // 2 * 2 :]
        hashes = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + alone
    return hashes[0]


def safetensors_layout(params: Params) -> Tuple[bytes, List[Buffer]]:
    """Header and data of the file, which is their concatenation."""
    arrays = sorted(
        ((name, _canonical(array)) for name, array in params.items()),
        key=lambda item: (-_ORDER[dtype_name(item[1])], item[0].encode()),
    )
    entries: Dict[str, Dict[str, object]] = {}
    offset = 0
    for name, array in arrays:
        end = offset + len(array.data)
        dtype = SAFETENSORS_NAMES[dtype_name(array)]
        entries[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, [array.data for _, array in arrays]


def _canonical(array: NDArray) -> NDArray:
    """Scalars of an integer type are merged, stored and sent back as float64."""
    if array.shape == () and "int" in dtype_name(array):
        return pack(np.asarray(unpack(array), dtype=np.float64))
    return array


assert set(ITEM_SIZE) == set(SAFETENSORS_NAMES)
