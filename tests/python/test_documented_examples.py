"""Every example of the package's docstrings, and every Python block of the documents, beside an SL that merges."""

import doctest
import importlib
import logging
import pathlib
import pkgutil
import re

import pytest
import swarmlearning
from repository import ROOT

DOCUMENTS = ["README.md", "python/README.md", "docs/programs.md", "docs/merging.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def module_names():
    listed = pkgutil.walk_packages(swarmlearning.__path__, "swarmlearning.")
    # Those of swarmlearning.swci need a SWCI: tests/integration/test_swci_class.py runs them.
    return [name for _, name, _ in listed if not name.endswith("__main__") and ".swci" not in name]


def blocks():
    for document in DOCUMENTS:
        for number, text in enumerate(BLOCK.findall((pathlib.Path(ROOT) / document).read_text()), 1):
            yield pytest.param(text, id=f"{document}-{number}")


@pytest.fixture
def quiet():
    """The lines that a callback logs are no part of an example's output."""
    logger = logging.getLogger("SwarmCallback")
    kept, logger.handlers = logger.handlers, [logging.NullHandler()]
    yield
    logger.handlers = kept


def names_for(text):
    """What a program has before the lines that a document shows."""
    if "swarmlearning.tf" in text:
        keras = pytest.importorskip("keras")
        np = pytest.importorskip("numpy")
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
        return {"model": model, "x": x, "y": y, "x_val": x, "y_val": y, "epochs": 1, "others": []}
    torch = pytest.importorskip("torch")
    model = torch.nn.ModuleDict({"encoder": torch.nn.Linear(4, 2)})
    model.forward = lambda x: model["encoder"](x)
    loader = [(torch.ones(2, 4), torch.ones(2).long())] * 2
    return {"model": model, "loader": loader, "batches": loader, "validation_loader": loader, "test_data": loader,
            "epochs": 1}  # fmt: skip


@pytest.mark.parametrize("name", module_names())
def test_docstrings(name, swarm, quiet):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} needs what is not installed: {error}")
    tests = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]
    swarm(sessions=len(tests)) if any("SwarmCallback(" in test.docstring for test in tests) else None
    for test in tests:
        result = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(test)
        assert result.failed == 0


@pytest.mark.parametrize("text", list(blocks()))
def test_documents(text, swarm, quiet):
    names = names_for(text)
    swarm()
    exec(compile(text, "document", "exec"), names)
    names["swarm"].close()


@pytest.mark.parametrize("module", ["pyt", "tf", "lightning", "hf"])
def test_every_argument_is_documented(module):
    """With its name at the beginning of a line, or as one of those of another callback."""
    try:
        callback = importlib.import_module(f"swarmlearning.{module}").SwarmCallback
    except ImportError as error:
        pytest.skip(str(error))
    code = callback.__init__.__code__
    arguments = set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    documented = set(re.findall(r"^ +(\w+): ", callback.__doc__, re.MULTILINE))
    if module in ("lightning", "hf"):
        assert "those of `swarmlearning.pyt.SwarmCallback`" in callback.__doc__
        documented |= {"syncFrequency", "minPeers", "trainingContract"}
    ignored = {"lossFunction", "lossFunctionArgs", "metricFunction", "metricFunctionArgs"} if module == "tf" else set()
    assert arguments - ignored <= documented
    assert ">>> " in callback.__doc__
    for name in [name for name in vars(callback) if not name.startswith("_") and callable(getattr(callback, name))]:
        assert getattr(callback, name).__doc__, f"{name}() is not documented"
