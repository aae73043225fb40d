import os
import sys
import types

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, TESTS, os.path.join(os.path.dirname(TESTS), "python")]
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def no_channel(monkeypatch):
    for name in ("SL_REQUEST_CHANNEL", "SL_RESPONSE_CHANNEL", "SWARM_LOOPBACK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def swarm(tmp_path, monkeypatch):
    """Makes a FakeSwarm and points this program at its first SL; waits for its threads at the end. With `ghost` it is
    a GhostSwarm."""
    from fake_sl import FakeSwarm, GhostSwarm

    made = []

    def make(ghost=False, **options):
        made.append((GhostSwarm if ghost else FakeSwarm)(tmp_path, **options).start())
        for name, value in made[0].sls[0].environment.items():
            monkeypatch.setenv(name, value)
        return made[0]

    yield make
    for one in made:
        one.join()


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython; `shown` has what its front end was told to show."""
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data)

    def display(data, raw, display_id):
        shown.append(data)
        return Handle()

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return shown


@pytest.fixture(scope="session")
def pair_certs(tmp_path_factory):
    from launcher.certificates import Certs

    return Certs(tmp_path_factory.mktemp("certs"), "sn-1", "sl-1", "sl-2", "sl-3")


@pytest.fixture
def start_programs(tmp_path_factory, pair_certs):
    """Starts a swarm with one program of PyTorch for each text, `head` before it, beside an SL of its own; `launch`
    gives another command line than `python script node result`, `more` are environment variables."""
    from launcher.chain import DEFAULT_CONTRACT
    from launcher.forks import python_with
    from launcher.pairs import PairSwarm
    from repository import ROOT

    folder = tmp_path_factory.mktemp("s")
    swarms = []

    def start(head, *programs, launch=None, **more):
        swarm = PairSwarm(folder, [f"sl-{n + 1}" for n in range(len(programs))], certs=pair_certs)
        swarms.append(swarm)
        swarm.start_sn()
        environment = {"PYTHONPATH": os.path.join(ROOT, "python"), "OMP_NUM_THREADS": "1", **more}
        for node, text in enumerate(programs):
            script = folder / f"program-{node}.py"
            script.write_text(head + text)

            def command(result, script=script, node=node):
                plain = [python_with("torch"), "-u", script, node, result]
                return launch(node, [str(part) for part in plain]) if launch else plain

            swarm.add_pair(f"sl-{node + 1}", DEFAULT_CONTRACT, command, environment)
        return swarm

    yield start
    for swarm in swarms:
        swarm.stop()
