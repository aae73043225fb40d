"""What the examples' programs read: settings, and data files that are there, that are not, that are broken."""

import importlib.util
import itertools
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
from repository import ROOT

EXAMPLES = pathlib.Path(ROOT, "examples")
COMMON = str(EXAMPLES / "common")

pytest.importorskip("sklearn")


@pytest.fixture
def load_module(monkeypatch):
    """Loads a module of an example as its program finds it."""
    monkeypatch.syspath_prepend(COMMON)

    def load(*path):
        spec = importlib.util.spec_from_file_location("_".join(path[-2:]).replace(".py", ""), EXAMPLES.joinpath(*path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def said(load_module):
    """What a fault says of a call."""
    import settings

    def run(call, *arguments):
        with pytest.raises(settings.Fault) as caught:
            call(*arguments)
        text = str(caught.value)
        assert "\n" not in text and len(text) < 400
        return text

    return run


# Settings -----------------------------------------------------------------------------------------------------------

NAMES = ("MODEL_DIR", "DATA_DIR", "SCRATCH_DIR", "MAX_EPOCHS", "MIN_PEERS", "NODE", "NODES")


@pytest.fixture
def settings_of(load_module, monkeypatch):
    import settings

    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    def read(**variables):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            return settings.read_settings()

    return read


def test_settings_have_the_defaults_of_the_original(settings_of):
    found = settings_of()
    assert [str(each) for each in found[:3]] == ["model", "/platform/data", "/platform/scratch"]
    assert found[3:] == (5, 2, 1, 2)


def test_there_are_as_many_shares_as_peers_unless_something_else_is_said(settings_of):
    assert settings_of(MIN_PEERS="4", NODE="3").nodes == 4
    assert settings_of(MIN_PEERS="2", NODE="3", NODES="8").nodes == 8


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "\uff11", "9999999"])
@pytest.mark.parametrize("name", ["MAX_EPOCHS", "MIN_PEERS", "NODE", "NODES"])
def test_a_setting_that_is_no_number_is_named(settings_of, said, name, value):
    assert said(lambda: settings_of(**{name: value})) == f"{name}={value!r}: wanted a whole number from 1"


def test_a_node_beyond_the_shares_is_told_of_them(settings_of, said):
    assert said(lambda: settings_of(NODE="3")).startswith("NODE=3: the data is dealt out to 2")


def test_a_program_says_a_fault_in_one_line(tmp_path):
    environment = {**os.environ, "PYTHONPATH": f"{COMMON}:{ROOT}/python", "MIN_PEERS": "none"}
    done = subprocess.run([sys.executable, "-c", "import settings, programs; programs.run(settings.read_settings)"],
                          capture_output=True, text=True, env=environment, cwd=tmp_path)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "-c: MIN_PEERS='none': wanted a whole number from 1\n"


def test_cuda_without_a_gpu_is_said(tmp_path):
    pytest.importorskip("torch")
    environment = {**os.environ, "PYTHONPATH": f"{COMMON}:{ROOT}/python", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, EXAMPLES / "mnist-pyt" / "model" / "mnist_pyt.py", "--cuda"],
                          capture_output=True, text=True, env=environment, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2 and "--cuda: PyTorch finds no GPU" in done.stderr and "Traceback" not in done.stderr


# No file: what a package carries ------------------------------------------------------------------------------------

IMAGES = {
    "mnist": (("common", "mnist_data.py"), (28, 28)),
    "cifar10": (("cifar10", "model", "data.py"), (32, 32, 3)),
}


