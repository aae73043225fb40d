"""Init scripts as users of the original write them, one for each kind of their examples, to the end.

The build tasks are those of a host without a container engine and without a network: of the package index there is a
folder with one wheel. Endpoints behind a proxy are reached by their plain names, identities are X.509. Data are what
the programs make up.
"""

import functools
import hashlib
import http.server
import io
import json
import pathlib
import tarfile
import threading
import zipfile

import pytest
from harness import ROOT, until
from launcher.operators import (
    SWOP,
    build_task,
    content_task,
    node_definition,
    package_folders,
    run_task,
    swop_profile,
)
from operated import HERE, PYTHON, TestSwarm

RUNNER = "defaulttaskbb.taskdb.sml.hpe"
SITE_PACKAGES = next(PYTHON.parents[1].glob("lib/python3*/site-packages"))
WHEEL = "swarm_sample-1.0-py3-none-any.whl"

VENV_TASK = """Name : {name}
TaskType : MAKE_USER_CONTAINER
Author : HPE-TEST
Prereq : ROOTTASK
Outcome : user-env-tf2.7.0-swop
Body :
    BuildContext : sl-cli-lib
    BuildType : VENV
    BuildSteps :
    - --no-index
    - ./swarm_sample-1.0-py3-none-any.whl
"""
INLINE_TASK = """Name : {name}
TaskType : MAKE_USER_CONTAINER
Author : HPE-TEST
Prereq : ROOTTASK
Outcome : user-env-pyt1.5-swop
Body :
    BuildContext : sl-cli-lib
    BuildType : INLINE
    BuildSteps :
    - 'FROM python'
    - ' '
    - 'RUN mkdir -p /tmp/hpe-swarmcli-pkg'
    - 'COPY swarm_sample-1.0-py3-none-any.whl /tmp/hpe-swarmcli-pkg/swarm_sample-1.0-py3-none-any.whl'
    - 'RUN pip3 install --no-index \\'
    - '    /tmp/hpe-swarmcli-pkg/swarm_sample-1.0-py3-none-any.whl'
"""
RUN_TASK = """Name : {name}
TaskType : RUN_SWARM
Author : HPE-TEST
Prereq : {prereq}
Outcome : {name}
Body :
    Command : model/operated_program.py
    Entrypoint : python3
    WorkingDir : /tmp/test
    Envvars : ["SYNCS": 2, "MIN_PEERS": {peers}, "SWARM_LOOPBACK": {loopback}, "NEEDS": swarm_sample,
               "PYTHONPATH": {path}]
    PrivateContent : /tmp/test/
    SharedContent :
    -   Src : /platform/swarm/usr/model
        Tgt : /tmp/test/model
        MType : BIND
    -   Src : {packages}
        Tgt : {packages}
        MType : BIND
"""


@pytest.fixture
def swarm(request, folder, certs):
    swarm = TestSwarm(folder, certs)
    swarm.start_sn()
    model = swarm.usr / "model"
    model.mkdir()
    for file in (HERE / "operated_program.py", *(ROOT / "tests" / "python").glob("wire_*.py")):
        (model / file.name).write_bytes(file.read_bytes())
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


