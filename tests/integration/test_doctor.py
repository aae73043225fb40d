"""swarmd doctor: healthy hosts, and faults planted one by one, each of which makes one line. doctor/ has what is said;
SWARM_DOCTOR_GOLDEN=write writes it anew."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import doctored
import pytest
from doctored import PACKAGE, Between, Dated, Doctor, authority_of, close_to, faults, mounted, restrained
from harness import BIN, ROOT, SL, SN, Certs, free_port, until
from launcher.cluster import Cluster, allowed
from launcher.engines import Engine, why_no_engine
from launcher.operators import node_definition, swop_profile, why_no_sandboxes

NAMES = ("sn-1", "sn-2", "sl-1", "swop-1", "swci-1", "probe")


class Clinic:
    """One SN, and what there is to plant faults with."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.certs = Dated(self.folder / "certs", *NAMES)
        self.guest = Certs(self.folder / "guest", "sl-1")  # of an authority that the SN knows, and no vote has admitted
        self.stranger = Certs(self.folder / "stranger", "sl-1")  # of one that it does not know
        self.authorities = {
            authority_of(self.certs): "OWN-CA",
            authority_of(self.guest): "GUEST-CA",
            authority_of(self.stranger): "STRANGER-CA",
        }
        self.sn = SN(self.folder, self.certs)
        self.sn.start().wait_up()
        until(lambda: self.sn.block_num() >= 1, "the SN to be registered", alive=[self.sn])
        for number, (of, to) in enumerate(((self.guest, self.certs), (self.certs, self.guest))):
            shutil.copy(of.capath / "ca-cert.pem", to.capath / f"other-{number}.pem")
        until(self.takes_guests, "the SN to read its authorities anew", alive=[self.sn])

    def takes_guests(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.sn.port)) as link:
            with self.guest.context("sl-1").wrap_socket(link) as tls:
                tls.sendall(b"GET /is_up HTTP/1.1\r\nHost: sn\r\n\r\n")
                return tls.recv(20).startswith(b"HTTP/1.1 200")
        return False


@pytest.fixture(scope="module")
def clinic():
    folder = tempfile.mkdtemp(prefix="swarmd-test-")
    clinic = None
    try:
        clinic = Clinic(folder)
        yield clinic
    finally:
        if clinic is not None:
            clinic.sn.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


class Host:
    """A host on which a node is to be started; `sl()` and the like are its arguments."""

    def __init__(self, folder, clinic):
        self.folder, self.clinic, self.certs = pathlib.Path(folder), clinic, clinic.certs
        self.data, self.port, self.other_port = self.folder / "data", free_port(), free_port()
        names = {f"{clinic.folder}/guest": "GUEST", f"{clinic.folder}/certs": "CERTS", str(self.folder): "FOLDER"}
        names |= {str(self.port): "OWN-PORT", str(self.other_port): "OTHER-PORT", str(clinic.sn.port): "SN-PORT"}
        names |= {f"{clinic.folder}/stranger": "STRANGER", str(ROOT): "ROOT"}
        self.doctor = Doctor(folder, names | clinic.authorities)
        path = f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin"
        self.doctor.environment |= {"PYTHONPATH": PACKAGE, "PATH": path}
        self.left = contextlib.ExitStack()  # what is undone at the end of a test

    def common(self, role, identity, sn_port=None, host="127.0.0.1"):
        own = ("--role", role, "--host-ip", host, "--node-name", f"{role}-1", "--data-dir", self.data)
        sn = ("--sn-ip", "127.0.0.1", "--sn-api-port", sn_port or self.clinic.sn.port)
        return [*own, *identity, *(sn if role in ("sl", "swop") else ())]

    def sl(self, *more, identity=None, **options):
        identity = identity or self.certs.flags("sl-1")
        return [*self.common("sl", identity, **options), "--sl-fs-port", self.port, *more]

    def sn(self, *more, **options):
        ports = ("--sn-api-port", self.port, "--sn-p2p-port", self.other_port)
        return [*self.common("sn", self.certs.flags("sn-2"), **options), *ports, *more]

    def swop(self, *more, manager="PROCESS", options=(), cluster=None):
        node = node_definition(self.certs, 0)
        if options:
            node["slnodedef"]["usrcontaineropts"] = list(options)
        usr = self.folder / "usr"
        usr.mkdir(exist_ok=True)
        (usr / "swop.yaml").write_text(json.dumps(swop_profile([node], manager=manager, cluster=cluster)))
        profile = ("--usr-dir", usr, "--profile-file-name", "swop.yaml")
        return [*self.common("swop", self.certs.flags("swop-1")), *profile, *more]

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)
        path.chmod(mode)
        return path

    def between(self, change):
        """The port of an SN whose answers are changed."""
        it = Between(self.clinic.sn, self.certs, "sl-1", change)
        self.left.callback(it.clean_up)
        self.doctor.names[str(it.port)] = "SN-PORT"
        return it.port


