"""Pairs on the nodes of a real Slurm, each with its own address, disk and processes: nodes die, their daemons die, jobs
are preempted, the scheduler is away."""

import os
import pathlib
import re

import pytest
from harness import until
from launcher.operators import DEFAULT_TASKRUNNER
from launcher.processes import SCRAMBLED
from operated import VENV, TestSwarm
from own_networks import SWITCH, OwnNetwork, why_no_network
from own_slurm import SlurmNodes, why_no_slurm

BY_HAND = os.environ.get("SWARM_SLURM") is not None  # then Slurm finds out by itself that a node is dead
NAMES = [f"node-{number}" for number in range(1, 5)]


class NodesSwarm(TestSwarm):
    """At the switch; its pairs are jobs. A node has room for one of them, and for small jobs of others."""

    def __init__(self, slurm, certs):
        folder = slurm.folder / "swarm"
        folder.mkdir()
        super().__init__(folder, certs)
        self.slurm = slurm

    def add_swop(self, profile, name=None, **options):
        profile["envvars"] = [{"SL_WAIT_FOR_FULL_QUORUM_SECONDS": 2}]
        environment = {"SLURM_CONF": self.slurm.conf, "SBATCH_MEM_PER_NODE": "600"}
        return super().add_swop(profile, name, host=SWITCH, environment=environment, **options)

    def train(self, peers, **variables):
        """The SWOP, once all its pairs stand in mid-training, and the node of each."""
        self.start_sn(host=SWITCH)
        swop = self.add_trainers(peers, manager="SLURM")
        self.make_training(SYNCS=2, gated=True, **variables)
        self.assign("train", f"WITH {peers} PEERS")
        self.wait_at_gate(*range(peers))
        found = ((re.search(r"\.(\d)@", job), node) for job, node in self.slurm.nodes_of_jobs().items())
        places = {int(match[1]): node for match, node in found if match}
        assert sorted(places) == list(range(peers))
        return swop, places

    def wait_for(self, *wanted):
        """Until these are the states of the pairs."""

        def are():
            rows = self.peer_status(0).rows("STATUS")[: len(wanted)]  # last lines of programs follow
            return tuple(row[0] for row in rows) == wanted

        until(are, f"the pairs to be {wanted}", alive=self.swops)

    def reset(self, swop, *left):
        """Leaves nothing but these jobs of others, and nothing on the disks of nodes that live."""
        self.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
        jobs = self.slurm.jobs
        until(lambda: sorted(jobs("running", "pending", "completing")) == sorted(left), "all other jobs to end")
        until(lambda: not any(map(self.slurm.disk, self.slurm.nodes)), "the nodes' disks to be empty")
        kept = ("programs/*", "programs/allocations@/*", "parts/*")
        until(lambda: [path for each in kept for path in swop.data_dir.glob(f"*/{each}")] == self.root_of(swop),
              "the folders of the task to go")  # fmt: skip

    def root_of(self, swop):
        return list(swop.data_dir.glob("*/programs/allocations@"))


@pytest.fixture
def swarm(request, certs):
    if why := why_no_slurm() or why_no_network():
        pytest.skip(why)
    with OwnNetwork() as network:
        slurm = SlurmNodes(network, NAMES, [certs.folder, VENV])
        try:
            swarm = NodesSwarm(slurm, certs)
            yield swarm
            failed = getattr(request.node, "report_call", None)
            if failed is not None and failed.failed:
                print(swarm.report())
            swarm.clean_up()
        finally:
            slurm.stop()


def of_others(slurm, name, *words):
    slurm.run("sbatch", f"--job-name={name}", "--output=/dev/null", *words, "--wrap=sleep 600")


@pytest.mark.skipif(SCRAMBLED, reason="it reads the log")
def test_a_dead_node_and_a_preempted_job_fail_their_pairs_only(swarm):
    slurm = swarm.slurm
    of_others(slurm, "other", "--mem=100", "--nodelist=node-1")
    swop, places = swarm.train(4, MIN_PEERS=2)
    assert sorted(places.values()) == NAMES
    assert [len(slurm.disk(name)) for name in NAMES] == [1] * 4
    assert not list(pathlib.Path("/tmp").glob("swarm-*@*")), "pipes are on the nodes' own disks"
    slurm.kill_node(places[0])
    if not BY_HAND:
        slurm.give_up(places[0])
    of_others(slurm, "urgent", "--partition=urgent", "--mem=800", f"--nodelist={places[1]}")
    swarm.open_gate()
    swarm.wait_for("FAILED", "FAILED", "COMPLETE", "COMPLETE")
    status = swarm.wait_task()
    assert [status.field(each) for each in ("TASK_STATE", "COMPLETED_PEERS", "FAILED_PEERS")] == ["ERROR", "2", "2"]
    assert f"Slurm has ended its job (NODE_FAIL) on {places[0]}" in swop.log()
    assert f"Slurm has ended its job (PREEMPTED) on {places[1]}" in swop.log()
    assert swarm.result_of(2) == swarm.result_of(3)
    swarm.reset(swop, "other", "urgent")


@pytest.mark.skipif(SCRAMBLED, reason="it reads the log")
def test_a_dead_slurmd_loses_its_pair_and_a_scheduler_that_is_away_loses_none(swarm):
    slurm = swarm.slurm
    swop, places = swarm.train(3, MIN_PEERS=2)
    slurm.tell(places[0], "kill")
    if not BY_HAND:
        slurm.give_up(places[0])
    swarm.wait_for("FAILED", "ACTIVE", "ACTIVE")
    assert f"Slurm has ended its job (NODE_FAIL) on {places[0]}" in swop.log()
    slurm.kill_scheduler()
    swop.wait_log("Slurm does not answer .*: programs are as they were known last, and it is asked again")
    swarm.open_gate()
    swarm.wait_for("FAILED", "COMPLETE", "COMPLETE")
    slurm.start_scheduler()
    swop.wait_log("Slurm answers again")
    slurm.tell(places[0], "start")
    swarm.reset(swop)
    assert swop.log().count("Slurm does not answer") == swop.log().count("Slurm answers again") == 1
