"""handshake_svid: a new connection whose two sides have their certificate from a SPIFFE agent, up to the answer of its
first request; beside it the same with that certificate, its key and its authority in files, by turns."""

import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests/integration")]
from figures import figure, options, run_json  # noqa: E402
from spiffe_agent import PEM, Agent, TrustDomain, pkcs8  # noqa: E402

BIN = pathlib.Path(os.environ.get("SWARM_BIN", ROOT / "build/release/bin"))
TARGET = 1.1

given = options(__doc__)
with tempfile.TemporaryDirectory(prefix="swarm-bench-") as name:
    folder = pathlib.Path(name)
    domain = TrustDomain("bench.example")
    agent = Agent(folder / "agent.sock", domain, "/sn", federated=[TrustDomain(f"o{i}.example") for i in range(7)])
    try:
        certificate, key = agent.made
        files = [folder / each for each in ("key.pem", "cert.pem", "ca.pem")]
        texts = (pkcs8(key, PEM), certificate.public_bytes(PEM), domain.certificate.public_bytes(PEM))
        for file, text in zip(files, texts):
            file.touch(mode=0o600)
            file.write_bytes(text)
        taken = run_json(BIN / "handshakes", *files, agent.socket, 3 if given.smoke else 2000)
    finally:
        agent.stop()
figure("handshake_svid", taken["agent"], "ms", "the same certificate in files", taken["files"], TARGET,
       taken["agent"] <= TARGET * taken["files"])
