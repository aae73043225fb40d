"""The examples, command by command as their READMEs say, with programs as processes of this host."""

import re

import pytest
from launcher.operators import why_no_sandboxes
from launcher.processes import free_port
from walks import Walk

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
    assert walk.log().count("TASK_STATE : COMPLETE") == 2
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
