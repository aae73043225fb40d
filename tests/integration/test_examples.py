"""The examples, command by command as their READMEs say, with nodes and programs as processes of this host.

The walks of the user guide's chapters (MNIST, MNIST-PYT, CIFAR-10, fraud detection), and what of them waits:

| the guide's command | chapters | here |
|---|---|---|
| `mkdir workspace`, `cp -r examples/X workspace/` | all | as it stands, then `cp examples/common/*.py` |
| `gen-cert -e X -i N` | all | as it stands |
| `scp` of CA certificates between hosts | MNIST, CIFAR-10 | two gen-certs fill one capath |
| `docker network create` | all but CIFAR-10 | not in containers yet; the host's network |
| variables, `sed` of the placeholders | all | as they stand, without APLS |
| `docker volume create`, `docker cp` of the wheel | all but CIFAR-10 | not in containers yet; the volume's folder |
| `docker build` of ml-context | CIFAR-10 | not in containers yet; a virtual environment |
| `lib/swarmlearning-client-...whl` | all | `make-client-wheel` makes it |
| `run-sn`, `run-swop`, `run-swci` | all, CIFAR-10 run-sn only | as they stand, with `--no-container` |
| `run-sl` with `--ml-*` | CIFAR-10, MNIST-PYT | as it stands, without `--ml-image` and `--ml-v` |
| SWCI with `swci-init`: both tasks | all but CIFAR-10 | as it stands, `sn1` replaced by address and port |
| `Starting SWARM-API-SERVER on port:` | all | as it stands |
| `All peers and Swarm training rounds finished. ...` | all | as it stands |
| `Saved the trained model - ...cifar10.h5` | CIFAR-10 | as it stands |
| `stop-swarm`, `docker network rm`, `rm -r workspace` | all | as they stand; there is no network |
"""

import re

import pytest
from launcher.operators import SWCI, why_no_sandboxes
from launcher.processes import SCRAMBLED, free_port, until
from walks import WALK_SECONDS, Certificates, Walk

# What people read is what is walked here; that programs do not read it is tested elsewhere, in less time.
pytestmark = pytest.mark.skipif(SCRAMBLED, reason="the walks are for readable texts")

END = "SwarmCallback : INFO : All peers and Swarm training rounds finished. Final Swarm model was loaded."

SHORT_SLEEP = "sed -i 's/SLEEP 15/SLEEP 1/' swci/swci-init"


@pytest.fixture
def walk(request, folder):
    """Makes a walk; of one that failed everything is shown."""
    if why := why_no_sandboxes():
        pytest.skip(why)
    made = []

    def make(example, **options):
        made.append(Walk(folder, example, **options))
        return made[-1]

    yield make
    failed = getattr(request.node, "report_call", None)
    for each in made:
        if failed is not None and failed.failed:
            print(each.tail())
        each.clean_up()


def check_end(walk, chain, nodes):
    """The documented last lines, and one final model: on all nodes, and on record."""
    assert f"swarm.blCnt : INFO : Starting SWARM-API-SERVER on port: {chain.port}" in walk.log_of("sn1")
    assert walk.log().count("TASK_STATE : COMPLETE") == (2 if walk.swops else 0)
    outputs = walk.outputs()
    assert len(outputs) == nodes
    for name, text in outputs.items():
        assert END in text, name
    digests = {re.search(r"^final model (\w+)$", text, re.MULTILINE)[1] for text in outputs.values()}
    merge = chain.merges()[-1]
    assert digests == {merge.digest}
    assert len(merge.contributors) == nodes and not merge.excluded
    assert all(re.search("^data: ", text, re.MULTILINE) for text in outputs.values())


def test_breast_cancer(walk):
    port = free_port()
    own = walk("breast-cancer", values={"SN_API_PORT": port, "SN_P2P_PORT": free_port()}, swops=["swop1"],
               prepare=[SHORT_SLEEP, "sed -i 's/\"MAX_EPOCHS\" : 16/\"MAX_EPOCHS\" : 4/' $task"])  # fmt: skip
    own.start().wait_done()
    check_end(own, own.chain(port), 3)
    assert own.place.joinpath("model", "breast_cancer_sw.log").read_text().count(END) == 3
    for user in (1, 2, 3):
        assert own.place.joinpath(f"user{user}", "breast-cancer", "saved_model.pt").stat().st_size > 0
    own.finish()
    assert not own.place.exists()


