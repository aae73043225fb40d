"""rpc_reads_*: how many reads per second one SN answers to four clients, each over a kept WebSocket.

Beside each: how many answers to a GET for "/is_up" the same server gives, which is its network part alone, asked by
four threads of a plain client that keeps one connection each.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from figures import figure, options  # noqa: E402
from swarms import Swarm  # noqa: E402

CLIENTS = 4
REGISTRY = "0x0000000000000000000000000000000000005001"
# How many of each, so that what a client may ask for at once, before it is limited, is enough.
READS = {
    "block_number": (20_000, "eth_blockNumber", []),
    "block": (20_000, "eth_getBlockByNumber", ["latest", True]),
    "storage": (20_000, "eth_getStorageAt", [REGISTRY, "0x0", "latest"]),
    "call": (20_000, "eth_call", [{"to": REGISTRY, "data": "0xb7ab4db5"}, "latest"]),  # getValidators()
    "proof": (20_000, "eth_getProof", [REGISTRY, ["0x0"], "latest"]),
    "logs_of_100_blocks": (800, "eth_getLogs", [{"address": REGISTRY, "fromBlock": "0x1", "toBlock": "0x64"}]),
}


def main():
    given = options(__doc__)
    with Swarm() as swarm:
        sn = swarm.start_sn()
        swarm.load("txn_latency", 100, 0, sn.port)
        reference = swarm.plain_answers(100 if given.smoke else 5_000)
        for client, (name, (count, method, params)) in enumerate(READS.items(), 1):
            if given.wants(f"rpc_reads_{name}"):
                got = swarm.load("rpc_load", CLIENTS, min(count, 100) if given.smoke else count, 8, sn.port, method,
                                 json.dumps(params), client=client)
                figure(f"rpc_reads_{name}", got["per_second"], "/s", "GET /is_up, Python client", reference)


main()
