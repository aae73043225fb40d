"""The Lightning callback in real Trainers, against an SL in a thread."""

import threading
import warnings

import pytest

torch = pytest.importorskip("torch")
pl = pytest.importorskip("lightning.pytorch")

from fake_sl import FakeSwarm
from swarmlearning import SwarmArgumentError, pyt
from swarmlearning.lightning import SwarmCallback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from wire_schema import CLOSE, LOSS, SYNC

X = torch.randn(48, 4, generator=torch.Generator().manual_seed(1))
Y = (X.sum(1) > 0).long()


class Classifier(pl.LightningModule):
    def __init__(self, seed=0, fail_at=None):
        super().__init__()
        torch.manual_seed(seed)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
        self.fail_at = fail_at

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        if batch_idx == self.fail_at:
            raise RuntimeError("an error of the user's")
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


def loader(rows=slice(None)):
    return DataLoader(TensorDataset(X[rows], Y[rows]), batch_size=8)


def fit(module, swarm, epochs=2, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=epochs,
            callbacks=[swarm],
            accelerator="cpu",
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"logger": False, **options},
        )
        trainer.fit(module, loader())
    return trainer


def at(monkeypatch, sl):
    """Points this program at `sl`."""
    for name, value in sl.environment.items():
        monkeypatch.setenv(name, value)


def train_plainly(model, swarm, batches):
    swarm.on_train_begin()
    for batch in range(batches):
        swarm.on_batch_end(batch)
    swarm.on_epoch_end(0)
    swarm.on_train_end()


def callback(**options):
    return SwarmCallback(**{**dict(syncFrequency=3, minPeers=1), **options})


def test_lightning_and_plain_pytorch_train_one_model(tmp_path, monkeypatch):
    swarm = FakeSwarm(tmp_path, count=2).start()
    at(monkeypatch, swarm.sls[1])
    plain = Classifier(seed=5).net
    partner = pyt.SwarmCallback(syncFrequency=3, minPeers=2, model=plain, totalEpochs=2)
    at(monkeypatch, swarm.sls[0])
    thread = threading.Thread(target=train_plainly, args=(plain, partner, 12))
    thread.start()
    module = Classifier()
    swarm_callback = callback(minPeers=2, submodule="net", adsValData=loader(), lossFunction="CrossEntropyLoss")
    fit(module, swarm_callback)
    thread.join(60)
    swarm.join()
    assert swarm_callback.swarm.modelDigest() == partner.modelDigest()
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in module.net.state_dict().items())
    assert swarm_callback.swarm.syncs == 5  # at the start, after 3, 6 and 9 of 12 batches, at the end


def test_the_whole_module_is_shared_and_max_epochs_told(swarm):
    sl = swarm().sls[0]
    module = Classifier()
    fit(module, callback(adsValData=loader(), lossFunction="CrossEntropyLoss"), epochs=1)
    assert set(sl.of_type(CLOSE)[0].inputParams.weights) == set(module.state_dict())
    assert {loss.totalepochs for loss in sl.of_type(LOSS)} == {1}
    assert sl.of_type(LOSS)[-1].epochsdone == 1


def test_batches_are_counted_whatever_is_accumulated(swarm):
    sl = swarm().sls[0]
    fit(Classifier(), callback(), epochs=1, accumulate_grad_batches=2)
    assert len(sl.of_type(SYNC)) == 2  # of 6 batches


def test_the_trainer_stops_when_the_swarm_is_over(swarm):
    swarm(over_after=2)
    trainer = fit(Classifier(), callback(), epochs=50)
    assert trainer.current_epoch < 3


def test_an_error_in_training_ends_the_session_and_fit_may_follow(swarm, tmp_path, monkeypatch):
    sl = swarm().sls[0]
    swarm_callback = callback()
    with pytest.raises(RuntimeError, match="an error of the user's"):
        fit(Classifier(fail_at=4), swarm_callback)
    sl.thread.join(30)
    assert not sl.thread.is_alive() and not sl.of_type(CLOSE)
    (tmp_path / "again").mkdir()
    again = FakeSwarm(tmp_path / "again").start()
    at(monkeypatch, again.sls[0])
    module = Classifier()
    fit(module, swarm_callback)
    again.join()
    assert len(again.sls[0].of_type(CLOSE)) == 1


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(model=nn.Linear(1, 1)), "model: it is the trainer's"),
        (dict(syncFrequenzy=2), "syncFrequenzy: there is no such argument; there are .*syncFrequency"),
    ],
)
def test_wrong_arguments(arguments, text):
    with pytest.raises(SwarmArgumentError, match=text):
        callback(**arguments)


def test_a_submodule_that_is_not_there():
    with pytest.raises(SwarmArgumentError, match="submodule: Classifier has no part 'nett'; it has net"):
        fit(Classifier(), callback(submodule="nett"))