def test_mnist(walk):
    port = free_port()
    ports = [f"sed -i 's/slport : 1[67]000/slport : {free_port()}/' swop/swop{host}_profile.yaml" for host in (1, 2)]
    own = walk("mnist", values={"SN_API_PORT": port, "SN_P2P_PORT": free_port()}, swops=["swop1", "swop2"],
               prepare=[SHORT_SLEEP, *ports])  # fmt: skip
    own.start().wait_done()
    check_end(own, own.chain(port), 2)
    for user in (1, 2):
        assert own.place.joinpath(f"user{user}", "mnist_tf", "saved_model.pb").stat().st_size > 0
    own.finish()
    assert not own.place.exists()


def progress(swci, port):
    """By UID: loss, and of how many epochs how many are done, as PERFDATA has them; nothing before a training."""
    opening = f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP 127.0.0.1 {port}\nSWITCH CONTEXT c\n"
    answer = swci.run(opening + "PERFDATA defaultbb.cqdb.sml.hpe\nEXIT\n")
    assert answer.code == 0, answer.text
    rows = answer.rows("UID")
    return {uid: (loss, int(done), int(total)) for uid, _, loss, _, total, done in rows if loss != "-"}


def test_fraud_detection(walk):
    port = free_port()
    own = walk("fraud-detection", values={"SN_API_PORT": port, "SN_P2P_PORT": free_port()}, swops=["swop1"],
               prepare=[SHORT_SLEEP, "sed -i 's/SLEEP 30/SLEEP 1/' swci/swci-init"])  # fmt: skip
    own.start()
    until(lambda: re.search("API-SERVER", own.log_of("sn1")), "the SN to start", WALK_SECONDS, [own])
    watch = SWCI(own.root, Certificates(own.place / "cert"), own.root)

    def half_way():
        found = progress(watch, port)
        return len(found) == 4 and any(0 < done < total for _, done, total in found.values()) and found

    found = until(half_way, "PERFDATA to show losses while the banks train", WALK_SECONDS, [own])
    assert all(0 < float(loss) < 10 and total == 16 for loss, _, total in found.values())
    own.wait_done()
    assert own.log().count("PERFDATA defaultbb.cqdb.sml.hpe") == 5
    check_end(own, own.chain(port), 4)
    for user in (1, 2, 3, 4):
        saved = own.place.joinpath(f"data-and-scratch{user}", f"user{user}", "fraud-detection", "saved_model.pb")
        assert saved.stat().st_size > 0
    own.finish()
    assert not own.place.exists()


def test_mnist_pyt(walk):
    port = free_port()
    own = walk("mnist-pyt", values={"SN_API_PORT": port, "SN_P2P_PORT": free_port()}, swops=["swop1"],
               prepare=[SHORT_SLEEP, "sed -i 's/\"MAX_EPOCHS\" : 5/\"MAX_EPOCHS\" : 2/' $task"])  # fmt: skip
    own.start().wait_done()
    check_end(own, own.chain(port), 4)
    assert own.place.joinpath("model", "mnist_pyt_sw.log").read_text().count(END) == 4
    for user in (1, 2, 3, 4):
        assert own.place.joinpath(f"user{user}", "mnist_pyt", "saved_model.pt").stat().st_size > 0
    own.finish()
    assert not own.place.exists()


def test_cifar10(walk):
    port = free_port()
    files = {f"SL_{node}_FS_PORT": free_port() for node in (1, 2)}
    own = walk("cifar10", values={"SN_API_PORT": port, "SN_P2P_PORT": free_port(), **files})
    own.start().wait_done()
    ends = [own.state / name / "exit" for name in ("ml1", "ml2")]
    until(lambda: all(end.exists() for end in ends), "the programs to save their models")
    check_end(own, own.chain(port), 2)
    for node in (1, 2):
        saved = f"model{node}/saved_models/cifar10.h5"
        assert f"SwarmCallback : INFO : Saved the trained model - {saved}" in own.log_of(f"ml{node}")
        assert own.place.joinpath(saved).stat().st_size > 0
    own.finish()
    assert not own.place.exists()