@pytest.mark.parametrize("example", IMAGES)
def test_without_a_file_images_are_digits_dealt_out(load_module, tmp_path, example):
    path, shape = IMAGES[example]
    module = load_module(*path)
    parts = [module.load(tmp_path, node, 3) for node in (1, 2, 3)]
    for (x, y), (x_test, y_test), told in parts:
        assert x.shape[1:] == x_test.shape[1:] == shape and x.dtype == x_test.dtype == np.uint8
        assert len(x) == len(y) > 450 and len(x_test) == len(y_test) == 359
        assert x.max() == 255 and set(y) == set(y_test) == set(range(10))
        assert told.startswith("scikit-learn's digits, 8x8 scaled to") and module.SOURCE in told
    assert sum(len(x) for (x, _), _, _ in parts) + 359 == 1797
    assert all((parts[0][1][0] == test[0]).all() for _, test, _ in parts), "one test set"
    again = module.load(tmp_path, 1, 3)
    assert (again[0][0] == parts[0][0][0]).all(), "the same share every time"


def test_without_a_file_hospitals_have_unlike_shares_of_real_cases(load_module, tmp_path):
    module = load_module("breast-cancer", "model", "data.py")
    parts = [module.load(tmp_path, node, 3) for node in (1, 2, 3)]
    rates = [y.mean() for (_, y), _, _ in parts]
    sizes = [len(y) for (_, y), _, _ in parts]
    assert rates == sorted(rates, reverse=True) and rates[0] > 2 * rates[2]
    assert sizes == sorted(sizes)
    rows = [set(map(bytes, x)) for (x, _), _, _ in parts]
    assert not any(one & other for one, other in itertools.combinations(rows, 2)), "nobody has another one's case"
    assert not rows[0] & set(map(bytes, parts[0][1][0])), "nobody trains on a test case"
    assert sum(sizes) + len(parts[0][1][1]) == 569
    assert "wdbc.data" in parts[0][2]


def test_without_a_file_payments_are_made_up(load_module, tmp_path):
    module = load_module("fraud-detection", "model", "data.py")
    parts = [module.load(tmp_path, node) for node in (1, 2, 3, 4)]
    assert [len(y) for (_, y), _, _ in parts] == [3500, 4000, 2500, 989]
    for (x, y), (x_test, y_test), told in parts:
        assert x.shape[1] == x_test.shape[1] == 30 and np.isfinite(x).all()
        assert set(y) == {0, 1} and len(y_test) == 330 and y_test.sum() == 33
        assert told.startswith("made up, as") and "creditcard.csv" in told
    assert not (parts[0][0][0][0] == parts[1][0][0][0]).all()
    assert (parts[0][1][0] == parts[1][1][0]).all()


# The usual files ----------------------------------------------------------------------------------------------------


def mnist_arrays(count=12):
    images = np.arange(count * 784, dtype=np.uint8).reshape(-1, 28, 28)
    labels = (np.arange(count) % 10).astype(np.uint8)
    return {"x_train": images, "y_train": labels, "x_test": images[:4], "y_test": labels[:4]}


def test_mnist_is_read_whole_by_every_node(load_module, tmp_path):
    module = load_module("common", "mnist_data.py")
    np.savez(tmp_path / "mnist.npz", **mnist_arrays())
    (x, y), (x_test, _), told = module.load(tmp_path, 2, 2)
    assert (x == mnist_arrays()["x_train"]).all() and list(y) == [*range(10), 0, 1] and len(x_test) == 4
    assert told == f"{tmp_path}/mnist.npz, 12 to train on"


