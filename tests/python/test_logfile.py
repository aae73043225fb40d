"""<program-name>_sw.log: where it is and what is in it."""

import os
import subprocess
import sys

import pytest
from repository import ROOT

PROGRAM = """
import logging, sys
sys.path[:0] = [{tests!r}]
from dict_program import DictCallback
logger = {logger}
callback = DictCallback(logger=logger, totalEpochs=1)
DictCallback(logger=logger, totalEpochs=1)
callback._log("a line of the swarm")
callback.logger.info("a line of the user")
"""


def run(folder, logger="None", name="mnist_tf.py", **environment):
    program = folder / name
    program.write_text(PROGRAM.format(tests=os.path.join(ROOT, "tests/python"), logger=logger))
    variables = {**os.environ, "PYTHONPATH": os.path.join(ROOT, "python"), "SWARM_LOOPBACK": "True", **environment}
    done = subprocess.run([sys.executable, program], env=variables, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_beside_the_program(tmp_path):
    out = run(tmp_path)
    lines = (tmp_path / "mnist_tf_sw.log").read_text().splitlines()
    assert [line for line in lines if " : SwarmCallback : INFO : a line of the swarm" in line] == lines[-1:]
    assert "a line of the swarm" in out and "a line of the user" in out


def test_in_the_model_directory_with_a_logger_of_the_user(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    run(tmp_path, "logging.getLogger('mine'); logger.setLevel(logging.DEBUG)", MODEL_DIR="model")
    text = (model / "mnist_tf_sw.log").read_text()
    assert text.count("a line of the swarm") == 1 and "a line of the user" not in text
    assert not (tmp_path / "mnist_tf_sw.log").exists()


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path, folder):
    (tmp_path / "file").write_text("")
    run(tmp_path, MODEL_DIR=folder)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "mnist_tf.py"]


def test_other_kinds_of_logger_and_of_program_have_none(tmp_path):
    run(tmp_path, "type('L', (), dict.fromkeys(['info', 'debug', 'error'], staticmethod(lambda text: None)))()")
    run(tmp_path, name="program")
    assert not list(tmp_path.glob("*.log"))
