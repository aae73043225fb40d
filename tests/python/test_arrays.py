"""Arrays and the digest of a model."""

import json
import pathlib

import numpy as np
import pytest
from launcher import model_files
from repository import ROOT
from swarmlearning import SwarmError, model_digest
from swarmlearning._session.arrays import ITEM_SIZE, dtype_name, pack, unpack, unpack_as
from swarmlearning._session.digest import SAFETENSORS_NAMES, safetensors_layout
from swarmlearning._session.messages import NDArray

NUMPY_TYPES = sorted(set(ITEM_SIZE) - {"bfloat16"})


@pytest.mark.parametrize("dtype", NUMPY_TYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_round_trip(dtype, shape):
    values = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    array = pack(values)
    assert array.dtype == repr(values.dtype) and array.shape == shape
    assert bytes(array.data) == values.tobytes()
    back = unpack(array)
    assert back.dtype == values.dtype and np.array_equal(back, values)


def test_any_memory_layout_is_sent_in_c_order():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    wanted = values.transpose(2, 1, 0)
    for odd in (wanted, np.asfortranarray(wanted), wanted.astype(">f4")):
        array = pack(odd, "float32") if odd.dtype.isnative else pack(odd.astype("<f4"))
        assert bytes(array.data) == np.ascontiguousarray(wanted).tobytes()
    assert bytes(pack(np.arange(4, dtype=">i4")).data) == np.arange(4, dtype="<i4").tobytes()


def test_contiguous_values_are_not_copied():
    values = np.zeros(1000, np.float32)
    assert np.shares_memory(np.frombuffer(pack(values).data, np.uint8), values)


def test_unaligned_data():
    raw = memoryview(b"x" + np.arange(5, dtype="<f8").tobytes())[1:]
    values = unpack(NDArray("dtype('float64')", (5,), raw))
    assert values.flags.aligned and np.array_equal(values, np.arange(5))


def test_bfloat16_bits_survive():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    bits = np.array([0x3F80, 0x0001, 0xC2F7, 0x7F80], np.uint16)
    for values in (bits, bits.view(ml_dtypes.bfloat16), bits.view(ml_dtypes.bfloat16).astype(np.float32)):
        array = pack(values, "bfloat16")
        assert array.dtype == "dtype('bfloat16')" and bytes(array.data) == bits.tobytes()
    assert np.array_equal(unpack(array), bits.view(ml_dtypes.bfloat16).astype(np.float32))
    assert unpack(pack(bits[:1].reshape(()), "bfloat16")).shape == ()


def test_merged_integers_are_rounded():
    merged = pack(np.array([1.5, 2.6, -0.7, 3e9]))
    assert unpack_as(merged, "int64").tolist() == [2, 3, -1, 3_000_000_000]
    assert unpack_as(pack(np.float64(12.0)), "int64").shape == ()
    assert unpack_as(pack(np.array([0.4, 0.6])), "bool").tolist() == [False, True]


@pytest.mark.parametrize(
    "array",
    [
        NDArray("dtype('complex64')", (1,), bytes(8)),
        NDArray("dtype('object')", (1,), bytes(8)),
        NDArray("__import__('os')", (1,), bytes(8)),
        NDArray("float32", (1,), bytes(4)),
        NDArray("dtype('float32')", (2,), bytes(4)),
        NDArray("dtype('float32')", (2**31, 2**31, 2**31), bytes(4)),
        NDArray("dtype('float32')", (0,), bytes(4)),
    ],
)
def test_bad_arrays_are_refused(array):
    with pytest.raises(SwarmError):
        unpack(array)


@pytest.mark.parametrize("values", [np.zeros(1, np.complex64), np.array([None]), np.array(["a"])])
def test_unsupported_types_are_named(values):
    with pytest.raises(SwarmError, match="cannot be shared"):
        pack(values)


def digest_by_the_book(file):
    return model_files.digest_of(len(file), model_files.chunk_hashes(file)).hex()


def test_digest_layout():
    params = {
        "b": pack(np.arange(3, dtype=np.float32)),
        "a": pack(np.arange(2, dtype=np.float32)),
        "count": pack(np.int64(7)),
        "flag": pack(np.array([True])),
        "empty": pack(np.zeros((0, 2), np.float64)),
    }
    header, data = safetensors_layout(params)
    size = int.from_bytes(header[:8], "little")
    assert len(header) == 8 + size and size % 8 == 0
    entries = json.loads(header[8:])
    assert list(entries) == ["count", "empty", "a", "b", "flag"]
    assert entries["count"] == {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}
    assert entries["b"] == {"dtype": "F32", "shape": [3], "data_offsets": [16, 28]}
    file = header + b"".join(map(bytes, data))
    assert np.frombuffer(file[8 + size :][:8], "<f8")[0] == 7.0
    assert model_digest(params) == digest_by_the_book(file)


@pytest.mark.parametrize("elements", [1, (1 << 18) - 16, 1 << 18, 3 * (1 << 18) + 5])
def test_digest_chunks(elements):
    params = {"w": pack(np.arange(elements, dtype=np.float32)), "v": pack(np.ones(elements, np.uint8))}
    header, data = safetensors_layout(params)
    assert model_digest(params) == digest_by_the_book(header + b"".join(map(bytes, data)))


def test_an_integer_scalar_has_the_digest_of_its_merged_form():
    assert model_digest({"n": pack(np.int64(3))}) == model_digest({"n": pack(np.float64(3))})


def test_the_same_file_as_the_safetensors_package_and_the_sl_write():
    """A file of every dtype; merge/store/model_store.test.cpp has the same digest of it."""
    file = pathlib.Path(ROOT, "merge/testdata/numpy.safetensors").read_bytes()
    start = 8 + int.from_bytes(file[:8], "little")
    names = {text: name for name, text in SAFETENSORS_NAMES.items()}
    params = {}
    for name, entry in json.loads(file[8:start]).items():
        begin, end = entry["data_offsets"]
        dtype = f"dtype('{names[entry['dtype']]}')"
        params[name] = NDArray(dtype, tuple(entry["shape"]), file[start + begin : start + end])
    assert {dtype_name(array) for array in params.values()} == set(ITEM_SIZE)
    header, data = safetensors_layout(dict(reversed(params.items())))
    assert header + b"".join(map(bytes, data)) == file
    assert model_digest(params) == "db61701095f61ab5cc90ebfa4da8ca7d1621f5f7c5ab67f96e2d0f3d264a8458"
