"""GET MODEL and PROVE: files that a SWCI saves from what SLs and SNs hand out."""

import json
import shutil
import subprocess
import threading

import numpy as np
import pytest
from harness import DEFAULT_CONTRACT, PATIENCE, Meeting, Program, inspect_program, read_safetensors, says, trains
from launcher.swci_web import SWCI

VALUES = (1.0, 2.0)


class Halt:
    """Lets a training stand still before its third sync, so that two rounds are merged and all SLs run."""

    def __init__(self):
        self.reached, self.go_on = threading.Barrier(3), threading.Event()
        self.meet = Meeting(2)

    def __call__(self, number, client):
        self.meet(number, client)
        if number == 3:
            self.reached.wait(PATIENCE)
            assert self.go_on.wait(PATIENCE)


@pytest.fixture
def halted(swarm, certs):
    """A SWCI beside two SLs of which both have the models of two rounds."""
    swarm.start(sls=2)
    halt = Halt()
    models = [{"w": np.full(400_000, value), "b": np.array([value])} for value in VALUES]
    programs = [
        Program(sl, trains([model] * 3, model, halt, minPeers=2)) for sl, model in zip(swarm.sls, models, strict=True)
    ]
    swci = SWCI(swarm.folder, certs)
    swarm.others.append(swci)
    swci.start().wait_up()
    halt.reached.wait(PATIENCE)
    assert swci.exec(f"create context t with ip 127.0.0.1 {swarm.sn.port}")[-1] == "CONTEXT CREATED : t"
    swci.exec("switch context t")
    yield swarm, swci
    halt.go_on.set()
    for program in programs:
        program.join(PATIENCE)


def fields(answer):
    return dict(line.split(" : ", 1) for line in (" ".join(line.split()) for line in answer.splitlines()))


def left_in(swci):
    return sorted(file.name for file in swci.usr.rglob("*"))


def test_merged_models_are_saved(halted):
    swarm, swci = halted
    merges = {merge.round_num: merge for merge in swarm.sn.merges()}
    assert set(merges) == {1, 2}
    for command, round_num in (("", 2), (" round 2", 2), (" round 1", 1)):
        (said,) = swci.exec(f"get model {DEFAULT_CONTRACT}{command} to m.safetensors")
        told = fields(said)
        raw = (swci.usr / "m.safetensors").read_bytes()
        assert (told["CONTRACT"], told["ROUND"]) == (DEFAULT_CONTRACT, str(round_num))
        assert told["FILE"] == "/platform/swarm/usr/m.safetensors" and told["BYTES"] == str(len(raw))
        assert told["DIGEST"].removeprefix("0x") == merges[round_num].digest
        model = read_safetensors(raw)
        assert set(model) == {"w", "b"} and np.all(model["w"] == np.mean(VALUES))
        assert raw == swarm.sls[0].model_file(merges[round_num].digest)
    assert left_in(swci) == ["m.safetensors"]
    (swci.usr / "models").mkdir()
    swci.exec("cd models")
    (said,) = swci.exec(f"get model {DEFAULT_CONTRACT} to n.safetensors")
    assert fields(said)["FILE"].endswith("/models/n.safetensors")
    assert (swci.usr / "models" / "n.safetensors").stat().st_mode & 0o777 == 0o664


def test_models_that_cannot_be_saved(halted):
    swarm, swci = halted
    (swci.usr / "swci-init").write_text("pwd\n")
    (swci.usr / "folder.safetensors").mkdir()
    outside = swarm.folder / "outside"
    outside.mkdir()
    (swci.usr / "link.safetensors").symlink_to(outside / "model")
    (swci.usr / "out").symlink_to(outside)
    before = left_in(swci)
    for what, why in {
        "none to m.safetensors": "there is no contract 'none'",
        f"{DEFAULT_CONTRACT} round 99 to m.safetensors": "no merge of round 99",
        f"{DEFAULT_CONTRACT} round 0 to m.safetensors": "",
        f"{DEFAULT_CONTRACT} to swci-init": "is there already",
        f"{DEFAULT_CONTRACT} to folder.safetensors": "is there already",
        f"{DEFAULT_CONTRACT} to link.safetensors": "is a link",
        f"{DEFAULT_CONTRACT} to out/m.safetensors": "leads out",
        f"{DEFAULT_CONTRACT} to ../m.safetensors": "outside",
        f"{DEFAULT_CONTRACT} to nowhere/m.safetensors": "nowhere",
    }.items():
        said = swci.exec(f"get model {what}")[0]
        assert said.startswith("ERROR : ") and says(said, why), (what, said)
    assert left_in(swci) == before and list(outside.iterdir()) == []
    assert (swci.usr / "swci-init").read_text() == "pwd\n"
    swci.exec("create contract fresh")
    said = swci.exec("get model fresh to m.safetensors")[0]
    assert says(said, "nothing is merged under 'fresh' yet")


def test_models_come_from_whoever_is_left(halted):
    swarm, swci = halted
    swarm.sls[0].kill9()
    assert fields(swci.exec(f"get model {DEFAULT_CONTRACT} to a.safetensors")[0])["ROUND"] == "2"
    swarm.sls[1].kill9()
    said = swci.exec(f"get model {DEFAULT_CONTRACT} to b.safetensors")[0]
    assert said.startswith("ERROR : ") and says(said, "no peer serves the model of round 2 now")
    assert left_in(swci) == ["a.safetensors"]


def test_a_disk_that_fails_leaves_nothing(halted):
    _, swci = halted
    swci.usr.chmod(0o500)
    try:
        said = swci.exec(f"get model {DEFAULT_CONTRACT} to m.safetensors")[0]
        if not said.startswith("ERROR "):  # root writes everywhere
            assert (swci.usr / "m.safetensors").exists()
        else:
            assert left_in(swci) == []
    finally:
        swci.usr.chmod(0o700)


def test_merges_are_proved(halted):
    swarm, swci = halted
    (said,) = swci.exec(f"prove {DEFAULT_CONTRACT} round 1 to proof.json")
    file = swci.usr / "proof.json"
    assert fields(said)["FILE"] == "/platform/swarm/usr/proof.json"
    assert int(fields(said)["BYTES"]) == file.stat().st_size
    genesis = swarm.sn.admin("chain")["genesis"]
    command = [inspect_program(), "verify", file, "--genesis", genesis]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "proved" in done.stdout, done.stderr
    assert json.loads(file.read_text())["round"] == 1
    made = swarm.folder / "same.json"
    subprocess.run(
        [inspect_program(), "--data-dir", swarm.sn.data_dir, "proof", DEFAULT_CONTRACT, "1", "-o", made], check=True
    )
    assert json.loads(made.read_text()) == json.loads(file.read_text())
    assert swci.exec(f"prove {DEFAULT_CONTRACT} round 2 to proof.json")[0].startswith("CONTRACT")
    shutil.copy(file, swci.usr / "swci-init")
    for what, why in {
        f"{DEFAULT_CONTRACT} round 99 to other.json": "no merge of round 99",
        "none round 1 to other.json": "no training contract 'none'",
        f"{DEFAULT_CONTRACT} round 1 to swci-init": "is there already",
        f"{DEFAULT_CONTRACT} round 1 to ../other.json": "outside",
    }.items():
        said = swci.exec(f"prove {what}")[0]
        assert said.startswith("ERROR : ") and says(said, why), (what, said)
    assert left_in(swci) == ["proof.json", "swci-init"]
