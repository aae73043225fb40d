"""Programs as people write and start them, beside real SLs: launchers, copies, one training after another."""

import functools
import time

import pytest

pytest.importorskip("torch")

from launcher.chain import DEFAULT_CONTRACT
from launcher.processes import BIN

pytestmark = pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")

HEAD = """
import copy, gc, json, os, sys
import torch
from torch import nn
from swarmlearning import SwarmError
from swarmlearning.pyt import SwarmCallback
node, result = int(sys.argv[1]), sys.argv[2]

def make(model, **options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=2, model=model, totalEpochs=1), **options})

def train(model, batches=5, **options):
    swarm = options.pop("swarm", None) or make(model, **options)
    swarm.on_train_begin()
    for _ in range(batches):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.25
        swarm.on_batch_end()
    swarm.on_train_end()
    return swarm

def save(value):
    with open(result, "w") as file:
        json.dump(value, file)

torch.manual_seed(node)
model = nn.Linear(4, 2)
"""
PLAIN = "save(train(model).modelDigest())"


@pytest.fixture
def run(start_programs):
    """Starts one program text per node, see `start_programs`."""
    return functools.partial(start_programs, HEAD)


def final_digest(swarm):
    return swarm.sn.merges(DEFAULT_CONTRACT)[-1].digest


def test_of_two_ranks_one_trains_and_the_other_is_told(run):
    def launch(node, plain):
        if node == 1:
            return plain
        one = " ".join(f"'{part}'" for part in plain)
        rank_1 = f"RANK=1 timeout 60 {one}.rank1; echo rank 1 exits with $?"
        return ["bash", "-c", f"RANK=0 {one} & sleep 3; {rank_1}; wait $!"]

    swarm = run("import time; swarm = make(model); time.sleep(8)\nsave(train(model, swarm=swarm).modelDigest())",
                PLAIN, launch=launch)  # fmt: skip
    assert set(swarm.results()) == {final_digest(swarm)}
    log = swarm.pairs[0].program.log()
    assert "rank 1 exits with 1" in log and "this is rank 1: of the processes of one launcher only rank 0" in log


def test_a_copy_of_the_model_and_of_its_callback_ends_nothing(run):
    text = """
model.swarm = make(model)
initial = copy.deepcopy(model)
try:
    initial.swarm.on_train_begin()
except SwarmError as error:
    said = str(error)
del initial
gc.collect()
torch.save(model, result + ".pt")
train(model, swarm=model.swarm)
save([model.swarm.modelDigest(), said])
"""
    swarm = run(text, text)
    for digest, said in swarm.results():
        assert digest == final_digest(swarm) and "is a copy" in said


def test_workers_of_a_data_loader_do_not_end_the_session(run):
    text = """
class Data(torch.utils.data.Dataset):
    def __init__(self, swarm): self.swarm = swarm
    def __len__(self): return 8
    def __getitem__(self, at): return torch.full((4,), float(at))

swarm = make(model)
loader = torch.utils.data.DataLoader(Data(swarm), batch_size=4, num_workers=1, multiprocessing_context="fork")
assert len(list(loader)) == 2
save(train(model, swarm=swarm).modelDigest())
"""
    swarm = run(text, PLAIN)
    assert set(swarm.results()) == {final_digest(swarm)}


def test_streams_with_write_and_flush_only(run):
    text = """
class Tee:
    def __init__(self, stream): self.stream = stream
    def write(self, text): self.stream.write(text)
    def flush(self): self.stream.flush()
sys.stdout, sys.stderr = Tee(sys.stdout), Tee(sys.stderr)
""" + PLAIN
    swarm = run(text, "sys.stdout = sys.stderr = None\n" + PLAIN)
    assert set(swarm.results()) == {final_digest(swarm)}


def test_a_second_training_in_one_program_is_refused_with_the_remedy(run):
    text = """
train(model)
first = copy.deepcopy(model.state_dict())
try:
    train(nn.Linear(4, 2))
except SwarmError as error:
    save(str(error))
"""
    for said in run(text, text).results():
        # The SL may have ended with the first training, or just be ending.
        assert "swarm-inspect reset" in said or "start it again" in said, said


def test_a_program_whose_sl_has_ended_says_for_whom_it_waits(run):
    text = """
import time
train(model)
time.sleep(5)
print("second training", flush=True)
train(nn.Linear(4, 2))
"""
    swarm = run(text, text)
    swarm.wait_ended()
    for pair in swarm.pairs:
        said = pair.program.log().split("second training")[-1]
        assert "is it running?" in said and "SL ended with the training before this one: start it again" in said


def test_after_an_error_a_program_may_train_again(run):
    text = """
try:
    with make(model) as swarm:
        swarm.on_train_begin()
        model(torch.zeros(3, 7))
except RuntimeError as error:
    print(error)
save(train(nn.Linear(4, 2), minPeers=1).modelDigest())
"""
    swarm = run(text.replace("make(model)", "make(model, minPeers=1)"))
    assert swarm.results() == [final_digest(swarm)]


def test_an_interrupted_wait_leaves_everything_usable(run):
    """Ctrl-C while the program waits for peers that do not come; then the same program trains alone."""
    text = """
import signal, threading
threading.Timer(4, os.kill, (os.getpid(), signal.SIGINT)).start()
swarm = make(model, minPeers=2)
try:
    swarm.on_train_begin()
except KeyboardInterrupt:
    print("interrupted")
save(train(nn.Linear(4, 2), minPeers=1).modelDigest())
"""
    started = time.monotonic()
    swarm = run(text)
    assert swarm.results() == [final_digest(swarm)]
    assert "interrupted" in swarm.pairs[0].program.log()
    assert time.monotonic() - started > 4
