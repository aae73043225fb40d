"""swarmlearning.swci: each method beside a real network, as documented and in bad form."""

import asyncio
import doctest
import json
import logging
import threading

import pytest
import swarmlearning.swci
import swarmlearning.swci.swci
from harness import SN, Certs, until
from launcher.operators import SWOP, node_definition, swop_profile
from launcher.swci_web import SWCI
from swarmlearning.swci import Node, Swci, SwciError
from swarmlearning.swci.session import Session
from test_swci_web import RUNNER, TASK

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def service(folder, certs, request):
    service = SWCI(folder, certs)
    yield service.start().wait_up()
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(service.tail())
    service.clean_up()


@pytest.fixture
def connected(service, sn):
    s = Swci("127.0.0.1", service.port, logLv="CRITICAL")
    assert s.createContext("t", ip="127.0.0.1", port=sn.port) and s.switchContext("t")
    return s


@pytest.fixture
def files(tmp_path):
    for name in ("content", "other", "draft"):
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name))
    return tmp_path


def run_examples(text, name, names):
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    report = []
    runner.run(test, out=report.append, clear_globs=False)
    return report


def test_the_examples_of_all_methods_run(folder, certs, files, monkeypatch):
    """In the order of the class, against a network of their own."""
    monkeypatch.chdir(files)
    network, service = SN(folder, certs), SWCI(folder, certs)
    try:
        network.start().wait_up()
        service.start().wait_up()
        s = Swci("127.0.0.1", service.port, logLv="CRITICAL")
        names = {"s": s, "snServerName": "127.0.0.1", "snPort": network.port, "asyncio": asyncio}
        wrong, documented = [], 0
        for name, method in {**vars(Session), **vars(Swci)}.items():
            text = getattr(method, "__doc__", None)
            if name.startswith("_") or not callable(method):
                continue
            assert text and ">>>" in text, f"{name} has no example"
            wrong += run_examples(text, name, names)
            documented += 1
        assert wrong == [] and documented >= 35, "\n".join(wrong)
        head = swarmlearning.swci.__doc__.replace("port=30306", f"port={service.port}")
        head = head.replace("port=30304", f"port={network.port}").replace("['ROOTTASK']", "['ROOTTASK', ...]")
        assert run_examples(head, "swarmlearning.swci", {}) == []
    finally:
        service.clean_up()
        network.clean_up()


def test_both_ways_in_which_the_user_guide_imports_it():
    from swarmlearning.swci import swci

    assert swci.Swci is swarmlearning.swci.Swci


# Each as the one call of a lambda, for `test_every_method_has_a_bad_form`.
BAD_CALLS = [
    lambda s: s.ls("nowhere"),
    lambda s: s.cd("nowhere"),
    lambda s: s.sleep(-1),
    lambda s: s.createContext("t", ip="127.0.0.1", port=1),
    lambda s: s.createContext("t", service="127.0.0.1:1"),
    lambda s: s.switchContext("nobody"),
    lambda s: s.getContextInfo("nobody"),
    lambda s: s.createTrainingContract("no/name"),
    lambda s: s.getTrainingContractInfo("none"),
    lambda s: s.getTrainingContractStatus("none"),
    lambda s: s.getTrainingContractPerformanceData("none"),
    lambda s: s.perfdata("none"),
    lambda s: s.resetTrainingContract("none"),
    lambda s: s.createTaskFrom("none.yaml"),
    lambda s: s.registerTask("none.yaml"),
    lambda s: s.finalizeTask("none"),
    lambda s: s.deleteTask("none"),
    lambda s: s.getTaskInfo("none"),
    lambda s: s.getTaskBody("none"),
    lambda s: s.assignTask("none", RUNNER, 1),
    lambda s: s.assignTask("none", RUNNER, 0),
    lambda s: s.assignTask("none", RUNNER, 1, wait=True),
    lambda s: s.getTaskRunnerInfo("none"),
    lambda s: s.getTaskRunnerStatus("none"),
    lambda s: s.getTaskrunnerStatus("none"),
    lambda s: s.getTaskRunnerPeerStatus(RUNNER, 7),
    lambda s: s.getTaskRunnerPeerStatus(RUNNER, "0x" + "00" * 20),
    lambda s: s.resetTaskRunner("none"),
    lambda s: s.execute("nonsense"),
    lambda s: s.execute("exit now"),
]


