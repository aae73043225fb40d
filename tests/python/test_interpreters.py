"""The package under other Pythons than the one that runs the tests: 3.9 is the oldest, 3.13 the newest.

Taken are those on the PATH, and what SWARM_TEST_PYTHONS lists (paths of interpreters, e.g. of virtual environments with
an old torch, separated by colons). Each does what the packages that it has allow. Those that are listed also run the
tests of the frameworks, if they have pytest; with tf.keras 2 and torch 1.13, for instance:

    python3.9 -m venv old
    old/bin/pip install tensorflow-cpu==2.15.1 torch==1.13.1 torchmetrics pytest
    SWARM_TEST_PYTHONS=old/bin/python .venv/bin/python -m pytest tests/python/test_interpreters.py
"""

import os
import pathlib
import shutil
import subprocess

import pytest
from repository import ROOT

PACKAGE = pathlib.Path(ROOT) / "python" / "swarmlearning"
LISTED = [path for path in os.environ.get("SWARM_TEST_PYTHONS", "").split(os.pathsep) if path]
PYTHONS = ["python3.9", "python3.13", *LISTED]
OF_FRAMEWORKS = ["test_validation", "test_tf", "test_keras", "test_keras_practice", "test_styles"]
NOTHING_FOUND = 5  # how pytest ends when a file is skipped as a whole
COMPILE = """
import pathlib, sys
for file in pathlib.Path(sys.argv[1]).rglob("*.py"):
    compile(file.read_text(encoding="utf-8"), str(file), "exec")
"""
NUMPY_PROGRAM = """
from dict_program import DictCallback, train
import swarmlearning.__main__
callback = DictCallback(adsValData=([], []))
train(callback, 5)
print(callback.syncs, len(callback.modelDigest()))
"""
EXAMPLE = """
import doctest, importlib, logging, sys
logging.getLogger("SwarmCallback").handlers = [logging.NullHandler()]
found = doctest.testmod(importlib.import_module(sys.argv[1]))
sys.exit(found.failed or not found.attempted)
"""
PYTEST = """
import pytest, sys
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", sys.argv[1]]))
"""


def run(python, text, *arguments):
    paths = os.pathsep.join([str(PACKAGE.parent), os.path.dirname(os.path.abspath(__file__))])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    environment.pop("KERAS_BACKEND", None)
    return subprocess.run([python, "-c", text, *map(str, arguments)], env=environment, capture_output=True, text=True)


@pytest.fixture(params=PYTHONS)
def python(request):
    if shutil.which(request.param) is None or run(request.param, "").returncode != 0:
        pytest.skip(f"there is no {request.param}")
    return request.param


def needs(python, *modules):
    for module in modules:
        if run(python, f"import {module}").returncode != 0:
            pytest.skip(f"{python} has no {module}")


def test_every_file_is_understood(python):
    done = run(python, COMPILE, PACKAGE)
    assert done.returncode == 0, done.stderr


def test_a_session(python, swarm):
    needs(python, "numpy")
    swarm()
    done = run(python, NUMPY_PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3 64"


@pytest.mark.parametrize("module, framework", [("pyt", "torch"), ("tf", "keras")])
def test_the_example_of_a_framework(python, swarm, module, framework):
    needs(python, "numpy", framework)
    swarm()
    done = run(python, EXAMPLE, f"swarmlearning.{module}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", OF_FRAMEWORKS)
@pytest.mark.parametrize("listed", LISTED)
def test_the_frameworks_of_a_listed_python(listed, file):
    needs(listed, "pytest")
    done = run(listed, PYTEST, pathlib.Path(__file__).with_name(f"{file}.py"))
    if done.returncode == NOTHING_FOUND:
        pytest.skip(f"{listed} lacks what {file} needs")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