@pytest.fixture
def host(folder, clinic):
    host = Host(folder, clinic)
    with host.left:
        yield host


# Healthy hosts

HEALTHY = {
    "sl": lambda host: host.sl("--program", "echo it trains"),
    "sentinel": lambda host: host.sn("--sentinel"),
    "sn": lambda host: host.sn("--sentinel-ip", "127.0.0.1", "--sentinel-api-port", host.clinic.sn.port),
    "swop": lambda host: host.swop(),
    "swop-with-pods": lambda host: host.swop(manager="KUBERNETES", cluster=cluster_of(host)[1]),
    "swci": lambda host: [*host.common("swci", host.certs.flags("swci-1")), "--usr-dir", host.folder],
}


@pytest.mark.parametrize("role", HEALTHY)
def test_a_healthy_host_gives_no_warning(host, role):
    if role == "swop" and (why := why_no_sandboxes()):
        pytest.skip(why)
    arguments = HEALTHY[role](host)
    before, block_num = sorted(host.folder.rglob("*")), host.clinic.sn.block_num()
    output = host.doctor.run(*arguments)
    assert faults(output) == [], output
    host.doctor.check(f"healthy-{role}", output)
    assert sorted(host.folder.rglob("*")) == before, "something was left behind"
    assert host.clinic.sn.block_num() == block_num


def test_a_node_that_runs_is_not_disturbed_and_no_fault(host):
    sl = SL(host.folder, host.certs, host.clinic.sn.port)
    host.left.callback(sl.clean_up)
    sl.start().wait_ready()
    until(lambda: sl.admin("actor", name="/sl/sn")["detail"]["registered"], "the SL to be registered", alive=[sl])
    host.doctor.names |= {str(sl.files_port): "OWN-PORT"}
    output = host.doctor.run(*sl.arguments)
    assert faults(output) == [], output
    host.doctor.check("running-sl", output)
    assert host.doctor.settled(host.doctor.run("--process", sl.pid)) == host.doctor.settled(output)
    assert sl.running() and not list(host.folder.rglob("*doctor*"))


def test_the_entrypoint_of_the_image_lets_it_through(host):
    environment = host.doctor.environment
    environment |= {"SWARMD_ROLE": "sl", "PATH": f"{BIN}:{environment['PATH']}"}
    arguments = host.sl("--program", "echo it trains")[2:]  # the role is the image's
    command = [str(word) for word in (ROOT / "deploy" / "docker" / "entrypoint", "doctor", *arguments)]
    done = subprocess.run(command, env=environment, cwd=host.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.stdout, done.stderr)
    host.doctor.check("healthy-sl", done.stdout)


def test_the_report_for_tools_says_the_same(host):
    read = json.loads(host.doctor.run("--json", *host.sl(sn_port=free_port()), status=1))
    assert (read["format"], read["verdict"], read["wrong"], read["warnings"]) == (1, "wrong", 1, 0)
    assert set(read["checks"][0]) == {"node", "role", "check", "verdict", "text", "remedy"}
    (fault,) = [each for each in read["checks"] if each["verdict"] == "wrong"]
    assert (fault["node"], fault["role"], fault["check"]) == ("sl-1", "SL", "sn-port") and fault["remedy"]
    mistaken = json.loads(host.doctor.run("--json", "--role", "sl", "--sl-fs-port", "x", status=1))
    assert {each["check"] for each in mistaken["checks"]} == {"settings"}


