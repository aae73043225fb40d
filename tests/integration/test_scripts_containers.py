"""The scripts of deploy/bin with containers, on engines that the test starts, and the image that they run.

The engines have no network but the host's. Training programs run in an image with nothing of its own: they see this
host's Python.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile

import pytest
from harness import BIN, ROOT, until
from launcher.engines import Engine, why_no_engine
from launcher.operators import node_definition, swop_profile
from scripts import DEPLOY, Scripts, remove, short_folder

IMAGE_BYTES_MAX = 120_000_000
ROLES = ("sn", "sl", "swop", "swci")
HOST = ("--network", "host")


class Containers(Scripts):
    """Scripts that use an engine of the test's own."""

    def __init__(self, folder, certs, engine):
        chosen = {"SWARM_ENGINE": engine.kind, "PYTHONPATH": ""}
        super().__init__(folder, certs, {**engine.variables, **engine.environment, **chosen})
        self.engine, self.folder = engine, pathlib.Path(folder)

    def call(self, *arguments):
        done = subprocess.run(
            [self.engine.kind, *map(str, arguments)], env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout + done.stderr if arguments[:2] == ("container", "logs") else done.stdout

    def inspect(self, name):
        return json.loads(self.call("container", "inspect", name))[0]

    def names(self):
        return set(self.call("container", "ls", "--all", "--format", "{{.Names}}").split())

    def list_nodes(self):
        """Options of a SWCI whose script lists the nodes."""
        there = f"127.0.0.1 {self.api_port}"
        (self.folder / "usr" / "swci-init").write_text(
            f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP {there}\nSWITCH CONTEXT c\nLIST NODES\nEXIT\n"
        )
        return ("--usr-dir=usr", *self.identity("swci-1"))

    def log_of(self, name):
        return self.call("container", "logs", name)

    def wait_up(self, name="sn1"):
        until(lambda: "Starting SWARM-API-SERVER on port" in self.log_of(name), f"{name} to be up")

    def wait_exit(self, name):
        """Its exit code. The engine waits, as each look at it would be a process of its own."""
        return int(self.call("container", "wait", name))

    def host_python(self):
        """Mounts by which a container of busybox has this host's Python and the tests."""
        seen = dict.fromkeys(("/usr", "/lib", "/lib64", sys.base_prefix, sys.prefix, str(ROOT / "tests")))
        inner = [path for path in seen if path == "/usr" or not path.startswith("/usr/")]
        return [word for path in inner for word in ("--ml-v", f"{os.path.realpath(path)}:{path}:ro")]


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request):
    if why := why_no_engine(request.param):
        pytest.skip(why)
    folder = short_folder()
    engine = Engine(folder, request.param)
    try:
        engine.start()
        environment = {**os.environ, **engine.variables, **engine.environment, "SWARM_ENGINE": engine.kind}
        subprocess.run([ROOT / "deploy/docker/build", "--programs", BIN], env=environment, check=True, timeout=300)
        yield engine
    finally:
        engine.stop()
        remove(folder)


@pytest.fixture
def scripts(folder, certs, engine):
    scripts = Containers(folder, certs, engine)
    yield scripts
    for name in scripts.names():
        scripts.call("container", "rm", "--force", "--volumes", name)


def test_one_small_image_for_every_role(scripts):
    for role in ROLES:
        image = json.loads(scripts.call("image", "inspect", f"localhost/swarmd/{role}:0.2.0"))[0]
        assert image["Size"] < IMAGE_BYTES_MAX
        settings = image["Config"]
        assert settings["User"] == "10001:10001" and f"SWARMD_ROLE={role}" in settings["Env"]
    layers = [
        json.loads(scripts.call("image", "inspect", f"localhost/swarmd/{role}:0.2.0"))[0]["RootFS"]["Layers"][0]
        for role in ROLES
    ]
    assert len(set(layers)) == 1


