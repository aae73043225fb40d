"""The command lines that the run scripts make of their options, printed by --dry-run: no engine has to answer."""

import os
import pathlib
import shlex
import shutil

import pytest
from harness import BIN
from scripts import DEPLOY, Scripts

pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason="no docker on this host: install docker.io")

ENGINE = {"SWARM_ENGINE": "docker", "DOCKER_HOST": "unix:///nowhere/engine.sock"}
SN = ("--host-ip=10.0.0.1", "--sentinel")
SL = ("--host-ip=10.0.0.1", "--sn-ip=10.0.0.2")
SWOP = ("--usr-dir=usr", "--profile-file-name=profile.yaml", "--sn-ip=10.0.0.2")


@pytest.fixture
def scripts(folder, certs):
    (scripts := Scripts(folder, certs, ENGINE)).folder.joinpath("usr").mkdir()
    (scripts.folder / "usr" / "profile.yaml").touch()
    (scripts.folder / "usr" / "swci-init").touch()
    return scripts


def made(scripts, script, *arguments):
    """The words of each command that would be run."""
    return [shlex.split(line) for line in scripts.run(script, "--dry-run", *arguments).splitlines()]


def node(scripts, script, *arguments):
    """Of the command that makes the node's container: {option: [values]}, the words after the image."""
    return taken_apart(made(scripts, script, *arguments)[0])


