"""However a program trains, what it holds at the end is what the swarm names: 12 styles on every framework that is
installed. The swarm's other node always gives other values, so a merge that is not loaded would show."""

import importlib.util
import json
import os
import subprocess

import pytest
from launcher.forks import python_with
from older import is_keras_2

HERE = os.path.dirname(os.path.abspath(__file__))
STYLES = ["plain", "validation", "batch_norm", "bfloat16", "accumulation", "compiled", "trainable_only", "tied",
          "recurrent", "several_inputs", "averaged", "restore_best"]  # fmt: skip
FRAMEWORKS = {
    "torch": ["torch"],
    "keras-torch": ["keras", "torch"],
    "keras-tensorflow": ["keras", "tensorflow"],
    "keras-jax": ["keras", "jax"],
}


def outcomes_of(framework, module, folder):
    """What came of each style of a module, by its name."""
    missing = [name for name in FRAMEWORKS[framework] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    if framework in ("keras-torch", "keras-jax") and is_keras_2():
        pytest.skip("Keras 2 has TensorFlow as its only backend")
    result = folder / "result.json"
    command = [python_with(framework), os.path.join(HERE, "style_program.py"), framework, module, str(result)]
    # Nothing here runs long enough to be worth what XLA's compiler may do for its speed.
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment = {**os.environ, "MODEL_DIR": str(folder), "OMP_NUM_THREADS": "1", "XLA_FLAGS": quick}
    run = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)  # it bounds a hang
    assert result.exists(), run.stderr[-3000:]
    return json.loads(result.read_text())


@pytest.fixture(scope="module", params=FRAMEWORKS)
def outcomes(request, tmp_path_factory):
    module = "styles_torch" if request.param == "torch" else "styles_keras"
    return outcomes_of(request.param, module, tmp_path_factory.mktemp("styles"))


def check(outcome):
    if "skipped" in outcome:
        pytest.skip(outcome["skipped"])
    assert "error" not in outcome, outcome["error"]
    assert outcome["held"] == outcome["swarm"]
    assert outcome["rounds"] == 5  # at the beginning and the end, and three in 8 batches


@pytest.mark.parametrize("style", STYLES)
def test_the_model_is_the_swarm_s(outcomes, style):
    check(outcomes[style])