def test_two_pairs_train_in_containers(scripts):
    sn_id = scripts.start_sn(*HOST).strip()
    scripts.wait_up()
    assert scripts.inspect("sn1")["Id"] == sn_id
    info = scripts.call("exec", "sn1", "cat", "/tmp/container_info_file").splitlines()
    assert info[:2] == [sn_id, "localhost/swarmd/sn:0.2.0"] and info[2].startswith("sha256:") and len(info) == 3
    for number, value in ((1, 1.0), (2, 3.0)):
        scripts.run(
            "run-sl", *scripts.sl_arguments(f"sl{number}"), *HOST, f"--ml-image={scripts.engine.base}",
            *scripts.training(f"ml{number}", value, peers=2), *scripts.host_python(), "--ml-v=./out:/tmp/test/out",
            "--ml-w=/tmp/test/out", "--ml-network=host",
        )  # fmt: skip
    for name in ("ml1", "ml2", "sl1", "sl2"):
        assert scripts.wait_exit(name) == 0, scripts.log_of(name)
    assert scripts.result("ml1") == scripts.result("ml2") == [2.0] * 4
    scripts.run("stop-swarm")
    assert scripts.names() == {"ml1", "ml2"}


def test_a_node_says_by_itself_whether_it_is_well(scripts):
    checks = ("--health-interval=1s", "--health-timeout=2s", "--health-retries=1", "--health-start-period=0s")
    scripts.start_sn(*HOST, *checks)
    scripts.wait_up()

    def health():
        if scripts.engine.kind == "podman":  # without systemd nobody but this test asks for it
            subprocess.run(["podman", "healthcheck", "run", "sn1"], env=scripts.environment, capture_output=True)
        state = scripts.inspect("sn1")["State"]
        return (state.get("Health") or state["Healthcheck"])["Status"]

    until(lambda: health() == "healthy", "the node to be well")
    if scripts.engine.kind == "podman":
        return  # and nobody ends a check that hangs
    number = scripts.inspect("sn1")["State"]["Pid"]
    os.kill(number, signal.SIGSTOP)
    try:
        until(lambda: health() == "unhealthy", "a node that stands still to be unwell")
    finally:
        os.kill(number, signal.SIGCONT)


def test_what_the_chain_needs_outlives_the_container(scripts):
    state = scripts.folder / "smlnode"
    state.mkdir()
    keep = (*HOST, "-v", f"{state}:/platform/swarm/SMLNODE")
    scripts.start_sn(*keep)
    scripts.wait_up()
    scripts.run("stop-swarm", "--sn")
    assert scripts.names() == set()
    scripts.start_sn(*keep)
    scripts.wait_up()
    assert "founder of the chain" not in scripts.log_of("sn1")


def test_a_node_runs_as_any_user_that_may_read_its_key(scripts):
    identity = scripts.folder / "identity"
    shutil.copytree(scripts.certs.folder, identity)
    for file in [identity, *identity.rglob("*")]:
        os.chown(file, 10001, 10001)
    scripts.folder.chmod(0o755)
    scripts.run(
        "run-sn", "-d", "--name=sn1", "--host-ip=127.0.0.1", "--sentinel", "--user=10001:10001", *HOST,
        f"--sn-api-port={scripts.api_port}", f"--sn-p2p-port={scripts.p2p_port}", "--cap-drop=ALL",
        f"--key={identity}/sn-1-key.pem", f"--cert={identity}/sn-1-cert.pem", f"--capath={identity}/ca/capath",
    )  # fmt: skip
    scripts.wait_up()
    assert scripts.call("exec", "sn1", "id", "-u").strip() == "10001"


