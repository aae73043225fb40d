"""Models that travel in fewer bits."""

import numpy as np
import pytest
from dict_program import DictCallback, train
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning._session.arrays import dtype_name, pack, unpack
from swarmlearning._session.narrowing import Narrowing
from wire_schema import SYNC

RANDOM = np.random.default_rng(3)


def both_ways(values, transfer_type):
    narrowing = Narrowing(transfer_type)
    narrow = narrowing.narrow({"w": pack(values)})
    return narrow["w"], unpack(narrowing.widen(narrow)["w"])


@pytest.mark.parametrize("wide", [np.float32, np.float64])
@pytest.mark.parametrize("transfer_type, precision", [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_values_come_back_in_their_type_and_as_near_as_the_narrow_type_has_them(wide, transfer_type, precision):
    values = RANDOM.normal(size=(7, 1001)).astype(wide)
    narrow, back = both_ways(values, transfer_type)
    assert dtype_name(narrow) == transfer_type and narrow.shape == values.shape and len(narrow.data) == 2 * values.size
    assert back.dtype == wide
    np.testing.assert_allclose(back, values, rtol=precision, atol=6e-8)
    assert np.abs(back - values).max() > 0
    again, _ = both_ways(back, transfer_type)
    assert bytes(again.data) == bytes(narrow.data), "what came from a merge is given back as it is"


def test_bfloat16_is_rounded_to_the_nearest_and_to_even():
    torch = pytest.importorskip("torch")
    values = np.concatenate([
        RANDOM.normal(size=10_000), [0.0, -0.0, 1e-40, -1e-40, 3.3895e38, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20]
    ]).astype(np.float32)
    narrow, _ = both_ways(values, "bfloat16")
    theirs = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy()
    assert np.array_equal(np.frombuffer(narrow.data, np.int16), theirs)


def test_numbers_that_are_none_stay_so_and_too_large_ones_are_named():
    values = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    for transfer_type in ("float16", "bfloat16"):
        _, back = both_ways(values, transfer_type)
        np.testing.assert_array_equal(back, values)
    with pytest.raises(SwarmError, match=r"'w' has 2 values that are too large for it, up to 1e\+06; use 'bfloat16'"):
        both_ways(np.array([1e6, -7e4, 6e4], np.float32), "float16")
    with pytest.raises(SwarmError, match="'w' has 1 values"):
        both_ways(np.array([1e300]), "bfloat16")


def test_counts_and_types_of_no_more_bits_stay_as_they_are():
    params = {
        "steps": pack(np.array(70_001, np.int64)), "scale": pack(np.array(1e6, np.float32)),
        "ids": pack(np.arange(5, dtype=np.int32)), "half": pack(np.ones(3, np.float16)),
    }  # fmt: skip
    narrowing = Narrowing("float16")
    assert narrowing.narrow(params) == params and narrowing.widen(params) == params
    assert Narrowing().narrow(params) is params


def test_a_program_keeps_its_types_and_its_digest_is_that_of_what_travelled(swarm):
    ghost = swarm(ghost=True)
    callback = DictCallback({"w": np.array([1 + 2**-9, 3.0], np.float32)}, transferType="bfloat16")
    train(callback, 1)
    (array,) = ghost.sls[0].of_type(SYNC)[0].inputParams.weights.values()
    assert array.dtype == "dtype('bfloat16')" and array.data == np.array([0x3F80, 0x4040], "<u2").tobytes()
    assert callback.values["w"].dtype == np.float32
    assert callback.modelDigest() == ghost.digest


def test_the_environment_names_it_for_programs_that_cannot_be_changed(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "True")
    monkeypatch.setenv("SWARM_TRANSFER_TYPE", " BFloat16 ")
    assert DictCallback().options.transferType == "bfloat16"
    assert DictCallback(transferType="float16").options.transferType == "float16"
    monkeypatch.setenv("SWARM_TRANSFER_TYPE", "int8")
    with pytest.raises(SwarmArgumentError, match="transferType: wanted one of float16, bfloat16, got 'int8'"):
        DictCallback()
