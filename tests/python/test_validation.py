"""Validation data in all the forms in which programs have them (PyTorch)."""

import collections
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from older import compiled
from swarmlearning import SwarmArgumentError, SwarmError
from test_held_model import make_callback
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from wire_schema import LOSS

X = torch.randn(30, 4, generator=torch.Generator().manual_seed(2))
Y = (X.sum(1) > 0).long()
W = torch.arange(30.0) + 1


class Sequence:
    """Ends by its length only, as keras.utils.PyDataset does."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[10 * index % 30 : 10 * index % 30 + 10], Y[10 * index % 30 : 10 * index % 30 + 10]


class Rows(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y))


FORMS = {
    "arrays": lambda: (X.numpy(), Y.numpy()),
    "float64": lambda: (X.numpy().astype(np.float64), Y.numpy()),
    "int32 classes": lambda: (X.numpy(), Y.numpy().astype(np.int32)),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "a list of two arrays": lambda: [X.numpy(), Y.numpy()],
    "a read-only view that runs backwards": lambda: (X.numpy()[::-1], Y.numpy()[::-1]),
    "dataset": lambda: TensorDataset(X, Y),
    "iterable dataset": Rows,
    "rows": lambda: list(zip(X, Y)),
    "loader": lambda: DataLoader(TensorDataset(X, Y), 8),
    "sequence": Sequence,
    "zip": lambda: zip(X.split(8), Y.split(8)),
    "map": lambda: map(lambda pair: pair, list(zip(X.split(8), Y.split(8)))),
    "iter": lambda: iter(DataLoader(TensorDataset(X, Y), 8)),
    "generator": lambda: ((x, y) for x, y in zip(X.split(8), Y.split(8))),
    "lists as batches": lambda: [[x, y] for x, y in zip(X.split(8), Y.split(8))],
    "dict batches": lambda: [{"input": x, "label": y} for x, y in zip(X.split(8), Y.split(8))],
    "loader of dicts": lambda: DataLoader([{"input": x, "labels": y} for x, y in zip(X, Y)], 8),
}


def losses(swarm_object):
    return [reply.loss for reply in swarm_object.sls[0].of_type(LOSS)]


def run(swarm, model, data, **options):
    fake = swarm()
    callback = make_callback(model, adsValData=data, lossFunction="CrossEntropyLoss", **options)
    callback.on_train_begin()
    callback.on_train_end()
    return losses(fake)


@pytest.mark.parametrize("form", FORMS)
def test_forms(swarm, form):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 2))
    with torch.no_grad():
        wanted = float(nn.CrossEntropyLoss()(model(X), Y))
    assert run(swarm, model, FORMS[form](), adsValBatchSize=7) == pytest.approx([wanted, wanted], rel=1e-5)


def test_pandas(swarm):
    pandas = pytest.importorskip("pandas")
    model = nn.Linear(4, 2)
    frame = pandas.DataFrame(X.numpy())
    assert len(run(swarm, model, (frame, pandas.Series(Y.numpy())))) == 2


WEIGHTED = {"whole": (X, Y, W), "batches": [(X[:20], Y[:20], W[:20]), (X[20:], Y[20:], W[20:])]}


@pytest.mark.parametrize("data", WEIGHTED.values(), ids=WEIGHTED)
@pytest.mark.parametrize("args", [{"reduction": "sum"}, {"reduction": "mean"}, None])
def test_sample_weights(swarm, data, args):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 2))
    with torch.no_grad():
        each = nn.CrossEntropyLoss(reduction="none")(model(X), Y)
    wanted = float((each * W).sum() / W.sum())
    assert run(swarm, model, data, lossFunctionArgs=args) == pytest.approx([wanted, wanted], rel=1e-5)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 2)

    def forward(self, left, right):
        return self.out(torch.cat([left, right], 1))


A, B = X[:, :2], X[:, 2:]


@pytest.mark.parametrize(
    "data",
    [
        ((A, B), Y),
        ([A.numpy().astype(np.float64), B.numpy()], Y),
        ({"left": A, "right": B}, Y),
        [(A, B, Y)],
        [((A, B), Y)],
        [({"left": A, "right": B}, Y)],
        [{"left": A, "right": B, "targets": Y}],
    ],
    ids=["nest", "list", "dict", "batch", "nested batch", "dict and target", "one dict"],
)
def test_several_inputs(swarm, data):
    torch.manual_seed(0)
    model = Two()
    with torch.no_grad():
        wanted = float(nn.CrossEntropyLoss()(model(A, B), Y))
    assert run(swarm, model, data) == pytest.approx([wanted, wanted], rel=1e-5)


class Transformer(nn.Module):
    """Computes its loss itself, as those of transformers do."""

    def __init__(self, output=dict):
        super().__init__()
        self.head, self.output = nn.Linear(4, 2), output

    def forward(self, inputs, labels=None):
        logits = self.head(inputs)
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return self.output(loss=loss, logits=logits)


@pytest.mark.parametrize("output", [dict, collections.namedtuple("Output", "loss logits")])
@pytest.mark.parametrize("loss", ["CrossEntropyLoss", None])
def test_a_model_that_gives_its_loss(swarm, output, loss):
    fake = swarm()
    torch.manual_seed(0)
    model = Transformer(output)
    with torch.no_grad():
        wanted = float(nn.CrossEntropyLoss()(model.head(X), Y))
    args = {"task": "multiclass", "num_classes": 2}
    callback = make_callback(
        model, adsValData=DataLoader([{"inputs": x, "labels": y} for x, y in zip(X, Y)], 10), lossFunction=loss,
        metricFunction="Accuracy", metricFunctionArgs=args,
    )  # fmt: skip
    callback.on_train_begin()
    callback.on_train_end()
    assert losses(fake) == pytest.approx([wanted, wanted], rel=1e-5)


def test_a_loss_of_values_takes_whole_numbers(swarm):
    fake = swarm()
    model = nn.Linear(4, 1)
    callback = make_callback(model, adsValData=(X.numpy(), Y.numpy()[:, None]), lossFunction="BCEWithLogitsLoss")
    callback.on_train_begin()
    callback.on_train_end()
    with torch.no_grad():
        wanted = float(nn.BCEWithLogitsLoss()(model(X), Y.float()[:, None]))
    assert losses(fake) == pytest.approx([wanted, wanted], rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_data_get_the_type_of_the_model(swarm, dtype):
    assert len(run(swarm, nn.Linear(4, 2).to(dtype), (X.numpy(), Y.numpy()))) == 2


def test_numbers_go_in_as_they_are(swarm):
    model = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 2))
    tokens = np.arange(90).reshape(30, 3) % 5
    assert len(run(swarm, model, (tokens, Y))) == 2


BAD = {
    "wrong shape": ([(X[:, :3], Y)], "adsValData: the model cannot be judged on its first batch .RuntimeError at "),
    "no target": ([X], "must yield .inputs, target., .* got a Tensor"),
    "a number": (7, "or something that yields batches, got a int"),
    "nothing": ([], "adsValData has no samples"),
    "texts": ([(["a", "b"], Y)], "adsValData: a list of .* cannot become a tensor"),
    "other count": ((X, Y[:20]), "adsValData: 30 samples of x, but 20 of y"),
    "no labels": ([{"input": X}], "dicts without labels"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_judged_end_the_program_before_it_joins(case):
    """No SL is there: it would wait for one otherwise."""
    data, text = BAD[case]
    with pytest.raises(SwarmArgumentError, match="(?s)Init call to SL container failed - .*" + text):
        make_callback(nn.Sequential(nn.Linear(4, 2)), adsValData=data, lossFunction="CrossEntropyLoss")


def test_a_later_batch_that_fails_does_not_end_the_training(swarm):
    class Logger(list):
        debug = error = info = warning = list.append

    logger = Logger()
    data = [(X, Y), (X, torch.full((30,), 987654))]
    found = run(swarm, nn.Linear(4, 2), data, logger=logger)
    assert found == [0.0, 0.0]
    told = [text for text in logger if "could not be judged (IndexError at " in text]
    assert len(told) == 1
    assert not any("987654" in str(text) for text in logger)


def test_judging_works_again_later(swarm):
    class Unsteady(Dataset):
        runs = 0

        def __len__(self):
            return 30

        def __getitem__(self, index):
            if index == 0:
                self.runs += 1
            if self.runs in (2, 4):
                raise OSError("the share is gone")
            return X[index], Y[index]

    class Logger(list):
        debug = error = info = warning = list.append

    fake, logger = swarm(), Logger()
    callback = make_callback(
        nn.Linear(4, 2), adsValData=Unsteady(), lossFunction="CrossEntropyLoss", logger=logger, syncFrequency=1
    )
    callback.on_train_begin()  # the second run
    for _ in range(3):
        callback.on_batch_end()
    callback.on_train_end()
    found = losses(fake)
    assert [loss > 0 for loss in found] == [False, True, False, True]
    assert sum("could not be judged" in text for text in logger) == 2


def test_the_texts_of_a_failing_data_set_stay_out_of_messages(swarm):
    class Records(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            raise KeyError("patient-4711")

    class Logger(list):
        debug = error = info = warning = list.append

    logger = Logger()
    with pytest.raises(SwarmArgumentError) as caught:
        make_callback(nn.Linear(4, 2), adsValData=Records(), lossFunction="CrossEntropyLoss", logger=logger)
    assert "4711" not in str(caught.value) and "KeyError at " in str(caught.value)
    assert not any("4711" in text for text in logger)


def test_the_dry_run_leaves_random_numbers_alone(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(4, 2), nn.Dropout())
    torch.manual_seed(5)
    make_callback(model, adsValData=DataLoader(TensorDataset(X, Y), 8, shuffle=True), lossFunction="CrossEntropyLoss")
    assert torch.equal(torch.rand(3), wanted)


def test_the_dry_run_needs_one_batch_only(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    seen = []

    class Counting(Sequence):
        def __getitem__(self, index):
            seen.append(index)
            return super().__getitem__(index)

    make_callback(nn.Linear(4, 2), adsValData=Counting(), lossFunction="CrossEntropyLoss")
    assert seen == [0]


def test_an_iterator_without_an_end_is_refused(monkeypatch):
    monkeypatch.setenv("SWARM_LOOPBACK", "true")
    monkeypatch.setattr(sys.modules["swarmlearning._training.validation"], "ONE_SHOT_BATCHES_MAX", 50)
    endless = map(lambda unused: (X, Y), iter(int, 1))
    with pytest.raises(SwarmError, match="the map did not end after 50 batches"):
        make_callback(nn.Linear(4, 2), adsValData=endless, lossFunction="CrossEntropyLoss")


def test_a_compiled_model_is_judged_too(swarm):
    assert len(run(swarm, compiled(nn.Linear(4, 2)), (X, Y))) == 2