@pytest.mark.parametrize(
    "role, variables, arguments, settings",
    [
        (
            "sn",
            {"SN_I_AM_SENTINEL": "True", "SN_ETH_PORT_EXT": 16000},
            [],
            {"sentinel": "True", "sn-p2p-port": "30303", "sn-p2p-service": "10.0.0.1:16000"},
        ),
        (
            "sn",
            {"SENTINEL_NODE_IP": "10.0.0.9", "SENTINEL_API_SERVER_PORT": 4, "SN_API_SERVER_PORT": 5},
            [],
            {"sentinel-ip": "10.0.0.9", "sentinel-api-port": "4", "sn-api-port": "5", "sn-p2p-port": "30303"},
        ),
        (
            "sl",
            {"SN_NODE_IP": "10.0.0.2", "SL_FS_PORT": 17000, "SL_LEADER_FAILURE_BASE_TIMEOUT": 60},
            [],
            {"sl-fs-port": "30305", "sl-fs-service": "10.0.0.1:17000", "leader-failure-base-timeout": "60"},
        ),
        ("sl", {"SN_NODE_IP": "10.0.0.2", "SL_FS_PORT": 1}, ["--sl-fs-port=17000"], {"sl-fs-port": "17000"}),
        (
            "sl",
            {"SN_NODE_IP": "10.0.0.2", "SL_FS_SERVICE": "fs.a"},
            [],
            {"sl-fs-port": "30305", "sl-fs-service": "fs.a"},
        ),
        (
            "swci",
            {"SWCI_MODE": "WEB", "SWCI_WEB_PORT": 8},
            [],
            {"swci-mode": "WEB", "swci-web-port": "8", "usr-dir": "/platform/swarm/usr"},
        ),
    ],
)  # fmt: skip
def test_the_variables_of_the_originals_containers(scripts, role, variables, arguments, settings):
    """What swarmd makes of them, as its --check says."""
    identity = zip(("KEY", "CERT", "CAPATH"), scripts.identity("sn-1")[1::2], strict=True)
    variables = {"THIS_NODE_IP": "10.0.0.1", **variables, **{f"SWARM_ID_{name}": path for name, path in identity}}
    printed = scripts.call(
        "run", "--rm", "--network=none", "--user=0:0", "-v", f"{scripts.certs.folder}:{scripts.certs.folder}:ro",
        *(word for pair in variables.items() for word in ("-e", "=".join(map(str, pair)))),
        f"localhost/swarmd/{role}:0.2.0", "--check", *arguments,
    )  # fmt: skip
    said = {words[1]: words[2] for line in printed.splitlines() if len(words := line.split()) > 2}
    assert {name: said.get(name) for name in settings} == settings, printed


def test_a_swop_listens_and_has_the_socket_of_its_engine(scripts, certs):
    usr = scripts.folder / "usr"
    (usr / "user0").mkdir(parents=True)
    profile = swop_profile([node_definition(certs, 0, usr / "user0")])
    (usr / "swop1_profile.yaml").write_text(json.dumps(profile))
    scripts.start_sn(*HOST)
    scripts.wait_up()
    scripts.run(
        "run-swop", "-d", "--rm", "--name=swop1", *HOST, "--sn-ip=127.0.0.1", f"--sn-api-port={scripts.api_port}",
        "--usr-dir=usr", "--profile-file-name=swop1_profile.yaml", *scripts.identity("swop-1"),
        *("-e", "http_proxy=", "-e", "https_proxy=", "-e", "SWOP_KEEP_CONTAINERS=True", "--apls-ip=10.9.9.9"),
    )  # fmt: skip
    until(lambda: "NODE UID" in scripts.log_of("swop1"), "the SWOP to be registered")
    assert scripts.call("exec", "swop1", "stat", "-c", "%F", "/var/run/docker.sock").strip() == "socket"
    assert (scripts.state / ".containers" / "swop1" / "swarmd" / "admin.sock").is_socket()
    assert scripts.call("exec", "swop1", "ls", "/platform/swarm/usr").split() == ["swop1_profile.yaml", "user0"]
    shown = scripts.run("run-swci", "--name=swci1", *HOST, *scripts.list_nodes())
    assert "swop1" in shown and "sn1" in shown
    scripts.run("stop-swarm")
    assert scripts.names() == set() and not list((scripts.state / ".containers").iterdir())