@pytest.mark.parametrize("call", BAD_CALLS)
def test_what_fails_gives_an_empty_list_or_raises(connected, service, call):
    assert call(connected) == []
    reason = connected.getErrors()
    assert reason.startswith("ERROR ")
    assert connected.pwd() and connected.getErrors() is None
    strict = Swci("127.0.0.1", service.port, raiseErrors=True, logLv="CRITICAL")
    with pytest.raises(SwciError) as raised:
        call(strict)
    assert str(raised.value) == reason and raised.value.command
    assert isinstance(raised.value, RuntimeError)  # as the original raises


# Asks no more than what there is, so that nothing but the way to the SWCI, or to its SN, can fail.
LISTS = ["pwd", "listContexts", "listNodes", "listTrainingContracts", "listTasks", "listTaskRunners"]


@pytest.mark.parametrize("name", LISTS)
def test_lists_fail_without_a_context_or_without_a_swci(service, name):
    s = Swci("127.0.0.1", service.port, logLv="CRITICAL")
    if name not in ("pwd", "listContexts"):
        assert getattr(s, name)() == [] and s.getErrors().startswith("ERROR : there is no default context")
    service.terminate()
    assert getattr(s, name)() == [] and "cannot be asked" in s.getErrors()


def test_every_method_has_a_bad_form():
    """So that a new one needs it, too. `co_names`: what the lambda calls."""
    elsewhere = {
        "interrupt": test_an_interrupt_ends_nothing_when_nothing_is_under_way,
        "setLogLevel": test_the_log_level,
        "plotTopology": test_the_topology_is_drawn,
        "uploadTaskDefintion": test_uploads_in_bad_form,
        "uploadTaskDefinition": test_uploads_in_bad_form,
        **dict.fromkeys(("nodes", "isTaskDone", "executeTask"), test_nobody_there),
        **dict.fromkeys(("waitForTask", "waitForTaskAsync", "executeTaskAsync"), test_waits_for_nothing_fail),
        **dict.fromkeys(LISTS, test_lists_fail_without_a_context_or_without_a_swci),
    }
    cannot_fail = {"getErrors", "clearCache"}
    methods = {name for name, it in {**vars(Session), **vars(Swci)}.items() if callable(it) and name[0] != "_"}
    called = {call.__code__.co_names[0] for call in BAD_CALLS}
    assert methods == called | elsewhere.keys() | cannot_fail
    assert not called & elsewhere.keys() and all(map(callable, elsewhere.values()))


def test_waits_for_nothing_fail(connected):
    for wait in (
        lambda: connected.waitForTask("none"),
        lambda: asyncio.run(connected.waitForTaskAsync("none")),
        lambda: connected.isTaskDone("none"),
    ):
        with pytest.raises(SwciError, match="there is no taskrunner 'none'"):
            wait()
    assert asyncio.run(connected.executeTaskAsync("none", "none")) is False
    assert connected.executeTask("none", "none", wait=False) is False


def test_an_interrupt_ends_nothing_when_nothing_is_under_way(connected):
    assert connected.interrupt() == [] and connected.getErrors() == "ERROR : no command is under way"


def test_contexts_that_cannot_be_meant(connected):
    with pytest.raises(SwciError, match="needs an ip or a service"):
        connected.createContext("u")
    with pytest.raises(ValueError):
        connected.createContext("u", ip="127.0.0.1", port="many")
    assert connected.listContexts()[1:] == [line for line in connected.listContexts() if line.startswith("t ")]


def test_what_is_no_word_of_a_command_is_not_sent(connected, service):
    for bad in ("", "a\nlist tasks", "a\x00", 'it\'s "both"'):
        for call in (connected.cd, connected.getTaskInfo, connected.createTrainingContract, connected.switchContext):
            with pytest.raises(ValueError):
                call(bad)
    with pytest.raises(ValueError):
        connected.assignTask("t", RUNNER, "many")
    (service.usr / "with blanks").mkdir()
    assert connected.cd("with blanks") == ["Current Directory : /platform/swarm/usr/with blanks"]


def test_arguments_of_the_constructor_are_checked(certs, tmp_path):
    ports = ({"swciIp": "x", "port": port} for port in ("30306", 0, 65536, True))
    for bad in ({}, {"swciIp": ""}, *ports):
        with pytest.raises(SwciError):
            Swci(**bad)
    with pytest.raises(SwciError, match="clientCert"):
        Swci("x", clientPKey="key.pem")
    with pytest.raises(SwciError, match="certificates cannot be used"):
        Swci("x", clientCert=str(tmp_path / "none.pem"))
    assert Swci(swciIP="::1")._link.url == "http://[::1]:30306"


