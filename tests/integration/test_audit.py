"""Proofs of merge records: made by a running SN, checked by two programs that share no code, one of them not ours."""

import contextlib
import copy
import importlib.util
import io
import json
import pathlib
import re
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
from harness import DEFAULT_CONTRACT, ROOT, Meeting, Program, inspect_program, says, trains

SCRIPT = ROOT / "examples/audit/verify_merge.py"


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)


def inspect_verifies(file, *trust):
    return run(inspect_program(), "verify", file, *trust)


def script_verifies(file, *trust):
    return run(sys.executable, SCRIPT, file, *trust)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("verify_merge", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script_verifies_here(script):
    """The same as `script_verifies`, without a process of its own for each of many files."""

    def verifies(file, *trust):
        out, error, code = io.StringIO(), io.StringIO(), 0
        arguments = mock.patch("sys.argv", [str(word) for word in (SCRIPT, file, *trust)])
        with arguments, contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                script.main()
            except SystemExit as end:
                code = end.code
        if isinstance(code, str):  # as the interpreter does with it
            error.write(f"{code}\n")
            code = 1
        return subprocess.CompletedProcess((), code, out.getvalue(), error.getvalue())

    return verifies


def inspect(swarm, *arguments):
    return run(inspect_program(), "--data-dir", swarm.sn.data_dir, *arguments)


@pytest.fixture
def proved(swarm):
    """A swarm that has trained two rounds, and the proof of the first."""
    swarm.start(sls=2)
    meet = Meeting(2)
    params = [{"w": np.full(5, number, np.float64)} for number in (1, 2)]
    programs = [Program(sl, trains([params[i]] * 2, params[i], meet, minPeers=2)) for i, sl in enumerate(swarm.sls)]
    for program in programs:
        program.result()
    file = swarm.folder / "round-1.json"
    made = inspect(swarm, "proof", DEFAULT_CONTRACT, 1, "-o", file)
    assert made.returncode == 0 and str(file) in made.stdout, made.stderr
    yield swarm, file, json.loads(file.read_text())


def trust_of(swarm):
    chain = swarm.sn.admin("chain")
    return [("--genesis", chain["genesis"]), ("--validators", chain["account"])]


@pytest.mark.parametrize("verifies", [inspect_verifies, script_verifies])
def test_a_merge_is_proved_offline(proved, verifies):
    swarm, file, proof = proved
    trust = trust_of(swarm)
    swarm.sn.terminate()
    for which in [*trust, (*trust[0], *trust[1])]:
        done = verifies(file, *which)
        assert done.returncode == 0, done.stderr
        assert "round 1" in done.stdout and proof["digest"] in done.stdout
        assert all(model["digest"] in done.stdout for model in proof["models"])
    for which in [("--genesis", "0x" + 64 * "1"), ("--validators", "0x" + 40 * "1")]:
        done = verifies(file, *which)
        assert done.returncode == 1 and says(done.stderr, "block"), (done.stdout, done.stderr)
    assert verifies(file).returncode == 2


def test_the_proof_says_what_the_chain_says(proved):
    swarm, _, proof = proved
    merge = next(one for one in swarm.sn.merges() if one.round_num == 1)
    assert proof["digest"] == "0x" + merge.digest and proof["size"] == merge.size
    assert proof["leader"] == merge.leader and [m["peer"] for m in proof["models"]] == merge.contributors
    assert {m["peer"] for m in proof["models"]} == {sl.node_account for sl in swarm.sls}
    said = {}
    for log in swarm.sn.events("reveals"):
        if int(log["topics"][2], 16) == 1:
            said["0x" + log["topics"][1][-40:]] = "0x" + log["data"][2 + 64 : 2 + 128]
    assert {m["peer"]: m["digest"] for m in proof["models"]} == said and len(set(said.values())) == 2


def test_what_cannot_be_proved_is_said(proved):
    swarm, file, _ = proved
    for arguments, why in [
        ((DEFAULT_CONTRACT, 99), "has no merge of round 99"),
        (("nobody", 1), "there is no training contract 'nobody'"),
        ((DEFAULT_CONTRACT, 1, "--generation", 5), "in generation 5"),
        ((DEFAULT_CONTRACT, 1, "-o", "/nowhere/proof.json"), "cannot write /nowhere/proof.json"),
    ]:
        done = inspect(swarm, "proof", *arguments)
        assert done.returncode == 1 and says(done.stderr, why), (arguments, done.stderr)
    file.write_text("{")
    for verifies in (inspect_verifies, script_verifies):
        done = verifies(file, *trust_of(swarm)[0])
        assert done.returncode == 1 and done.stderr, done.stdout


def leaves(value, path=()):
    """(path, value) of everything that is no list and no object."""
    if not isinstance(value, (dict, list)):
        yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(inner, (*path, key))


def altered(value):
    if value is None:
        return "too late"
    if isinstance(value, int):
        return value + 1
    middle = max(2, len(value) // 2)
    return value[:middle] + ("1" if value[middle] == "0" else "0") + value[middle + 1 :]


def bent_leaves(proof):
    """(path, the proof with the leaf at that path altered), for every leaf."""
    for path, value in leaves(proof):
        bent = copy.deepcopy(proof)
        place = bent
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = altered(value)
        yield path, bent


def test_every_field_that_is_altered_is_noticed(proved, script_verifies_here):
    """One leaf of each kind, by both programs; the reason is told."""
    swarm, file, proof = proved
    trust = trust_of(swarm)[0]
    kinds = {}
    for path, bent in bent_leaves(proof):
        kinds.setdefault(re.sub(r"\d+", "*", "/".join(map(str, path))), bent)
    assert len(kinds) >= 35, kinds.keys()
    for kind, bent in kinds.items():
        file.write_text(json.dumps(bent))
        for verifies in (inspect_verifies, script_verifies_here):
            done = verifies(file, *trust)
            assert done.returncode == 1 and done.stdout == "", (kind, done.stdout)
            assert len(done.stderr.strip().splitlines()) == 1, (kind, done.stderr)


SAMPLE = ROOT / "examples/audit/sample.proof.json"
SHARDS = SAMPLE.with_name("shards.proof.json")  # the same chain, a round later
SAMPLE_GENESIS = "0x567154861d3acbaf3f96cf5dc123b9b78df29d5f8e07da787f628755d952636c"


@pytest.mark.parametrize("verifies", [inspect_verifies, script_verifies])
def test_the_sample_holds(verifies):
    """Three validators that came in after genesis, two of whom sealed; a contributor and an excluded peer."""
    assert SAMPLE_GENESIS in (SAMPLE.parent / "README.md").read_text()
    done = verifies(SAMPLE, "--genesis", SAMPLE_GENESIS)
    assert done.returncode == 0 and "left out: not finite" in done.stdout, done.stderr
    done = verifies(SHARDS, "--genesis", SAMPLE_GENESIS)
    makers = ", ".join(one["peer"] for one in json.loads(SHARDS.read_text())["shards"])
    assert done.returncode == 0 and f"by {makers}," in done.stdout, done.stderr


@pytest.mark.parametrize("sample", [SAMPLE, SHARDS], ids=["by the leader", "in shards"])
def test_no_leaf_of_the_sample_can_be_altered(folder, script, sample):
    proof = json.loads(sample.read_text())
    assert len(proof["handovers"]) == 2 and len(proof["handovers"][1]["validator_proofs"]) == 3
    script.verify(proof, script.raw(SAMPLE_GENESIS), None)
    file = pathlib.Path(folder) / "bent.json"
    for path, bent in bent_leaves(proof):
        file.write_text(json.dumps(bent))
        done = inspect_verifies(file, "--genesis", SAMPLE_GENESIS)
        assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1, (path, done.stdout, done.stderr)
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, `main` says that nothing is proved
            script.verify(bent, script.raw(SAMPLE_GENESIS), None)


def test_every_part_that_is_missing_is_noticed(proved, script_verifies_here):
    swarm, file, proof = proved
    trust = trust_of(swarm)[0]
    for name, value in proof.items():
        bent = {key: inner for key, inner in proof.items() if key != name}
        variants = [bent] + ([{**proof, name: value[:-1]}] if isinstance(value, list) and value else [])
        for variant in variants:
            file.write_text(json.dumps(variant))
            for verifies in (inspect_verifies, script_verifies_here):
                done = verifies(file, *trust)
                assert done.returncode == 1 and done.stdout == "", (name, done.stdout)
                assert len(done.stderr.strip().splitlines()) == 1, (name, done.stderr)