BROKEN_MNIST = {
    "cut off": (None, "cannot be read as .npz"),
    "an array is missing": ({"x_test": None}, "it has no x_test"),
    "images of another size": ({"x_train": np.zeros((12, 8, 8), np.uint8)}, "images are uint8 of (12, 8, 8)"),
    "images of another type": ({"x_train": np.zeros((12, 28, 28))}, "images are float64"),
    "fewer labels": ({"y_train": np.zeros(3, np.uint8)}, "there are 12 images and labels of (3,)"),
    "a label too high": ({"y_train": np.full(12, 10)}, "a label is not from 0 to 9"),
    "nothing in it": ({"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, int)}, "images are"),
    "objects": ({"x_train": np.array([object()])}, "cannot be read as .npz"),
}


@pytest.mark.parametrize("case", BROKEN_MNIST)
def test_a_broken_mnist_is_said(load_module, said, tmp_path, case):
    module = load_module("common", "mnist_data.py")
    change, text = BROKEN_MNIST[case]
    file = tmp_path / "mnist.npz"
    arrays = {name: value for name, value in {**mnist_arrays(), **(change or {})}.items() if value is not None}
    np.savez(file, **arrays)
    if change is None:
        file.write_bytes(file.read_bytes()[:-2000])
    answer = said(module.load, tmp_path, 1, 2)
    assert answer.startswith(f"{file}: ") and text in answer


def cifar_batch(labels=tuple(range(10))):
    pixels = (np.arange(len(labels) * 3072) % 251).astype(np.uint8).reshape(-1, 3072)
    return {b"data": pixels, b"labels": list(labels), b"batch_label": b"one"}


def write_cifar(folder, **change):
    folder.joinpath("cifar-10-batches-py").mkdir()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        raw = pickle.dumps(cifar_batch(), protocol=2).replace(b"numpy._core", b"numpy.core")  # as it is in the files
        folder.joinpath("cifar-10-batches-py", name).write_bytes(change.get(name, raw))


@pytest.mark.filterwarnings("ignore:numpy.core")
def test_cifar_is_read_whole_by_every_node(load_module, tmp_path):
    module = load_module("cifar10", "model", "data.py")
    write_cifar(tmp_path)
    (x, y), (x_test, y_test), told = module.load(tmp_path, 2, 2)
    assert x.shape == (50, 32, 32, 3) and len(x_test) == 10 and list(y_test) == list(range(10))
    assert list(x[0, 0, 1]) == [1, 1024 % 251 + 1, 2048 % 251 + 1], "red, green and blue of a pixel"
    assert told.endswith("50 to train on")


class Attack:
    def __reduce__(self):
        return os.mkdir, ("attacked",)


BROKEN_CIFAR = {
    "cut off": (pickle.dumps(cifar_batch())[:-900], "cannot be read as a batch of CIFAR-10"),
    "empty": (b"", "cannot be read as a batch of CIFAR-10"),
    "no pickle": (b"<html>404</html>", "cannot be read as a batch of CIFAR-10"),
    "a program": (pickle.dumps(Attack()), "posix.mkdir, which no batch of CIFAR-10 does"),
    "another thing": (pickle.dumps([1, 2]), "cannot be read as a batch of CIFAR-10"),
    "rows too short": (pickle.dumps({b"data": np.zeros((2, 9), np.uint8), b"labels": [0, 1]}), "not of 3072 bytes"),
    "a label too high": (pickle.dumps(cifar_batch(labels=[10] * 10)), "a label is not from 0 to 9"),
}


@pytest.mark.filterwarnings("ignore:numpy.core")
@pytest.mark.parametrize("case", BROKEN_CIFAR)
def test_a_broken_batch_is_said_and_never_executed(load_module, said, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    module = load_module("cifar10", "model", "data.py")
    raw, text = BROKEN_CIFAR[case]
    write_cifar(tmp_path, data_batch_3=raw)
    answer = said(module.load, tmp_path, 1, 2)
    assert answer.startswith(f"{tmp_path}/cifar-10-batches-py/data_batch_3: ") and text in answer
    assert not (tmp_path / "attacked").exists()


def test_a_missing_batch_is_said(load_module, said, tmp_path):
    module = load_module("cifar10", "model", "data.py")
    (tmp_path / "cifar-10-batches-py").mkdir()
    assert "data_batch_1: it cannot be read" in said(module.load, tmp_path, 1, 2)


HEADER = ",".join(['"Time"', *(f'"V{number}"' for number in range(1, 29)), '"Amount"', '"Class"']) + "\n"


def payments(count, frauds, start=0):
    return HEADER + "".join(
        f"{start + row}," + ",".join(["0.5"] * 28) + f',9.99,"{int(row < frauds)}"\n' for row in range(count)
    )


def test_own_payments_come_before_the_public_ones(load_module, tmp_path):
    module = load_module("fraud-detection", "model", "data.py")
    (tmp_path / "creditcard.csv").write_text(payments(600, 60))
    (x, y), (x_test, y_test), told = module.load(tmp_path, 1)
    assert told.startswith(f"{tmp_path}/creditcard.csv, the share of node 1")
    parts = [module.load(tmp_path, node) for node in (1, 2, 3, 4)]
    rows = [set(train[0][:, 0]) for train, _, _ in parts]
    assert not any(one & other for one, other in itertools.combinations(rows, 2)) and not rows[0] & set(x_test[:, 0])
    assert 0 < y.sum() < len(y) and 0 < y_test.sum() < len(y_test) <= 330
    (tmp_path / module.TRAIN_FILE).write_text(payments(40, 4))
    (tmp_path / module.TEST_FILE).write_text(payments(10, 2))
    (x, y), (_, y_test), told = module.load(tmp_path, 1)
    assert (len(y), y.sum(), len(y_test)) == (40, 4, 10) and module.TRAIN_FILE in told
    assert x[0, -1] == pytest.approx(np.log1p(9.99))


BROKEN_PAYMENTS = {
    "empty": ("", "there are no rows in it"),
    "only a header": (HEADER, "there are no rows in it"),
    "a column is missing": (payments(3, 1).replace(",9.99", ""), "it has 30 columns where 31 are wanted"),
    "a row is cut off": (payments(3, 1)[:-20], "row"),
    "a text": (payments(3, 1).replace("9.99", "much"), "'much'"),
    "no number": (payments(3, 1).replace("9.99", "nan"), "row 1 has a value that is no number"),
    "a third class": (payments(3, 1).replace('"1"', '"2"'), "the last column says 0 or 1"),
}


@pytest.mark.filterwarnings("ignore:loadtxt")
@pytest.mark.parametrize("case", BROKEN_PAYMENTS)
def test_broken_payments_are_said(load_module, said, tmp_path, case):
    module = load_module("fraud-detection", "model", "data.py")
    raw, text = BROKEN_PAYMENTS[case]
    (tmp_path / "creditcard.csv").write_text(raw)
    answer = said(module.load, tmp_path, 1)
    assert answer.startswith(f"{tmp_path}/creditcard.csv: ") and text in answer


def test_own_payments_without_a_test_file_are_said(load_module, said, tmp_path):
    module = load_module("fraud-detection", "model", "data.py")
    (tmp_path / module.TRAIN_FILE).write_text(payments(3, 1))
    assert module.TEST_FILE in said(module.load, tmp_path, 1)


def cases(letters):
    return "".join(f"{900 + row},{letter}," + ",".join(["1.25"] * 30) + "\n" for row, letter in enumerate(letters))


def test_a_hospitals_own_cases_are_all_its_own(load_module, tmp_path):
    module = load_module("breast-cancer", "model", "data.py")
    (tmp_path / "wdbc.data").write_text(cases("MBBMBBBM"))
    (x, y), (_, y_test), told = module.load(tmp_path, 3, 3)
    assert len(y) + len(y_test) == 8 and y.sum() + y_test.sum() == 3 and x.shape[1] == 30
    assert told.startswith(f"{tmp_path}/wdbc.data, all 8 cases of it")


@pytest.mark.parametrize(
    "raw, text",
    [
        (cases("MBXB"), "the second column says M or B"),
        (cases("BBBB"), "malignant and benign cases are needed"),
        (cases("MB").replace(",1.25\n", "\n"), "it has 31 columns where 32 are wanted"),
        (cases("MB").replace("1.25", "", 1), "could not convert"),
    ],
)
def test_broken_cases_are_said(load_module, said, tmp_path, raw, text):
    module = load_module("breast-cancer", "model", "data.py")
    (tmp_path / "wdbc.data").write_text(raw)
    answer = said(module.load, tmp_path, 1, 3)
    assert answer.startswith(f"{tmp_path}/wdbc.data: ") and text in answer
