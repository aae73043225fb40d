"""Large merges: who fetches one gives what has come of it to the others."""

import threading

import numpy as np
from harness import PATIENCE, Program, trains

PEERS = 5
VALUES = 5_000_000  # 20 MB of float32


def served(sl):
    return sl.glance("actor", name="files")["detail"]["bytes_served"]


def test_a_leader_does_not_send_its_merge_to_each(swarm):
    swarm.start(sls=PEERS)
    counted = {}
    # Once all have loaded the merge, and before anybody brings its next model.
    count = threading.Barrier(PEERS, lambda: counted.update({sl.node_account: served(sl) for sl in swarm.sls}))

    def between(number, _):
        if number == 2:
            count.wait(PATIENCE)

    base = np.random.default_rng(1).random(VALUES, np.float32)
    programs = [Program(sl, trains([{"w": base + i}], None, between, minPeers=PEERS)) for i, sl in enumerate(swarm.sls)]
    for program in programs:
        client = program.result()
        assert np.allclose(client.merged[0]["w"], base + (PEERS - 1) / 2, atol=1e-5)
    merge = swarm.sn.merges()[0]
    assert len(merge.contributors) == merge.shards == PEERS
    # Of its own model each chunk goes to the two who check it; all the rest is the merge, for four others.
    of_merge = counted[merge.leader] - 2 * merge.size
    assert of_merge < 3 * merge.size, {sl: sent / merge.size for sl, sent in counted.items()}
