"""Every benchmark still runs and prints figures that ./run bench can show. Sizes are tiny: the values mean nothing."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from launcher.engines import why_no_engine
from launcher.operators import why_no_sandboxes
from repository import ROOT

BIN = pathlib.Path(os.environ.get("SWARM_BIN") or os.path.join(ROOT, "build", "release", "bin"))
BENCH = pathlib.Path(ROOT, "tools/bench")
FIELDS = {"name", "value", "unit", "reference", "reference_value", "ratio", "target", "met"}
STEMS = sorted({file.parent.name for what in ("bench.py", "bench_*.cpp") for file in BENCH.glob("*/" + what)})


@pytest.mark.parametrize("stem", STEMS)
def test_a_benchmark_runs(stem, tmp_path):
    if stem == "txn" and not shutil.which("etcd"):
        pytest.skip("etcd is not installed; ./run deps bench brings it")
    if stem == "containers" and (why := why_no_engine("docker") and why_no_engine("podman")):
        pytest.skip(why)
    if stem == "many_swops" and (why := why_no_sandboxes()):
        pytest.skip(why)
    if stem == "flower" and (os.geteuid() != 0 or not pathlib.Path(ROOT, "build/flower/bin/flower-superlink").exists()):
        pytest.skip("Flower is not in build/flower, or this is not root; ./run bench flower brings it")
    figures = tmp_path / "figures.json"
    outcome = subprocess.run(
        [sys.executable, BENCH / "bench.py", stem, "--smoke", "--json", figures],
        env={**os.environ, "SWARM_BIN": str(BIN)},
        capture_output=True,
        text=True,
        timeout=600,  # only bounds a hang
    )
    assert outcome.returncode == 0, outcome.stderr
    found = json.loads(figures.read_text())
    assert found
    for figure in found:
        assert set(figure) == FIELDS
        assert figure["name"].startswith(stem) and figure["value"] >= 0
        assert (figure["target"] is None) == (figure["met"] is None)
        assert figure["name"] in outcome.stdout
