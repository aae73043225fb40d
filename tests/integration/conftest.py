import os
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "python")]

from harness import BIN, SN, Certs, Swarm, inspect_program, reported

NODES = (*(f"sn-{i}" for i in range(1, 7)), "sl-1", "sl-2", "swop-1", "swop-2", "swci-1", "probe")


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    assert (BIN / "swarmd").exists(), f"{BIN} has no swarmd: build it, or name its folder in SWARMD_BIN_DIR"
    return Certs(tmp_path_factory.mktemp("certs"), *NODES)


@pytest.fixture
def folder():
    """Short, as the path of a Unix socket has at most 107 bytes."""
    path = tempfile.mkdtemp(prefix="swarmd-test-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def sn(certs):
    """One SN for all tests of a file."""
    folder = tempfile.mkdtemp(prefix="swarmd-test-")
    sn = SN(folder, certs)
    try:
        yield sn.start().wait_up()
    finally:
        sn.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    setattr(item, "report_" + report.when, report)
    return report


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, Swarm(folder, certs))


@pytest.fixture
def inspect():
    """Runs swarm-inspect on a process of swarmd; gives what it prints, of a failure what it says of it."""
    program = inspect_program()
    assert program, "swarm-inspect is not built"

    def run(process, *arguments, status=0):
        done = subprocess.run(
            [program, "--data-dir", process.data_dir, *arguments], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    return run
