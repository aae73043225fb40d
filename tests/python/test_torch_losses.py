"""Losses as people name them, on validation data as people have them: the figure is the one of the whole data."""

import pytest

torch = pytest.importorskip("torch")

from swarmlearning import SwarmArgumentError
from test_held_model import make_callback
from test_validation import X, Y, losses
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

VALUES = X.sum(1)
CLASSES = torch.tensor([0.2, 0.8])
TOKENS = torch.where(torch.arange(90).reshape(30, 3) < 45, -100, 1)  # half of them padding, whole batches at first


class LogSoftmax(nn.Linear):
    def forward(self, x):
        return super().forward(x).log_softmax(1)


class Row(nn.Linear):
    """Gives one number a sample, not a column of them."""

    def forward(self, x):
        return super().forward(x)[:, 0]


class Tagger(nn.Linear):
    """Names a class for each of three tokens."""

    def forward(self, x):
        return super().forward(x).reshape(-1, 2, 3)


SHARES = torch.rand(30, 2, generator=torch.Generator().manual_seed(4)).softmax(1)
# loss, its arguments, model, targets, and the same figure in one call
LOSSES = {
    "batchmean": ("KLDivLoss", {"reduction": "batchmean"}, lambda: LogSoftmax(4, 2), SHARES,
                  lambda out: nn.KLDivLoss(reduction="batchmean")(out, SHARES)),
    "a column for a row": ("MSELoss", {}, lambda: nn.Linear(4, 1), VALUES, lambda out: nn.MSELoss()(out[:, 0], VALUES)),
    "a row for a column": ("L1Loss", {}, lambda: Row(4, 1), VALUES[:, None], lambda out: nn.L1Loss()(out, VALUES)),
    "two classes in one number": ("BCEWithLogitsLoss", {}, lambda: nn.Linear(4, 1), Y,
                                  lambda out: nn.BCEWithLogitsLoss()(out[:, 0], Y.float())),
    "classes of unlike weight": ("CrossEntropyLoss", {"weight": CLASSES}, lambda: nn.Linear(4, 2), Y,
                                 lambda out: nn.CrossEntropyLoss(CLASSES)(out, Y)),
    "their sum": ("CrossEntropyLoss", {"weight": CLASSES, "reduction": "sum"}, lambda: nn.Linear(4, 2), Y,
                  lambda out: nn.CrossEntropyLoss(CLASSES)(out, Y)),
    "an ignored class": ("CrossEntropyLoss", {"ignore_index": 0}, lambda: nn.Linear(4, 2), Y,
                         lambda out: nn.CrossEntropyLoss(ignore_index=0)(out, Y)),
    "padding": ("CrossEntropyLoss", {}, lambda: Tagger(4, 6), TOKENS, lambda out: nn.CrossEntropyLoss()(out, TOKENS)),
    "smoothed labels": ("CrossEntropyLoss", {"label_smoothing": 0.1}, lambda: nn.Linear(4, 2), Y,
                        lambda out: nn.CrossEntropyLoss(label_smoothing=0.1)(out, Y)),
    "shares of classes": ("CrossEntropyLoss", {}, lambda: nn.Linear(4, 2), SHARES,
                          lambda out: nn.CrossEntropyLoss()(out, SHARES)),
}  # fmt: skip


def judged(swarm, model, data, **options):
    fake = swarm()
    callback = make_callback(model, adsValData=data, adsValBatchSize=7, **options)
    callback.on_train_begin()
    callback.on_train_end()
    return losses(fake)


@pytest.mark.parametrize("case", LOSSES)
def test_the_loss_is_that_of_all_samples_at_once(swarm, case):
    name, arguments, make, target, whole = LOSSES[case]
    torch.manual_seed(1)
    model = make()
    with torch.no_grad():
        wanted = float(whole(model(X)))
    found = judged(swarm, model, (X, target), lossFunction=name, lossFunctionArgs=arguments)
    assert found == pytest.approx([wanted, wanted], rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_of_classes_get_the_type_of_the_model(swarm, dtype):
    options = dict(lossFunction="CrossEntropyLoss", lossFunctionArgs={"weight": CLASSES})
    assert all(0 < loss < 10 for loss in judged(swarm, nn.Linear(4, 2).to(dtype), (X, Y), **options))


def test_columns_that_the_model_does_not_take_are_left_alone(swarm):
    """As rows of a table have them: numbers of records, texts."""
    model = nn.Linear(4, 2)
    rows = [{"input": x, "labels": y, "row": at, "text": f"record {at}"} for at, (x, y) in enumerate(zip(X, Y))]
    with torch.no_grad():
        wanted = float(nn.CrossEntropyLoss()(model(X), Y))
    found = judged(swarm, model, DataLoader(rows, 8), lossFunction="CrossEntropyLoss")
    assert found == pytest.approx([wanted, wanted], rel=1e-5)


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_read_the_data(swarm, persistent):
    """They are forked while the session is open, and neither use nor end it."""
    loader = DataLoader(TensorDataset(X, Y), 8, num_workers=2, persistent_workers=persistent)
    assert len(judged(swarm, nn.Linear(4, 2), loader, lossFunction="CrossEntropyLoss")) == 2


def test_data_without_an_end_are_not_judged_for_ever(swarm, monkeypatch):
    import sys

    class Endless(IterableDataset):
        def __iter__(self):
            while True:
                yield X[0], Y[0]

    class Logger(list):
        debug = error = info = warning = list.append

    monkeypatch.setattr(sys.modules["swarmlearning._training.validation"], "BATCHES_MAX", 50)
    logger = Logger()
    found = judged(swarm, nn.Linear(4, 2), DataLoader(Endless(), 8), lossFunction="CrossEntropyLoss", logger=logger)
    assert found == [0, 0] and sum("did not end after 50 batches" in text for text in logger) == 1


def test_a_loss_too_small_for_the_wire_is_no_error(swarm):
    import numpy as np

    model = nn.Linear(4, 1).double()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    with np.errstate(all="raise"):
        found = judged(swarm, model, (X.double(), torch.full((30, 1), 1e-25).double()), lossFunction="MSELoss")
    assert found == [0, 0]


def test_values_for_classes_are_refused_before_training(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    with pytest.raises(SwarmArgumentError, match="cannot be judged on its first batch"):
        make_callback(nn.Linear(4, 2), adsValData=(X, Y[:, None]), lossFunction="CrossEntropyLoss")
