"""style_program.py FRAMEWORK MODULE RESULT [STYLE...]: trains in every style of a module, with a swarm of its own;
writes the outcomes."""

import importlib
import json
import os
import pathlib
import sys
import tempfile
import traceback

framework, module, result, *wanted = sys.argv[1:]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "python")]
if framework != "torch":
    os.environ["KERAS_BACKEND"] = framework.replace("keras-", "")
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")

import pytest
from fake_sl import GhostSwarm

styles = importlib.import_module(module)
found = {}
for style in styles.STYLES:
    if wanted and style.__name__ not in wanted:
        continue
    with tempfile.TemporaryDirectory() as folder:
        swarm = GhostSwarm(folder, memory=True).start()  # other tests use the FIFOs
        os.environ.update(swarm.sls[0].environment)
        try:
            callback = style()
            outcome = {"held": callback.modelDigest(), "swarm": swarm.digest, "rounds": callback.syncs}
            swarm.join()
        except pytest.skip.Exception as skipped:
            outcome = {"skipped": str(skipped)}
        except Exception:
            outcome = {"error": traceback.format_exc()}
        found[style.__name__] = outcome
pathlib.Path(result).write_text(json.dumps(found))
