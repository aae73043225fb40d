"""Tasks of a SWOP in jobs of a real Slurm, which is this host alone."""

import json
import os
import subprocess

import pytest
from harness import BIN, until
from launcher.operators import DEFAULT_TASKRUNNER, node_definition, swop_profile
from launcher.processes import SCRAMBLED
from operated import TestSwarm
from own_slurm import OwnSlurm, why_no_slurm


@pytest.fixture(scope="module")
def slurm():
    if why := why_no_slurm():
        pytest.skip(why)
    slurm = OwnSlurm()
    yield slurm
    slurm.stop()


@pytest.fixture
def swarm(request, folder, certs, slurm):
    swarm = TestSwarm(folder, certs)
    os.chmod(folder, 0o755)
    swarm.slurm = slurm
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


def add_trainers(swarm, nodes):
    os.environ["SLURM_CONF"] = swarm.slurm.conf
    try:
        return swarm.add_trainers(nodes, manager="SLURM")
    finally:
        del os.environ["SLURM_CONF"]


def test_four_pairs_train_in_four_jobs(swarm, slurm):
    swarm.start_sn()
    swop = add_trainers(swarm, 4)
    swarm.make_training(MIN_PEERS=4, SYNCS=2, gated=True)
    swarm.assign("train", "WITH 4 PEERS")
    swarm.wait_at_gate(0, 1, 2, 3)
    assert len(slurm.jobs("running")) == 4
    assert not list(swop.data_dir.glob("*/parts/*/*/channel/*")), "pipes are on the node's own disk"
    swarm.open_gate()
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE"
    assert status.field("COMPLETED_PEERS") == "4"
    assert [merge.round_num for merge in swarm.sn.merges()] == [1, 2, 3]
    assert [swarm.result_of(user) for user in range(4)] == [[1.5] * 4] * 4
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: not slurm.jobs("running", "pending"), "the jobs to end")


@pytest.mark.skipif(SCRAMBLED, reason="it reads the log")
def test_a_job_that_is_killed_fails_its_pair_and_reset_cleans_up(swarm, slurm):
    """A SWOP that is killed meanwhile finds its jobs again; a job of somebody else is not touched."""
    other = slurm.run("sbatch", "--parsable", "--job-name=other", "--output=/dev/null", "--wrap=sleep 600").strip()
    swarm.start_sn()
    swop = add_trainers(swarm, 2)
    swarm.make_training(MIN_PEERS=2, SYNCS=2, gated=True)
    swarm.assign("train", "WITH 2 PEERS")
    swarm.wait_at_gate(0, 1)
    swop.kill9()
    swop.environment = {"SLURM_CONF": slurm.conf}
    swop.start().wait_listening()
    victim = next(job for job in slurm.jobs("running") if ".0@" in job)
    slurm.run("scancel", "--signal=KILL", "--full", f"--name={victim}")
    until(lambda: swarm.status().field("TASK_STATE") == "ERROR", "the task to fail", alive=[swop])
    assert "Slurm has ended its job" in swop.log()
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: slurm.jobs("running", "pending") == ["other"], "all but the other job to end")
    slurm.run("scancel", other)


def test_doctor_says_whether_jobs_can_run(swarm, slurm, certs, folder):
    swarm.start_sn()
    profile = swarm.usr / "swop.yaml"
    profile.write_text(json.dumps(swop_profile([node_definition(certs, 0)], manager="SLURM")))
    command = [BIN / "swarmd", "doctor", "--role", "swop", "--host-ip", "127.0.0.1", "--data-dir", f"{folder}/d"]
    command += ["--sn-ip", "127.0.0.1", "--sn-api-port", swarm.sn.port, *certs.flags("swop-1")]
    command += ["--usr-dir", swarm.usr, "--profile-file-name", profile.name]

    def said(**variables):
        environment = {**os.environ, "SLURM_CONF": slurm.conf, **variables}
        words = [str(word) for word in command]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
        return [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.split()[1:2] == ["scheduler"]]

    ((verdict, _, text),) = said()
    assert verdict == "ok" and text.startswith("slurm") and text.endswith("partition all: 1 of 1 nodes are ready")
    assert said(SBATCH_PARTITION="night") == [["wrong", "scheduler", "Slurm has no partition night for this user"]]