def test_the_help_of_swarmd_names_it(host):
    assert "Exit code: 0" in host.doctor.run("--help")
    shown = subprocess.run([BIN / "swarmd", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ *doctor ", shown, re.MULTILINE)  # as the log collector looks for it


# Faults. Each plants one, and gives the arguments, what starts doctor, and its environment.


def expired(host):
    return host.sl(identity=host.certs.make("old", "20200101000000Z", "20210101000000Z", "sl-9"))


def not_yet_valid(host):
    return host.sl(identity=host.certs.make("early", "20900101000000Z", "20910101000000Z", "sl-9"))


def ends_soon(host):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    return host.sl(identity=host.certs.make("late", "20200101000000Z", end.strftime("%Y%m%d%H%M%SZ"), "sl-9"))


def other_key(host):
    identity = host.certs.flags("sl-1")
    identity[1] = host.certs.folder / "probe-key.pem"
    return host.sl(identity=identity)


def open_key(host):
    key = host.write("key.pem", (host.certs.folder / "sl-1-key.pem").read_text(), 0o644)
    identity = host.certs.flags("sl-1")
    identity[1] = key
    return host.sl(identity=identity)


def other_role(host):
    return host.sl(identity=host.certs.flags("swop-1"))


def no_such_file(host):
    return host.sl(identity=host.certs.flags("nobody"))


def foreign_authority(host):
    return host.sl(identity=host.certs.flags("sl-1", host.clinic.stranger.capath))


def other_authority_than_the_sn(host):
    return host.sl(identity=host.clinic.stranger.flags("sl-1"))


def organisation_not_admitted(host):
    return host.sl(identity=host.clinic.guest.flags("sl-1"))


def sn_name(host):
    """Names are looked up in files alone, so that nothing leaves this host."""
    files = host.write("nsswitch.conf", "hosts: files\n", 0o644)
    arguments = host.sl()
    arguments[arguments.index("--sn-ip") + 1] = "no-such-sn.example.org"
    return arguments, mounted(("mount", "--bind", files, "/etc/nsswitch.conf"))


def sn_port(host):
    port = free_port()
    host.doctor.names[str(port)] = "CLOSED-PORT"
    return host.sl(sn_port=port)


def own_port_taken(host):
    taken = host.left.enter_context(socket.create_server(("0.0.0.0", host.port)))
    host.doctor.names[f"by {pathlib.Path('/proc/self/comm').read_text().strip()}, process {os.getpid()}"] = "by HOLDER"
    assert taken
    return host.sl()


def address_that_leads_nowhere(host):
    return host.sl("--bind-address", "127.0.0.1", host="127.0.0.9")


def address_of_another_host(host):
    """In a network of its own, out of which there is no way."""
    return host.sn("--sentinel", host="192.0.2.7"), network_of_its_own()


def network_of_its_own():
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def clock(host):
    def later(headers, answers):
        if "Date" not in headers:
            return
        at = datetime.datetime.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
        headers["Date"] = (at + datetime.timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    return host.sl(sn_port=host.between(later))


def version(host):
    def newer(headers, answers):
        for each in answers:
            if str(each["result"]).startswith("swarmd/v"):
                each["result"] = "swarmd/v9.1.0/c++20"

    return host.sl(sn_port=host.between(newer))


def other_network(host):
    host.write("data/sl-1/genesis-hash", f"0x{7:064x}\n")
    return host.sl()


def data_directory(host):
    host.data.mkdir()
    close_to(host.data)
    return host.sl(), restrained()


def open_data_directory(host):
    host.data.mkdir()
    host.data.chmod(0o777)
    return host.sl()


def open_node_key(host):
    host.write("data/sl-1/node.key", "4" * 64, 0o644)
    return host.sl()


def disk(host):
    host.data.mkdir(mode=0o700)
    return host.sl(), mounted(("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "swarmd-test", host.data))


def engine_absent(host):
    return host.swop("--docker-socket-file", host.folder / "engine.sock", manager="DOCKER")


def engine_forbidden(host):
    path = host.folder / "engine.sock"
    engine = host.left.enter_context(socket.socket(socket.AF_UNIX))
    engine.bind(str(path))
    engine.listen()
    close_to(path)
    return host.swop("--docker-socket-file", path, manager="DOCKER"), restrained()


def sl_image_absent(host):
    if why := why_no_engine("podman"):
        pytest.skip(why)
    engine = Engine(host.folder, "podman")
    host.left.callback(engine.stop)
    engine.start()
    return host.swop("--docker-socket-file", engine.socket, manager="DOCKER")


def scheduler_absent(host):
    empty = host.folder / "bin"
    empty.mkdir()
    return host.swop(manager="SLURM"), [], {"PATH": str(empty)}


def cluster_of(host):
    place = host.folder / "cluster"
    place.mkdir()
    cluster = Cluster(place)
    host.left.callback(cluster.stop)
    host.doctor.names[cluster.address] = "API-SERVER"
    return cluster, {"server": cluster.address, "namespace": "swarm", "tokenfile": str(cluster.token_file),
                     "cafile": str(cluster.ca_file)}  # fmt: skip


def api_server_denies(host):
    cluster, where = cluster_of(host)
    arguments = host.swop(manager="KUBERNETES", cluster=where)
    cluster.token_file = host.write("other-token", "of another account\n")
    return arguments


def rights_missing(host):
    cluster, where = cluster_of(host)
    cluster.rights = allowed() - {("jobs", "create"), ("pods/log", "get")}
    return host.swop(manager="KUBERNETES", cluster=where)


def gpu_absent(host):
    if pathlib.Path("/dev/nvidiactl").exists():
        pytest.skip("this host has a GPU")
    if why := why_no_sandboxes():
        pytest.skip(why)
    return host.swop(options=[{"gpus": "all"}])


def swop_profile_broken(host):
    arguments = host.swop()
    host.write("usr/swop.yaml", "groupname: [")
    return arguments


def package(host):
    return host.sl("--python", doctored.python_without_packages(host.folder))


def package_that_breaks(host):
    host.write("broken/swarmlearning.py", "import no_such_module\n")
    return host.sl(), [], {"PYTHONPATH": str(host.folder / "broken")}


def program(host):
    return host.sl("--program", "echo no data >&2; exit 3")


def setting(host):
    arguments = host.sl()
    arguments[arguments.index("--sl-fs-port") + 1] = "99999"
    return arguments


FAULTS = {
    expired: ("wrong", "dates"),
    not_yet_valid: ("wrong", "dates"),
    ends_soon: ("warning", "dates"),
    other_key: ("wrong", "key"),
    open_key: ("warning", "key"),
    other_role: ("wrong", "role"),
    no_such_file: ("wrong", "certificate"),
    foreign_authority: ("wrong", "chain"),
    other_authority_than_the_sn: ("wrong", "sn-tls"),
    organisation_not_admitted: ("wrong", "organisation"),
    sn_name: ("wrong", "sn-name"),
    sn_port: ("wrong", "sn-port"),
    own_port_taken: ("wrong", "port"),
    address_that_leads_nowhere: ("warning", "address"),
    address_of_another_host: ("warning", "address"),
    clock: ("warning", "clock"),
    version: ("warning", "version"),
    other_network: ("wrong", "network"),
    data_directory: ("wrong", "data-directory"),
    open_data_directory: ("wrong", "data-directory"),
    open_node_key: ("wrong", "node-key"),
    disk: ("wrong", "disk"),
    engine_absent: ("wrong", "engine"),
    engine_forbidden: ("wrong", "engine"),
    sl_image_absent: ("wrong", "sl-image"),
    scheduler_absent: ("wrong", "scheduler"),
    api_server_denies: ("wrong", "api-server"),
    rights_missing: ("wrong", "rights"),
    gpu_absent: ("wrong", "gpu"),
    swop_profile_broken: ("wrong", "profile"),
    package: ("wrong", "python"),
    package_that_breaks: ("wrong", "python"),
    program: ("wrong", "program"),
    setting: ("wrong", "settings"),
}


def parts_of(planted):
    """What a fault gives, with the defaults of what it leaves out."""
    given = planted if isinstance(planted, tuple) else (planted,)
    return given + ([], [], {})[len(given) :]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_fault_makes_one_line(host, plant):
    planted = plant(host)
    arguments, inside, environment = parts_of(planted)
    wanted = FAULTS[plant]
    output = host.doctor.run(*arguments, inside=inside, environment=environment, status=int(wanted[0] == "wrong"))
    assert faults(output) == [wanted], output
    host.doctor.check(plant.__name__.replace("_", "-"), output)
