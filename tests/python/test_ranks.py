"""Training with torch.distributed: every rank ends with the swarm's model, or its user hears that it does not."""

import json
import os
import subprocess

import pytest
from fake_sl import GhostSwarm
from launcher.forks import python_with
from repository import ROOT

pytest.importorskip("torch")

HERE = os.path.dirname(os.path.abspath(__file__))


def run(tmp_path, count, callbacks, script=None):
    """All ranks' outcomes, and the swarm."""
    swarm = GhostSwarm(tmp_path, script=script).start()
    environment = {**os.environ, **swarm.sls[0].environment, "OMP_NUM_THREADS": "1"}
    paths = os.pathsep.join([os.path.join(ROOT, "python")])
    ranks = []
    for rank in range(count):
        command = [python_with("torch"), os.path.join(HERE, "rank_program.py")]
        arguments = [str(rank), str(count), str(tmp_path / "store"), callbacks, paths]
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ranks.append(subprocess.Popen(command + arguments, env=environment, **pipes))
    try:
        said = [rank.communicate(timeout=120) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert all(out for out, _ in said), [err[-2000:] for _, err in said]
    return [json.loads(out.splitlines()[-1]) for out, _ in said], swarm


def test_every_rank_ends_with_the_merge(tmp_path):
    found, swarm = run(tmp_path, 3, "012")
    swarm.join()
    assert [one.get("error") for one in found] == [None] * 3
    assert {one["digest"] for one in found} == {swarm.digest}
    assert {one["rounds"] for one in found} == {4}  # the beginning, batches 3 and 5, the end
    assert found[0]["sum"] == found[1]["sum"] == found[2]["sum"]
    assert not any(one["warned"] for one in found)


def test_a_callback_on_rank_0_only_is_told_of(tmp_path):
    found, swarm = run(tmp_path, 2, "0")
    swarm.join()
    assert found[0]["digest"] == swarm.digest
    assert len(found[0]["warned"]) == 1
    assert "2 ranks and only rank 0 has a SwarmCallback" in found[0]["warned"][0]


def test_callbacks_on_some_ranks_are_refused(tmp_path):
    found, _ = run(tmp_path, 3, "01")
    assert "2 of 3 ranks have a SwarmCallback" in found[0]["error"]
    assert "rank 0: 2 of 3 ranks have a SwarmCallback" in found[1]["error"]


def test_an_error_of_rank_0_reaches_the_others(tmp_path):
    def script(sl, kind, message):
        from wire_schema import SYNC

        if kind != SYNC or message.syncSeqNum < 2:
            return None
        sl.send_status(1, "lost the SN")
        return False

    found, _ = run(tmp_path, 2, "01", script)
    assert "SL error: lost the SN" in found[0]["error"] and "rank 0: SL error: lost the SN" in found[1]["error"]