def write_wheel(folder):
    """A wheel with one module, made by hand."""
    files = {
        "swarm_sample.py": "",
        "swarm_sample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: swarm-sample\nVersion: 1.0\n",
        "swarm_sample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["swarm_sample-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def add_hosts(swarm, hosts, nodes):
    """A SWOP for each host, with the volume sl-cli-lib that its operator has made."""
    for _ in range(hosts):
        first = len(swarm.swops) * nodes
        for number in range(first, first + nodes):
            (swarm.usr / f"user{number}").mkdir()
        definitions = [
            node_definition(swarm.certs, idx, swarm.usr / f"user{first + idx}",
                            {"NAME": f"user{first + idx}", "VALUE": first + idx})
            for idx in range(nodes)
        ]  # fmt: skip
        swop = swarm.add_swop(swop_profile(definitions), flags=["--allow-path", SITE_PACKAGES])
        write_wheel(swop.data_dir / "swop-1" / "volumes" / "sl-cli-lib")


def write_tasks(swarm, build, runs, text, peers):
    folder = swarm.usr / "taskdefs"
    (folder / f"{build}.yaml").write_text(text.format(name=build))
    for number, run in enumerate(runs):
        words = {"name": run, "prereq": build, "peers": peers, "loopback": number > 0}
        path = f'"{":".join(["/tmp/test/model", *package_folders()])}"'
        (folder / f"{run}.yaml").write_text(RUN_TASK.format(**words, packages=SITE_PACKAGES, path=path))


def create(task, strict=True):
    lines = [
        *([] if not strict else ["EXIT ON FAILURE"]),
        *(f"create task from taskdefs/{task}.yaml", f"finalize task {task}", f"get task info {task}"),
        *(f"get task body {task}", "list tasks"),
        *([] if not strict else ["EXIT ON FAILURE OFF"]),
    ]
    return [f"# Create task {task}", *lines, ""]


def execute(task, peers, between=(), before=()):
    return [
        *("EXIT ON FAILURE", *before, f"RESET TASKRUNNER {RUNNER}"),
        *(f"ASSIGN TASK {task} TO {RUNNER} WITH {peers} PEERS", *between, f"WAIT FOR TASKRUNNER {RUNNER}"),
        *("EXIT ON FAILURE OFF", ""),
    ]


def script(
    endpoint, context, build, build_peers, runs, run_peers, perfdata=False, reset_first=False, extra_reset=False
):
    """What all their init scripts have in common, and where they differ."""
    out = ["# Assumption : SWOP is already running", "EXIT ON FAILURE"]
    out += [f"wait for {endpoint}", f"create context {context} with {endpoint}", f"switch context {context}"]
    out += ["EXIT ON FAILURE OFF", "", "#Change to the directory where we are mounting while starting", ""]
    out += ["cd /platform/swarm/usr", ""]
    out += create(build) + execute(build, build_peers)
    if extra_reset:
        out += ["EXIT ON FAILURE", f"RESET TASKRUNNER {RUNNER}", "EXIT ON FAILURE OFF"]
    for run in runs:
        out += create(run, strict=not reset_first)
        between = ["SLEEP 0", "PERFDATA defaultbb.cqdb.sml.hpe"] * 5 if perfdata else []
        before = ["RESET CONTRACT defaultbb.cqdb.sml.hpe"] if reset_first else []
        out += execute(run, run_peers, between, before)
        out += ["#RESET SWOP", "EXIT ON FAILURE", "sleep 1", f"RESET TASKRUNNER {RUNNER}", "EXIT ON FAILURE OFF"]
    out += ["", "# List and reset training contract", "EXIT ON FAILURE", "LIST CONTRACTS"]
    out += ["RESET CONTRACT defaultbb.cqdb.sml.hpe", "EXIT ON FAILURE OFF", "# Exit", "EXIT", ""]
    return "\n".join(out)


ROWS = {
    "mnist": ((2, 1), "ip", "user_env_tf_build_task", 2, ["swarm_mnist_task"], 2, {"extra_reset": True}),
    "mnist-pyt": ((1, 4), "ip", "build_pyt_user_image", 1, ["run_mnist_pyt"], 4, {}),
    "fraud-detection": ((1, 4), "ip", "user_env_tf_build_task", 1, ["swarm_fd_task"], 4, {"perfdata": True}),
    "nih": ((1, 3), "ip", "user_env_tf_build_task", 1, ["swarm_nih_task", "swarm_ind_task"], 3, {"reset_first": True}),
    "reverse-proxy-mnist": ((1, 2), "service", "user_env_tf_build_task", 1, ["swarm_mnist_task"], 2, {}),
    "reverse-proxy-cifar10": ((2, 2), "service", "user_env_tf_build_task", 2, ["swarm_cifar10_task"], 4, {}),
    "spire-cifar10": ((2, 2), "ip", "user_env_tf_build_task", 2, ["spire_cifar10_task"], 4, {}),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_an_init_script_of_the_original_runs_to_its_end(swarm, row):
    (hosts, nodes), kind, build, build_peers, runs, peers, options = ROWS[row]
    add_hosts(swarm, hosts, nodes)
    write_tasks(swarm, build, runs, INLINE_TASK if "pyt" in row else VENV_TASK, peers)
    endpoint = f"ip 127.0.0.1 {swarm.sn.port}" if kind == "ip" else f"service localhost:{swarm.sn.port}"
    answer = swarm.swci.run(script(endpoint, row, build, build_peers, runs, peers, **options))
    assert answer.code == 0, answer.text
    assert answer.text.count("TASK_STATE : COMPLETE") == 1 + len(runs)
    merges = swarm.sn.merges()
    assert [len(merge.contributors) for merge in merges] == [peers] * 3
    wanted = [sum(range(peers)) / peers] * 4
    assert [swarm.result_of(user) for user in range(peers)] == [wanted] * peers
    until(lambda: not any(swop.programs() for swop in swarm.swops), "RESET to remove the sandboxes")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *unused):
        pass


@pytest.fixture
def web(swarm):
    """The address of a server of the files in USR/web."""
    folder = swarm.usr / "web"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


def write_archive(file, entries):
    with tarfile.open(file, "w:gz") as archive:
        for name, text in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


def test_content_is_fetched_taken_apart_and_seen_by_programs(swarm, web):
    address, folder = web
    write_archive(folder / "data.tar.gz", {"digits/one.csv": "1,1\n"})
    task = content_task("content", [("DOWNLOAD", f"{address}/data.tar.gz", "data.tar.gz")], "digits-data")
    digest = hashlib.sha256((folder / "data.tar.gz").read_bytes()).hexdigest()
    task["Body"]["OpsList"][0]["Options"].append({"Sha256": digest})
    task["Body"]["OpsList"].append({"Operation": "EXTRACT", "Target": "data.tar.gz", "Options": [{"Out": "all"}]})
    swop = swarm.add_swop(swop_profile([node_definition(swarm.certs, idx) for idx in range(2)]))
    swarm.make_task(task)
    command = "/tmp/test/data/all/digits/one.csv"
    swarm.make_task(run_task("read", command, "cat", shared=[("digits-data", "/tmp/test/data")], prereq="ROOTTASK"))
    swarm.assign("content", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    swarm.assign("read", "WITH 2 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    assert sorted(text for name, text in swop.outputs().items() if name.endswith("ml")) == ["1,1\n"] * 2


@pytest.mark.parametrize(
    "operations, said",
    [
        ([("DOWNLOAD", "{web}/none.tar.gz", "x")], "the download failed (HTTP status 404)"),
        ([("DOWNLOAD", "http://127.0.0.1:1/x", "x")], "the download failed (curl code 7)"),
        ([("DOWNLOAD", "file://{usr}/none", "x")], "the download failed"),
        ([("EXTRACT", "none", "x")], "a path is missing"),
        ([("DOWNLOAD", "{web}/bad.tar.gz", "x"), ("EXTRACT", "x", "y")], "the archive is broken or leaves its folder"),
        ([("DOWNLOAD", "file:///etc/passwd", "x")], "a path is not allowed"),
    ],
)
def test_content_that_cannot_be_made_is_said(swarm, web, operations, said):
    address, folder = web
    write_archive(folder / "bad.tar.gz", {"../../leaves": "1"})
    swarm.add_swop(swop_profile([node_definition(swarm.certs, 0)]))
    targets = {"web": address, "usr": swarm.usr}
    swarm.make_task(content_task("content", [(a, b.format(**targets), c) for a, b, c in operations], "data"))
    swarm.assign("content", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    peer = swarm.peer_status(0)
    assert (peer.field("STATUS"), peer.field("DESCRIPTION")) == ("FAILED", said)


class PackageIndex(http.server.BaseHTTPRequestHandler):
    """One package, that of `write_wheel`; answers wait until the index is `open`."""

    opened = None
    asked = None
    folder = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.asked.set()
        self.opened.wait()
        kind, body = "text/html", f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
        if not self.path.endswith("/"):
            kind, body = "application/octet-stream", (self.folder / WHEEL).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # a client that was killed


@pytest.fixture
def index(folder):
    files = pathlib.Path(folder) / "index"
    write_wheel(files)
    kind = type("Index", (PackageIndex,), {"opened": threading.Event(), "asked": threading.Event(), "folder": files})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        kind.opened.set()
        server.shutdown()
        thread.join()


def processes_that_name(path):
    """Numbers of all processes with this path in a word of theirs."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(path).encode() in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:
            continue  # has ended
    return found


def test_a_build_ends_with_its_swop_and_is_made_anew(swarm, index):
    swop = swarm.add_swop(swop_profile([node_definition(swarm.certs, 0)]))
    host, port = index.server_address
    steps = [f"-i http://{host}:{port}/simple", "swarm_sample"]
    swarm.make_task(build_task("build", steps, "env"))
    swarm.assign("build", "WITH 1 PEERS")
    until(index.RequestHandlerClass.asked.is_set, "pip to ask the index", alive=[swop])
    environments = swop.data_dir / "swop-1" / "environments"
    half_made = next(environments.glob("env@*"))
    assert processes_that_name(half_made), "pip is at work"
    swop.kill9()
    until(lambda: not processes_that_name(half_made), "pip to end with its SWOP")
    assert not (environments / "env@.json").exists(), "nothing was made yet"
    index.RequestHandlerClass.asked.clear()
    swop.start()
    until(index.RequestHandlerClass.asked.is_set, "pip to ask the index again", alive=[swop])
    index.RequestHandlerClass.opened.set()
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    made = [each for each in environments.glob("env@*") if each.is_dir()]
    assert len(made) == 1 and made[0] != half_made
    assert list(made[0].glob("venv/lib/python3*/site-packages/swarm_sample.py"))


@pytest.mark.parametrize("kind", ["run", "build"])
def test_a_host_without_namespaces_is_said(swarm, kind):
    file = swarm.usr / "swop.yaml"
    file.write_text(json.dumps(swop_profile([node_definition(swarm.certs, 0)])))
    swop = SWOP(swarm.folder, swarm.certs, swarm.sn.port, swarm.usr, file.name)
    without = 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"'
    wrapper = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c", without, "sh"]
    swop.program, *swop.arguments = [*wrapper, swop.program, *swop.arguments]
    swarm.swops.append(swop)
    swop.start().wait_listening()
    swarm.make_task(run_task("task", "x.py") if kind == "run" else build_task("task", ["--no-index"], "env"))
    swarm.assign("task", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert "the host forbids sandboxes" in swarm.peer_status(0).text
    assert "sysctl -w user.max_user_namespaces=15000" in swop.log()


def test_a_build_that_fails_says_its_step(swarm):
    swop = swarm.add_swop(swop_profile([node_definition(swarm.certs, 0)]))
    steps = ["FROM python", " ", "RUN mkdir /x", "RUN pip install --no-index no_such_package"]
    swarm.make_task(build_task("build", steps, "env", kind="INLINE"))
    swarm.assign("build", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert swarm.peer_status(0).field("DESCRIPTION") == "the build failed (step 4)"
    assert "No matching distribution found for no_such_package" in swop.log()


def test_an_image_needs_a_container_engine(swarm):
    swarm.add_swop(swop_profile([node_definition(swarm.certs, 0)]))
    body = {"OrgAndReg": "docker.io", "RepoName": "library/python", "Tag": "3.11", "Auth": None}
    words = {"TaskType": "PULL_IMAGE", "Author": "tests", "Prereq": "ROOTTASK", "Outcome": "python:3.11"}
    swarm.make_task({"Name": "pull", **words, "Body": body})
    swarm.assign("pull", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert swarm.peer_status(0).field("DESCRIPTION") == "the task needs a container engine"