def test_mutual_tls(service, certs, tmp_path):
    cert, key = str(certs.folder / "swci-1-cert.pem"), str(certs.folder / "swci-1-key.pem")
    assert Swci("127.0.0.1", service.port, cert, key).pwd() == ["/platform/swarm/usr"]
    assert Swci("127.0.0.1", service.port, cert, key, str(certs.capath)).pwd() == ["/platform/swarm/usr"]
    both = tmp_path / "both.pem"
    both.write_text(open(cert).read() + open(key).read())
    authority = str(next(iter(certs.capath.iterdir())))
    assert Swci("127.0.0.1", service.port, str(both), clientCABundle=authority).pwd() == ["/platform/swarm/usr"]
    foreign = Certs(tmp_path / "foreign", "swci-1")
    s = Swci("127.0.0.1", service.port, cert, key, str(foreign.capath), logLv="CRITICAL")
    assert s.pwd() == [] and "CERTIFICATE_VERIFY_FAILED" in s.getErrors()
    other = [str(foreign.folder / f"swci-1-{part}.pem") for part in ("cert", "key")]
    s = Swci("127.0.0.1", service.port, *other, logLv="CRITICAL")
    assert s.pwd() == [] and "authorities have signed" in s.getErrors()


def test_nobody_there(service, connected):
    service.terminate()
    assert connected.listNodes() == []
    assert "cannot be asked" in connected.getErrors() and "--swci-mode WEB" in connected.getErrors()
    assert connected.nodes() == [] and connected.plotTopology() is None
    with pytest.raises(SwciError):
        connected.isTaskDone(RUNNER)
    assert connected.executeTask("t") is False
    with pytest.raises(SwciError):
        connected.uploadTaskDefintion(__file__)


def test_something_else_at_the_port(sn):
    s = Swci("127.0.0.1", sn.port, logLv="CRITICAL")
    assert s.pwd() == [] and s.getErrors().startswith("ERROR : http://127.0.0.1:")


def test_what_is_kept_and_what_makes_it_stale(connected, files):
    before = connected.listTasks()
    other = connected._link
    connected.uploadTaskDefinition(files / "content.yaml")
    other.run("create task from content.yaml")  # by somebody else
    assert connected.listTasks() == before
    connected.clearCache()
    assert "content" in connected.listTasks()
    assert "FINALIZED    : no" in connected.getTaskInfo("content")
    assert connected.finalizeTask("content")
    assert "FINALIZED    : yes" in connected.getTaskInfo("content")
    connected.uploadTaskDefinition(files / "draft.yaml")
    assert connected.registerTask("draft.yaml", finalize=False) and "draft" in connected.listTasks()
    assert connected.getTaskBody("draft")
    assert connected.deleteTask("draft") and "draft" not in connected.listTasks()
    assert connected.getTaskBody("draft") == [] and connected.getErrors()
    before = connected.listTrainingContracts()
    assert connected.createTrainingContract("kept") and connected.listTrainingContracts() == [*before, "kept"]
    answer = connected.listTasks()
    answer.clear()
    assert connected.listTasks() != []
    uncached = Swci("127.0.0.1", connected._link.port, enableCaching=False, logLv="CRITICAL")
    first = uncached.listContexts()
    other.run("set context env t a b")
    assert uncached.listContexts() == first and uncached._cache == {}


def test_tasks_that_run_are_waited_for(connected, files):
    """No SWOP listens, so that a task goes on until somebody resets its taskrunner."""
    connected.uploadTaskDefinition(files / "other.yaml")
    connected.registerTask("other.yaml")
    runner = "waited-for"
    connected.execute(f"create taskrunner {runner}")
    assert connected.executeTask("other", runner, wait=False) is True
    assert connected.isTaskDone(runner) is False
    with pytest.raises(TimeoutError, match="waited-for"):
        connected.waitForTask(runner, pollWaitInSec=0.01, timeout=0.05)
    assert connected.executeTask("other", runner) is False  # it is busy
    waits = threading.Thread(target=connected.waitForTask, args=(runner, 0.01), daemon=True)
    waits.start()
    assert connected.resetTaskRunner(runner)
    waits.join(60)
    assert not waits.is_alive()

    async def both():
        assert connected.assignTask("other", runner, 1)
        waiting = asyncio.create_task(connected.waitForTaskAsync(runner, 0.01))
        await asyncio.sleep(0)
        await asyncio.to_thread(connected.resetTaskRunner, runner)
        return await waiting

    assert asyncio.run(both()) is False