def taken_apart(words):
    assert words[:3] == ["docker", "container", "create"], words
    options, rest = {}, words[3:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        name, _, value = option.partition("=")
        if name == option and option != "--interactive":
            value = rest.pop(0)
        options.setdefault(name, []).append(value)
    return options, rest


def environment(options):
    return dict(each.partition("=")[::2] for each in options["-e"])


@pytest.mark.parametrize(
    "script, arguments, variables",
    [
        ("run-sn", SN, {"THIS_NODE_IP": "10.0.0.1", "SN_I_AM_SENTINEL": "1"}),
        ("run-sn", ["--HOST-IP", "10.0.0.1", "--Sentinel=1"], {"THIS_NODE_IP": "10.0.0.1", "SN_I_AM_SENTINEL": "1"}),
        (
            "run-sn",
            ["--host-ip=10.0.0.1", "--sentinel-ip=10.0.0.9", "--sentinel-api-port=4"],
            {"SENTINEL_NODE_IP": "10.0.0.9", "SENTINEL_API_SERVER_PORT": "4"},
        ),
        (
            "run-sn",
            ["--sentinel-api-service=api.a:5", "--sn-api-service=api.b", "--sn-p2p-service=p2p.b:7"],
            {"SENTINEL_API_SERVICE": "api.a:5", "SN_API_SERVICE": "api.b", "SN_ETH_P2P_SERVICE": "p2p.b:7"},
        ),
        ("run-sn", [*SN, "--sn-api-port=1", "--sn-p2p-port=2"], {"SN_API_SERVER_PORT": "1", "SN_ETH_PORT_EXT": "2"}),
        ("run-sl", SL, {"THIS_NODE_IP": "10.0.0.1", "SN_NODE_IP": "10.0.0.2"}),
        (
            "run-sl",
            ["--sl-fs-service=fs.a:9", "--sn-api-service=api.a"],
            {"SL_FS_SERVICE": "fs.a:9", "SN_API_SERVICE": "api.a"},
        ),
        ("run-sl", [*SL, "--sn-api-port=3", "--sl-fs-port=16000"], {"SN_API_SERVER_PORT": "3", "SL_FS_PORT": "16000"}),
        (
            "run-sl",
            SL,
            {
                "SL_REQUEST_CHANNEL": "/tmp/channel/request.channel",
                "SL_RESPONSE_CHANNEL": "/tmp/channel/response.channel",
            },
        ),
        (
            "run-swop",
            [*SWOP, "--docker-group-id=77", "--swop-uid=0"],
            {"SWOP_PROFILE": "profile.yaml", "SN_NODE_IP": "10.0.0.2", "SWOP_DOCKER_GID": "77", "SWOP_UID": "0",
             "SWOP_GID": "0", "USR_DIR": "/platform/swarm/usr"},
        ),
        (
            "run-swop",
            [*SWOP, "--host-ip=10.0.0.1"],
            {"THIS_NODE_IP": "10.0.0.1", "SWOP_LINES_PORT": "30308"},
        ),
        ("run-swop", [*SWOP, "--host-ip=a", "--net=host", "--swop-lines-port=9"], {"SWOP_LINES_PORT": "9"}),
        (
            "run-swci",
            ["--usr-dir", "usr", "--init-script-name", "swci-init"],
            {"SWCI_STARTUP_SCRIPT": "swci-init", "USR_DIR": "/platform/swarm/usr"},
        ),
        (
            "run-slm-ui",
            ["--sn-ip=10.0.0.2", "--ui-operator=0x12", "--ui-port=9"],
            {"SWARMD_ROLE": "ui", "SN_NODE_IP": "10.0.0.2", "SWARMD_UI_OPERATOR": "0x12", "SWARMD_UI_PORT": "9",
             "SWARMD_UI_ADDRESS": "0.0.0.0"},
        ),
        ("run-sn", [*SN, "-e", "A=b c", "-e", "http_proxy=", "--env=D=e"], {"A": "b c", "http_proxy": "", "D": "e"}),
        ("run-sn", [*SN, "--name=sn1"], {"SWARMD_NODE_NAME": "sn1"}),
    ],
)  # fmt: skip
def test_options_reach_the_node_as_variables(scripts, script, arguments, variables):
    options, _ = node(scripts, script, *arguments)
    assert variables.items() <= environment(options).items()


@pytest.mark.parametrize(
    "script, arguments, published, flags",
    [
        ("run-sn", SN, None, []),
        ("run-sn", [*SN, "--sn-api-port=5000", "--sn-p2p-port=5001"], ["5000:5000", "5001:30303"], []),
        ("run-sn", ["--sentinel", "--sn-api-service=a", "--sn-p2p-service=p"], ["30304:30304", "30303:30303"], []),
        ("run-sn", ["--sentinel", "--sn-api-service=a:8", "--sn-p2p-service=p:9"], ["8:30304", "9:30303"], []),
        ("run-sl", [*SL, "--sl-fs-port=16000"], ["16000:30305"], []),
        ("run-sl", ["--sn-ip=1", "--sl-fs-service=f"], ["30305:30305"], []),
        ("run-sl", ["--sn-ip=1", "--sl-fs-service=f:4"], ["4:30305"], []),
        ("run-sl", [*SL, "-p", "1:2"], ["1:2"], []),
        ("run-slm-ui", ["--sn-ip=1"], ["127.0.0.1:30302:30302"], []),  # other hosts do not reach it
        ("run-slm-ui", ["--sn-ip=1", "--ui-port=9"], ["127.0.0.1:9:9"], []),
        ("run-slm-ui", ["--sn-ip=1", "--network=host"], None, []),
        ("run-swop", SWOP, None, []),
        ("run-swop", [*SWOP, "--host-ip=10.0.0.1"], ["30308:30308"], []),
        ("run-swop", [*SWOP, "--host-ip=10.0.0.1", "--swop-lines-port=9"], ["9:9"], []),
        ("run-swop", [*SWOP, "--host-ip=10.0.0.1", "--swop-lines-port=9", "--network=host"], None, []),
        # The network of the host has no other ports than its own.
        ("run-sl", [*SL, "--network=host", "--sl-fs-port=16000"], None, ["--sl-fs-port", "16000"]),
        ("run-sn", [*SN, "--net", "host", "--sn-p2p-port=7"], None, ["--sn-p2p-port", "7"]),
    ],
)
def test_ports_are_published_as_the_original_does(scripts, script, arguments, published, flags):
    options, words = node(scripts, script, *arguments)
    assert sorted(options.get("-p", []) + options.get("--publish", [])) == sorted(published or [])
    assert words[1:] == flags


def test_a_port_of_which_nobody_is_told_is_refused(scripts):
    said = scripts.run("run-swop", "--dry-run", *SWOP, "--swop-lines-port=9", status=1)
    assert said.startswith("run-swop: --swop-lines-port: give --host-ip, too")


def test_certificates_are_seen_under_their_own_paths(scripts):
    key, cert, capath = (str(word) for word in scripts.identity("sn-1")[1::2])
    ca = f"{capath}/ca-cert.pem"
    options, _ = node(scripts, "run-sn", *SN, *scripts.identity("sn-1"), f"--cacert={ca}")
    wanted = {"SWARM_ID_KEY": key, "SWARM_ID_CERT": cert, "SWARM_ID_CAPATH": capath, "SWARM_ID_CACERT": ca}
    assert wanted.items() <= environment(options).items()
    assert {f"{path}:{path}:ro" for path in wanted.values()} <= set(options["-v"])


def test_options_of_the_engine_are_passed_on_in_every_form(scripts):
    options, words = node(
        scripts, "run-sn", *SN, "-dt", "--rm", "--name", "sn1", "--network=n", "--ip", "10.1.1.1", "--dns=10.9.9.9",
        "-m", "1g", "-v", "state:/x", "-vusr:/y", "-v", "./usr:/z:ro", "--privileged=false", "--memory-swap=-1",
        "--add-host=a:1", "word", "--", "--observer",
    )  # fmt: skip
    assert options["--network"] == ["n"] and options["--ip"] == ["10.1.1.1"] and options["--dns"] == ["10.9.9.9"]
    assert options["--name"] == options["--hostname"] == ["sn1"] and options["--memory"] == ["1g"]
    assert options["-v"] == ["state:/x", "usr:/y", f"{scripts.folder}/usr:/z:ro"]
    assert options["--rm"] == options["--tty"] == ["true"] and options["--privileged"] == ["false"]
    assert options["--memory-swap"] == ["-1"] and options["--add-host"] == ["a:1"]
    assert words == ["localhost/swarmd/sn:0.2.0", "word", "--observer"]


def test_in_the_foreground_the_node_is_attached(scripts):
    assert made(scripts, "run-sn", *SN, "--name=sn1")[-1] == [
        *("exec", "docker", "container", "start", "--attach", "--interactive", "sn1")
    ]
    assert made(scripts, "run-sn", *SN, "--name=sn1", "-d")[-1] == ["docker", "container", "start", "sn1"]


def test_images_are_chosen_by_variable_or_option(scripts):
    assert node(scripts, "run-swci", "--image=mine:1")[1] == ["mine:1"]
    printed = scripts.run("run-swci", "--dry-run", environment={"SWARM_IMAGES": "r.example.org/a"})
    assert "r.example.org/a/swci:0.2.0" in printed.split()


def test_a_swci_is_removed_when_it_ends_unless_told_otherwise(scripts):
    assert node(scripts, "run-swci")[0]["--rm"] == ["true"]
    assert node(scripts, "run-swci", "--rm=false")[0]["--rm"] == ["false"]


def test_a_swop_gets_the_socket_of_the_engine(scripts):
    options, _ = node(scripts, "run-swop", *SWOP)
    assert "/nowhere/engine.sock:/var/run/docker.sock" in options["-v"]  # DOCKER_HOST's
    options, _ = node(scripts, "run-swop", *SWOP, "--docker-socket-file=/a/b.sock")
    assert "/a/b.sock:/var/run/docker.sock" in options["-v"] and "--group-add" in options
    assert f"{scripts.folder}/usr:/platform/swarm/usr" in options["-v"]


@pytest.mark.parametrize(
    "image, of_sls",
    [(None, "localhost/swarmd/sl:0.2.0"), ("r.a:5/b/swop:7", "r.a:5/b/sl:7"), ("mine:1", "localhost/swarmd/sl:0.2.0")],
)
def test_the_sls_of_a_swop_are_of_its_own_registry_and_version(scripts, image, of_sls):
    arguments = ["--usr-dir=usr", "--profile-file-name=profile.yaml", *([f"--image={image}"] if image else [])]
    assert environment(node(scripts, "run-swop", *arguments)[0])["SWOP_SL_IMAGE"] == of_sls


def test_a_swop_that_is_a_process_runs_programs_as_it_is_told(scripts):
    arguments = ("--no-container", "--name=s", "--usr-dir=usr", "--profile-file-name=profile.yaml")
    words = made(scripts, "run-swop", *arguments)[0]
    assert words[0] == "env" and "SWOP_MANAGER=process" in words and f"USR_DIR={scripts.folder}/usr" in words
    words = made(scripts, "run-swop", *arguments, "--docker-socket-file=/a/b.sock")[0]
    assert "SWOP_DOCKER_SOCKET=/a/b.sock" in words and "SWOP_MANAGER=process" not in words


@pytest.mark.parametrize(
    "socket, mount, inside",
    [
        ("usr/agent.sock", "{folder}/usr:/tmp/spire-agent", "/tmp/spire-agent/agent.sock"),
        ("spire:public/a.sock", "spire:/tmp/spire-agent", "/tmp/spire-agent/public/a.sock"),
        ("spire", "spire:/tmp/spire-agent", "/tmp/spire-agent/api.sock"),
    ],
)
def test_the_socket_of_a_spire_agent_is_mounted(scripts, socket, mount, inside):
    (scripts.folder / "usr" / "agent.sock").touch()
    options, _ = node(scripts, "run-sn", *SN, "--socket-path", socket)
    assert mount.format(folder=scripts.folder) in options["-v"]
    assert environment(options)["SWARM_SPIFFE_WORKLOAD_API_SOCKET_PATH"] == inside
    assert "swarm-node-type=sn" in options["--label"]


def test_the_training_program_of_the_guide(scripts):
    """As the CIFAR-10 and the MNIST-PYT chapters start it."""
    commands = made(
        scripts, "run-sl", "-d", "--name=sl1", *SL, "--sl-fs-port=16000", *scripts.identity("sl-1"),
        "--ml-image=user-ml-env-tf2.7.0", "--ml-name=ml1", "--ml-w=/tmp/test", "--ml-entrypoint=python3",
        "--ml-cmd=model/cifar10.py --title 'two words'", "--ml-cmd=more", "--ml-v=./usr:/tmp/test/model",
        "--ml-e", "MODEL_DIR=model", "--ml-e", "MAX_EPOCHS=1", "--ml-e", "https_proxy=http://proxy:80",
        "--ml-privileged", "--ml-device=/dev/kfd", "--ml-device", "/dev/dri", "--ml-group-add", "video", "--ml-gpus",
        "all", "--ml-user=0:0", "--ml-it", "--apls-ip=10.9.9.9",
    )  # fmt: skip
    sl, _ = taken_apart(commands[0])
    ml, words = taken_apart(commands[1])
    assert commands[2] == ["docker", "container", "start", "sl1", "ml1"]
    assert "/tmp/channel" in sl["-v"] and ml["--volumes-from"] == ["sl1"]
    channels = ("SL_REQUEST_CHANNEL", "SL_RESPONSE_CHANNEL")
    assert all(environment(ml)[name] == environment(sl)[name] for name in channels)
    assert environment(ml)["MODEL_DIR"] == "model" and environment(ml)["https_proxy"] == "http://proxy:80"
    assert ml["--workdir"] == ["/tmp/test"] and ml["--entrypoint"] == ["python3"] and ml["--user"] == ["0:0"]
    assert ml["-v"] == [f"{scripts.folder}/usr:/tmp/test/model"] and ml["--group-add"] == ["video"]
    assert ml["--device"] == ["/dev/kfd", "/dev/dri"] and ml["--gpus"] == ["all"]
    assert ml["--privileged"] == ml["--tty"] == ["true"] and "--privileged" not in sl
    assert words == ["user-ml-env-tf2.7.0", "model/cifar10.py", "--title", "two words", "more"]


@pytest.mark.parametrize(
    "given, user, open_to_all",
    [(None, "caller", False), ("daemon", "daemon:1", True), ("5:6", "5:6", True)],
)
def test_whom_a_program_runs_as_and_who_may_open_the_pipes(scripts, given, user, open_to_all):
    caller = f"{os.getuid()}:{os.getgid()}"
    commands = made(scripts, "run-sl", "-d", *SL, "--ml-image=i", *([f"--ml-user={given}"] if given else []))
    sl, ml = taken_apart(commands[0])[0], taken_apart(commands[1])[0]
    assert ml["--user"] == [caller if user == "caller" else user] and sl["--user"] == [caller]
    assert ("SL_CHANNEL_OPEN" in environment(sl)) == open_to_all


def test_one_more_container_beside_a_node(scripts):
    commands = made(
        scripts, "run-sn", "-d", *SN, "--name=sn1", "--sidecar", "probe", "--probe-image=p:1", "--probe-name=probe1",
        "--probe-cmd=watch this", "--probe-e", "A=b",
    )  # fmt: skip
    options, words = taken_apart(commands[1])
    assert words == ["p:1", "watch", "this"] and options["--name"] == ["probe1"] and environment(options) == {"A": "b"}
    assert commands[2] == ["docker", "container", "start", "sn1", "probe1"]


@pytest.mark.parametrize(
    "script, arguments, says",
    [
        ("run-sn", [*SN, "--sl-fs-port=1"], "--sl-fs-port: it is an option of run-sl"),
        ("run-sn", [*SN, "--sig-proxy"], "it is an option of docker run, but not of docker container create"),
        ("run-sn", [*SN, "--secret=x"], "it is an option of podman, but the engine here is docker"),
        ("run-sn", [*SN, "--nonsense"], "neither run-sn nor docker container create knows it"),
        ("run-sn", [*SN, "-Z"], "-Z: neither run-sn nor docker container create knows it"),
        ("run-sl", [*SL, "--ml-image=i", "--ml-nonsense"], "docker container create has no option --nonsense"),
        ("run-sl", [*SL, "--ml-name=ml1"], "--ml-image is needed with other --ml options"),
        ("run-sl", [*SL, "--ml-image=i", "--ml-cmd=it's"], "its quotes do not match"),
        ("run-sn", ["--sentinel", "--host-ip"], "--host-ip needs a value"),
        ("run-sn", ["--sentinel", "--host-ip="], "--host-ip needs a value"),
        ("run-sn", ["--sentinel", "--host-ip", "--rm"], "--host-ip needs a value"),
        ("run-sn", [*SN, "--sentinel=perhaps"], "--sentinel=perhaps: true or false is needed"),
        ("run-sn", [*SN, "--rm=perhaps"], "--rm=perhaps: true or false is needed"),
        ("run-sn", [*SN, "-v", "./nowhere:/x"], "-v ./nowhere:/x: ./nowhere does not exist"),
        ("run-sn", [*SN, "--sidecar=No Name"], "a name of small letters and digits is needed"),
        ("stop-swarm", ["--ml"], "--ml: unknown"),
        ("uninstall", ["now"], "uninstall takes no arguments"),
        ("swarmLogCollector", ["hub", "color=red"], "color=red: unknown"),
        ("swarmLogCollector", ["workspace=nowhere"], "workspace=nowhere: no such folder"),
        ("swarmLogCollector", ["workspace=usr"], "usr has no swci/taskdefs/*.yaml"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(scripts, script, arguments, says):
    said = scripts.run(script, *arguments, status=1)
    assert said.startswith(f"{script}: ") and says in said and len(said.splitlines()) == 1, said


@pytest.mark.parametrize(
    "script",
    ["run-sn", "run-sl", "run-swop", "run-swci", "run-slm-ui", "run-postgres", "stop-swarm", "swarmLogCollector",
     "uninstall", "gen-cert", "make-client-wheel"],
)  # fmt: skip
@pytest.mark.parametrize("word", ["-help", "--help", "--HELP"])
def test_help_in_every_form(scripts, script, word):
    if script == "gen-cert":
        word = word.lower()
    printed = scripts.run(script, word)
    assert script in printed and "shellcheck" not in printed


def test_the_engine_is_called_through_sudo_when_told(scripts):
    assert made(scripts, "run-sn", *SN, "--sudo")[0][:4] == ["sudo", "docker", "container", "create"]


def test_without_an_engine_a_node_is_a_process(scripts):
    tools = scripts.folder / "tools"
    tools.mkdir()
    for file in [*pathlib.Path("/bin").iterdir(), *pathlib.Path("/usr/bin").iterdir()]:
        if file.name not in ("docker", "podman") and not (tools / file.name).exists():
            (tools / file.name).symlink_to(file)
    environment = {"PATH": str(tools), "SWARM_ENGINE": ""}
    printed = scripts.run("run-sn", *SN, "--name=sn1", "--dry-run", environment=environment)
    words = shlex.split(printed)
    assert words[0] == "env" and str(BIN / "swarmd") in words
    assert words[words.index("--data-dir") + 1] == str(scripts.state / "sn1" / "data")


def test_an_engine_that_does_not_answer_is_named(scripts):
    said = scripts.run("run-sn", *SN, status=1)
    assert said.startswith("run-sn: docker does not answer: ") and "--no-container" in said


def test_no_script_of_the_originals_is_longer_than_a_few_screens():
    for file in [*DEPLOY.iterdir(), *(DEPLOY.parent / "lib").iterdir(), *(DEPLOY.parent / "docker").iterdir()]:
        assert file.name == "gen-cert" or len(file.read_text().splitlines()) <= 150, file


def test_the_version_is_where_examples_look_for_it():
    lines = (DEPLOY.parent / "lib" / "common").read_text().splitlines()
    assert next(line for line in lines if "swarmVer" in line) == 'swarmVer="0.2.0"'
