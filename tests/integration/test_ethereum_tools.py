"""What tools that nobody here wrote make of a node and of the published interfaces."""

import os
import pathlib
import shutil
import subprocess

import pytest
from harness import BIN, ROOT
from outsider import SWCI, Outsider

NODE = shutil.which("node")
MODULES = pathlib.Path(os.environ.get("NODE_PATH", ROOT / "build/npm/node_modules"))

pytestmark = pytest.mark.skipif(
    NODE is None or not (MODULES / "ethers").is_dir() or not (MODULES / "solc").is_dir(),
    reason="needs node and the npm packages ethers and solc in build/npm (./run deps test)",
)


def node_says(*command):
    run = subprocess.run(
        [NODE, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 failed" in run.stdout
    return run.stdout


def test_ethers_reads_calls_and_sends(swarm):
    swarm.start(sls=1)
    swarm.sls[0].wait_ready()
    Outsider(swarm.sn, "swci-1", SWCI)  # an operator's node; others do not read
    folder = swarm.certs.folder
    node_says(
        ROOT / "tests/ethers/check_node.js",
        f"https://127.0.0.1:{swarm.sn.port}/",
        folder / "swci-1-cert.pem",
        folder / "swci-1-key.pem",
        swarm.certs.capath / "ca-cert.pem",
    )


def test_solc_agrees_with_the_native_contracts(folder):
    run = subprocess.run(
        [
            ROOT / "tests/contracts/check_interfaces",
            "--dump",
            BIN / "dump_contracts",
            "--out",
            folder,
            "--modules",
            MODULES,
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0 and " 0 failed" in run.stdout, run.stdout + run.stderr