def test_tasks_are_executed_by_a_swop(swarm, certs, files, capsys):
    swarm.start_sn()
    usr = swarm.folder / "swop.usr"
    usr.mkdir()
    (usr / "profile.yaml").write_text(json.dumps(swop_profile([node_definition(certs, 0)])))
    swci = SWCI(swarm.folder, certs).start().wait_up()
    swop = SWOP(swarm.folder, certs, swarm.sn.port, usr, "profile.yaml").start()
    swarm.others += [swci, swop]
    s = Swci("127.0.0.1", swci.port, logLv="CRITICAL")
    assert s.createContext("t", ip="127.0.0.1", port=swarm.sn.port) and s.switchContext("t")
    until(lambda: "SWOP" in {node.NodeType for node in s.nodes()}, "the SWOP to be there", alive=[swop])
    sentinel, worker = s.nodes()
    assert worker.ParentUUID == sentinel.UUID and worker.ContainerName == "swop-1"
    (usr / "data").write_text("data")
    for name, source in {"content": usr / "data", "draft": usr / "nowhere"}.items():
        definition = files / f"{name}.yaml"
        definition.write_text(definition.read_text().replace("file:///nowhere", f"file://{source}"))
        s.uploadTaskDefinition(definition)
        assert s.registerTask(definition.name) == [f"Registered Task : {name}"]
    assert s.executeTask("content", pollWaitInSec=0.05) is True
    printed = capsys.readouterr().out
    assert "TASK_STATE      : COMPLETE" in printed and f"SWOP_UID    : {worker.UUID}" in printed
    assert "TASK_STATE      : IDLE" in s.getTaskRunnerStatus()  # as it was reset
    assert s.executeTask("draft", pollWaitInSec=0.05) is False
    assert "TASK_STATE      : ERROR" in capsys.readouterr().out
    assert "TASK_STATE      : ERROR" in s.getTaskRunnerStatus() and s.isTaskDone()  # so that somebody can look
    assert s.getTaskRunnerPeerStatus(RUNNER, worker.UUID) == s.getTaskRunnerPeerStatus(RUNNER, 0) != []
    s.resetTaskRunner()
    assert asyncio.run(s.executeTaskAsync("content", pollWaitInSec=0.05)) is True
    status = s.assignTask("content", RUNNER, 1, wait=True, pollWaitInSec=0.05)
    assert "TASK_STATE      : COMPLETE" in status


def test_an_interrupt_from_another_thread(connected, service):
    answers = []
    sleeper = threading.Thread(target=lambda: answers.append(connected.sleep(600)), daemon=True)
    sleeper.start()
    until(lambda: "commands: sleep 600" in service.log(), "the sleep to begin")
    assert Swci("127.0.0.1", service.port).interrupt() == ["OK"]
    sleeper.join(60)
    assert answers == [[]] and connected.getErrors() == "ERROR : interrupted"


def test_uploads_in_bad_form(connected, files, service):
    with pytest.raises(SwciError, match="there is no file"):
        connected.uploadTaskDefintion(files / "none.yaml")
    (files / "binary.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SwciError, match="UTF-8"):
        connected.uploadTaskDefintion(files / "binary.yaml")
    (service.usr / "notes.txt").write_text("mine")
    (files / "notes.txt").write_text("theirs")
    with pytest.raises(SwciError, match="is there already"):
        connected.uploadTaskDefintion(str(files / "notes.txt"))
    assert connected.getErrors().startswith("ERROR ")
    assert (service.usr / "notes.txt").read_text() == "mine"


def test_the_topology_is_drawn(connected, monkeypatch):
    png = connected.plotTopology()
    assert png.startswith(b"\x89PNG\r\n")
    figure = connected.plotTopology("#000001", attrs=["Port", "UUID", "i-am-alive", "ParentUUID"], figure=True)
    texts = "\n".join(text.get_text() for text in figure.axes[0].texts)
    node = connected.nodes()[0]
    assert isinstance(node, Node) and node.is_sn
    assert texts.splitlines()[:4] == ["SN", "127.0.0.1", node.Port, node.UUID]
    assert figure.axes[0].collections[0].get_facecolor()[0].tolist() == pytest.approx([0, 0, 1 / 255, 1])
    with pytest.raises(ValueError, match="no attribute"):
        connected.plotTopology(attrs=["Colour"])
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(SwciError, match="pip install"):
        connected.plotTopology()


def test_the_log_level(connected):
    logger = logging.getLogger("swarmlearning.swci")
    for level, number in {"DEBUG": 10, "critical": 50, "nonsense": 30, 20: 20}.items():
        connected.setLogLevel(level)
        assert logger.level == number
    own = logging.getLogger("own")
    own.setLevel("ERROR")
    assert Swci("x", logger=own) and own.level == logging.ERROR