def test_swci_shows_its_session_and_ends_with_its_exit_code(scripts):
    usr = scripts.folder / "usr"
    usr.mkdir()
    (usr / "swci-init").write_text("EXIT ON FAILURE\npwd\nWAIT FOR IP 127.0.0.1 1 1\nEXIT\n")
    command = ("--name=swci1", *HOST, "--usr-dir=usr", *scripts.identity("swci-1"), "-e", "http_proxy=")
    done = subprocess.run(
        scripts.command("run-swci", *command), cwd=scripts.folder, env=scripts.environment, capture_output=True,
        text=True, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    assert "/platform/swarm/usr" in done.stdout and done.returncode == 1, (done.stdout, done.stderr)
    until(lambda: scripts.names() == set(), "its container to be removed")


def test_when_one_container_cannot_be_made_none_is_left(scripts):
    said = scripts.run(
        "run-sl", *scripts.sl_arguments("sl1"), *HOST, "--ml-image=localhost/none:1", "--ml-pull=never", status=1
    )
    assert "run-sl: the container cannot be made" in said and scripts.names() == set()


def test_an_image_that_is_not_there_is_named_with_what_makes_it(scripts):
    scripts.environment["SWARM_IMAGES"] = "localhost/other"
    said = scripts.run("run-sn", "--sentinel", "--host-ip=127.0.0.1", status=1)
    assert said == "run-sn: there is no image localhost/other/sn:0.2.0; deploy/docker/build makes it\n"


def test_stop_swarm_touches_only_nodes(scripts):
    scripts.call("run", "-d", "--name=foreign", "--network=none", scripts.engine.base, "sleep", "600")
    scripts.start_sn(*HOST)
    # One that an operator started without the scripts is known by its image.
    scripts.call("container", "create", "--name=sl9", "localhost/swarmd/sl:0.2.0")
    scripts.run("stop-swarm", "--keep", "--sn")
    assert scripts.names() == {"foreign", "sn1", "sl9"} and scripts.inspect("sn1")["State"]["Status"] == "exited"
    scripts.run("stop-swarm")
    assert scripts.names() == {"foreign"} and scripts.inspect("foreign")["State"]["Status"] == "running"


def init_program(engine):
    """What is the first process with --init. Docker brings it along, Podman has to be told."""
    return () if engine.kind == "docker" else (f"--init-path={shutil.which('tini-static')}",)


def test_the_log_collector_finds_containers_and_leaves_out_what_is_secret(scripts):
    scripts.start_sn(*HOST, "--init", "-e", "DB_PASSWORD=correct-horse", *init_program(scripts.engine))
    scripts.wait_up()
    scripts.call("run", "--name=ml1", "--network=none", scripts.engine.base, "cat", "/proc/version")
    output = scripts.folder / "logs"
    archive = scripts.run("swarmLogCollector", "localhost/swarmd", f"mlimage={scripts.engine.base}", "--output", output)
    with tarfile.open(archive.strip()) as tar:
        files = {each.name.split("/", 1)[1]: tar.extractfile(each).read().decode() for each in tar if each.isfile()}
    wanted = {"sn_0.2.0_1.log", "sn_inspect_0.2.0_1.log", "user_1.log", "ml_inspect_1.log", "sn1.tree.json"}
    assert wanted | {"out.log", "sn1.chain.json", "sn1.blocks.json"} <= set(files)
    assert json.loads(files["sn1.doctor.json"])["verdict"] != "wrong", files["sn1.doctor.json"]
    assert "Starting SWARM-API-SERVER" in files["sn_0.2.0_1.log"] and "Linux version" in files["user_1.log"]
    key = (scripts.certs.folder / "sn-1-key.pem").read_text().splitlines()[1]
    assert not [name for name, text in files.items() if "correct-horse" in text or key in text]
    assert "DB_PASSWORD=(removed)" in files["sn_inspect_0.2.0_1.log"]


@pytest.mark.parametrize("readme, left", [("# swarmd", {"workspace"}), ("# Mine", {"workspace", "docs", "README.md"})])
def test_uninstall_removes_images_and_what_was_installed(scripts, readme, left):
    installed = scripts.folder / "swarm-learning"
    shutil.copytree(DEPLOY.parent, installed / "deploy")
    for name in ("docs/file", "lib/swarmlearning-client-py3.whl", "workspace/file"):
        (installed / name).parent.mkdir()
        (installed / name).touch()
    (installed / "README.md").write_text(f"{readme}\n")
    for role in ROLES:
        scripts.call("tag", f"localhost/swarmd/{role}:0.2.0", f"localhost/going/{role}:0.2.0")
    environment = {**scripts.environment, "SWARM_IMAGES": "localhost/going"}
    command = [installed / "deploy/bin/uninstall"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {each.name for each in installed.iterdir()} == left
    assert "localhost/going" not in scripts.call("image", "ls") and "swarmd/sn" in scripts.call("image", "ls")
