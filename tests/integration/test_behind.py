"""Merges that are checked behind: programs that can take a merge back have it before it is accepted."""

import numpy as np
import pytest
from harness import Program
from launcher.operators import SWCI

SYNCS = 3


def behind(swarm):
    """Makes a training contract `own` whose merges are verified behind."""
    said = SWCI(swarm.folder, swarm.certs, swarm.folder).run(
        f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP 127.0.0.1 {swarm.sn.port}\nSWITCH CONTEXT c\nCREATE CONTRACT own\n"
        "VERIFY MERGES own BEHIND\nGET CONTRACT INFO own\nEXIT\n"
    )
    assert said.code == 0 and "BEHIND" in said.text, said.text


@pytest.fixture
def owned(swarm):
    swarm.start_sn()
    behind(swarm)
    return swarm


@pytest.mark.parametrize("floats", [100, 400_000], ids=["made by all", "made in parts"])
def test_programs_train_on_with_a_merge_that_is_still_checked(owned, floats):
    """One of them cannot take back, as those of the original's client."""

    def work(number):
        def syncs(client):
            client.open(minPeers=3, trainingContract="own", takesBack=number < 3)
            for step in range(SYNCS):
                client.sync({"w": np.arange(floats, dtype=np.float64) + 10 * step + number})
            client.close({"w": np.arange(floats, dtype=np.float64) + 100 + number})
            return client

        return syncs

    programs = [Program(owned.add_sl(), work(number)) for number in (1, 2, 3)]
    clients = [program.result() for program in programs]
    for client in clients[:2]:
        assert client.given_ahead == [True] * SYNCS + [False], "the last one always waits"
    assert clients[2].given_ahead == [False] * (SYNCS + 1)
    for step, merges in enumerate(zip(*(client.merged for client in clients))):
        for merge in merges:
            expected = np.arange(floats) + (100 if step == SYNCS else 10 * step) + 2
            np.testing.assert_allclose(merge["w"], expected, rtol=1e-12)
