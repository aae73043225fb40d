"""deploy/bin/gen-cert as the scripts of Swarm Learning 2.x call it."""

import os
import stat
import subprocess

import pytest
from repository import ROOT

GEN_CERT = os.path.join(ROOT, "deploy/bin/gen-cert")


def gen_cert(folder, *arguments):
    return subprocess.run([GEN_CERT, *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("example", ["mnist", "reverse-proxy/mnist", "spire/cifar10"])
def test_an_example_gets_the_files_of_the_original(tmp_path, example):
    (tmp_path / "workspace" / example).mkdir(parents=True)
    for index in "12":
        done = gen_cert(tmp_path, "-e", example, "-i", index)
        assert done.returncode == 0, done.stderr
    cert = tmp_path / "workspace" / example / "cert"
    kinds = [f"{role}-{index}" for role in ("sn", "sl", "swci", "swop") for index in (1, 2)]
    wanted = {f"{name}-{part}.pem" for name in kinds for part in ("cert", "key")} | {"ca"}
    assert {one.name for one in cert.iterdir()} == wanted
    assert {one.name for one in (cert / "ca/capath").iterdir()} == {"ca-1-cert.pem", "ca-2-cert.pem"}
    assert stat.S_IMODE((cert / "sn-1-key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("example", ["/mnist", "mnist/", "../mnist", "mnist/../..", "a//b", ".", "-x/y"])
def test_an_example_is_a_folder_below_workspace(tmp_path, example):
    (tmp_path / "workspace/mnist").mkdir(parents=True)
    done = gen_cert(tmp_path, "-e", example, "-i", "1")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert [one.name for one in (tmp_path / "workspace").rglob("*")] == ["mnist"]


def test_an_example_that_is_not_there_is_named(tmp_path):
    done = gen_cert(tmp_path, "-e", "reverse-proxy/mnist", "-i", "1")
    assert done.returncode == 1 and "workspace/reverse-proxy/mnist: no such folder" in done.stderr
