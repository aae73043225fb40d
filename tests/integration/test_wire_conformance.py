"""A real SL against the client written from the protocol's description alone."""

import numpy as np
import pytest
from harness import Program, trains, until
from wire_client import Array, SLError, WireClient, WireError
from wire_schema import KILL, MESSAGES, OPEN, STATUS, SYNC, frame

PARAMS = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "count": np.array(5),
    "small": np.array(3, np.int32),
    "none": np.zeros((0, 4), np.float32),
    "half": np.array([0.5, -2], np.float16),
    "numbers": np.array([1, 2, 3]),
    "brain": Array("dtype('bfloat16')", [2], b"\x80\x3f\x00\x40"),
}


@pytest.mark.parametrize("syncs", [0, 1, 3])
def test_a_whole_session(swarm, syncs):
    sl = swarm.start().sls[0]
    losses = iter(range(1, 9))
    client = Program(sl, trains([PARAMS] * syncs, PARAMS, loss=lambda _: (next(losses) / 8, 0.5))).result()
    merged = client.merged[-1]
    assert client.sync_count == syncs and client.loss_requests == syncs + 1
    assert np.array_equal(merged["w"], PARAMS["w"]) and np.array_equal(merged["fortran"], PARAMS["fortran"])
    for name in ("count", "small"):
        assert merged[name] == PARAMS[name] and merged[name].dtype == np.float64 and merged[name].shape == ()
    assert merged["none"].shape == (0, 4)
    assert merged["half"].dtype == np.float16 and np.array_equal(merged["half"], PARAMS["half"])
    assert np.array_equal(merged["numbers"], PARAMS["numbers"])
    assert merged["brain"].data == PARAMS["brain"].data
    assert sl.wait_exit() == 0
    assert [merge.round_num for merge in swarm.sn.merges()] == list(range(1, syncs + 2))
    assert len(swarm.sn.events("losses")) == syncs + 1 and swarm.sn.completed()
