"""txn_final_1sn: one transaction final at the client with one SN, beside one etcd put with one node."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from bench_nodes import BIN, Swarm, free_ports, wait_until  # noqa: E402

COUNT = 1000
TARGET = 2.0

with Swarm() as swarm:
    swarm.start_sn()
    client_port, peer_port = free_ports(2)
    peer_url = f"http://127.0.0.1:{peer_port}"
    client_url = f"http://127.0.0.1:{client_port}"
    etcd = swarm.start("etcd", "etcd", "--data-dir", swarm.dir / "etcd", "--listen-client-urls", client_url,
                       "--advertise-client-urls", client_url, "--listen-peer-urls", peer_url,
                       "--initial-advertise-peer-urls", peer_url, "--initial-cluster", f"default={peer_url}")
    wait_until(lambda: "ready to serve client requests" in swarm.log("etcd"), "etcd's start", etcd)
    outcome = subprocess.run(
        [BIN / "txn_latency", "127.0.0.1", str(swarm.sn_port), swarm.certs / "sl-1-cert.pem",
         swarm.certs / "sl-1-key.pem", swarm.certs / "ca/capath/ca-cert.pem", str(client_port), str(COUNT)],
        check=True, capture_output=True, text=True)
    times = json.loads(outcome.stdout)

for share in ("p50", "p99"):
    value, reference = times[f"txn_{share}"], times[f"put_{share}"]
    print(json.dumps({"name": f"txn_final_1sn_{share}", "value": value, "unit": "ms",
                      "reference": "etcd put, one node, JSON gateway", "reference_value": reference,
                      "ratio": value / reference, "target": TARGET, "met": value <= TARGET * reference}))
