"""The examples behind a reverse proxy, with Docker: nginx and BIND9 are containers, scripts and tasks their own.

Their programs are stood in for by `proxied_program.py`; by hand, with SWARM_WALKS=all, they train themselves.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest
from harness import BIN, ROOT
from hospitals import STREAM_MODULE, find
from launcher.engines import Engine, why_no_networks
from launcher.images import libraries
from launcher.operators import package_folders
from launcher.processes import SCRAMBLED
from scripts import remove, short_folder
from test_examples import ADDRESSES, BY_HAND, END
from walks import WALK_SECONDS, EngineRoom, python_slim

pytestmark = pytest.mark.skipif(SCRAMBLED, reason="the examples are for readable texts")
HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = ROOT / "examples" / "reverse-proxy"
FOLDERS = "mkdir -p /var/log/nginx /var/lib/nginx /run"


def make_images(engine):
    """What docker build would make of the two Dockerfiles, of this host's programs: nobody is asked for packages."""
    nginx, named, nsupdate = find("nginx"), find("named"), find("nsupdate")
    users = {"/etc/passwd": b"root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"}
    users["/etc/group"] = b"root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"
    files = {**libraries([nginx, STREAM_MODULE]), "/usr/sbin/nginx": nginx, STREAM_MODULE: STREAM_MODULE, **users}
    start = f'CMD ["sh", "-c", "{FOLDERS} && exec nginx -g \\"daemon off;\\""]'
    engine.make_image("localhost/swarm-nginx", files, ["ENV PATH=/bin:/usr/sbin", start])
    files = {**libraries([named, nsupdate]), "/usr/sbin/named": named, "/usr/bin/nsupdate": nsupdate, **users}
    files |= {f"/etc/bind/{name}": EXAMPLE / "common" / name for name in ("named.conf", "swarm.zone")}
    files["/usr/local/bin/add-dns"] = EXAMPLE / "common" / "add-dns"
    dockerfile = (EXAMPLE / "common" / "Bind-Dockerfile").read_text()
    start = re.search(r"^CMD .*", dockerfile, re.MULTILINE)[0]
    engine.make_image("localhost/swarm-bind", files, ["ENV PATH=/bin:/usr/bin:/usr/sbin:/usr/local/bin", start])


@pytest.fixture(scope="module")
def engine_of():
    """The engine of each address, with all images, and a network of its own."""
    if why := why_no_networks("docker"):
        pytest.skip(why)
    for program, package in (("named", "bind9"), ("nsupdate", "bind9-dnsutils"), ("nginx", "nginx-light")):
        if not find(program):
            pytest.skip(f"no {program}: install the package {package}")
    made = {}

    def start(address):
        if address not in made:
            made[address] = Engine(short_folder(), "docker", [address])
            fill(made[address].start())
        return made[address]

    yield start
    for_each(Engine.stop, made.values())
    for engine in made.values():
        remove(engine.home.parent)


def for_each(action, them):
    """For all at the same time: an engine or a SWOP takes seconds to end."""
    with concurrent.futures.ThreadPoolExecutor() as threads:
        list(threads.map(action, them))


def fill(engine):
    environment = {**os.environ, **engine.variables, **engine.environment, "SWARM_ENGINE": "docker"}
    build = [*engine.within, ROOT / "deploy/docker/build", "--programs", BIN]
    subprocess.run(build, env=environment, check=True, timeout=300, stdout=subprocess.DEVNULL)
    python_slim(engine)
    make_images(engine)


def join(one, two, networks):
    """A wire between the networks of two engines, whose containers are in `networks`."""
    wire = [("to-host-2", one, two, "10.99.0.1", "10.99.0.2"), ("to-host-1", two, one, "10.99.0.2", "10.99.0.1")]
    ends = [str(word) for name, own, *_ in wire for word in ("name", name, "netns", own.pid)]
    subprocess.run(["ip", "link", "add", *ends[:4], "type", "veth", "peer", *ends[4:]], check=True)
    for (name, own, other, address, there), network in zip(wire, reversed(networks)):
        for words in (
            ("address", "add", f"{address}/30", "dev", name),
            ("link", "set", name, "up"),
            ("route", "add", other.addresses[0], "via", there),
            ("route", "add", network, "via", there),
        ):
            subprocess.run([*own.within, "ip", *words], check=True)


class ProxiedHost(EngineRoom):
    """The tree of one host; tasks' programs get the packages of this interpreter, and scripts sleep for a moment."""

    def __init__(self, folder, engine):
        folder.mkdir()
        self.use(engine, folder)
        shutil.copytree(ROOT / "deploy", self.root / "deploy")
        shutil.copytree(ROOT / "examples", self.root / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "python").symlink_to(ROOT / "python")
        (self.root / "README.md").symlink_to(ROOT / "README.md")
        packages = [path for path in package_folders() if not path.startswith("/usr/")]
        allowed = "".join(f" --allow-path {path}" for path in packages)
        mounts = "".join(f"    - Src : {path}\n      Tgt : {path}\n      MType : BIND\n" for path in packages)
        if not BY_HAND:
            self._make_light()
        place = self.root / "examples" / "reverse-proxy"
        steps = place / "common" / "steps"
        steps.write_text(steps.read_text().replace("    sleep 5\n", "    sleep 0.2\n"))
        for script in place.glob("*/run-*"):
            text = re.sub(r"(\$\(keys swop-\d\))", rf"-e SWOP_KEEP_CONTAINERS=True \1 --{allowed}", script.read_text())
            script.write_text(text)
        for task in place.glob("*/swci/taskdefs/swarm_*"):
            text = task.read_text().replace("Envvars : [", 'Envvars : [ "OMP_NUM_THREADS" : 1,')
            task.write_text(text + mounts)
        for init in place.glob("*/swci/swci-init"):
            init.write_text(re.sub("SLEEP .*", "SLEEP 1", init.read_text()))

    def _make_light(self):
        for program in ("mnist/model/mnist_tf.py", "cifar10/model/cifar10.py"):
            file = self.root / "examples" / program
            shutil.copy(HERE / "proxied_program.py", file)
            shutil.copy(ROOT / "tests" / "python" / "dict_program.py", file.parent)

    def place(self, example):
        return self.root / "workspace" / "reverse-proxy" / example

    def programs(self):
        return {name: text for name, text in self.outputs().items() if "-u-" in name}


def check_end(hosts, said, programs, sn_names):
    assert said.count("TASK_STATE : COMPLETE") == 2, said
    sns = [line for line in said.splitlines() if re.match(r"\s*(SENTINEL|SN),", line)]
    rows = [[word.strip() for word in line.split(",")] for line in sns]
    assert [row[1:3] for row in rows] == [[name, "443"] for name in sn_names], said
    outputs = {name: text for host in hosts for name, text in host.programs().items()}
    assert len(outputs) == programs and all(END in text for text in outputs.values()), outputs
    finals = {re.search(r"^final model (\w+)$", text, re.MULTILINE)[1] for text in outputs.values()}
    assert len(finals) == 1


def test_mnist(engine_of, tmp_path):
    host = ProxiedHost(tmp_path / "host", engine_of(ADDRESSES[0]))
    try:
        host.run("docker", "network", "create", "--subnet=192.168.18.0/24", "rp-network")
        said = host.run("examples/reverse-proxy/mnist/run-all", ADDRESSES[0], "rp-network", patience=WALK_SECONDS)
        check_end([host], said, 2, ["api.sn-1.swarm"])
        assert all((host.place("mnist") / f"user{user}" / "mnist_tf").exists() for user in (1, 2))
        host.run("deploy/bin/stop-swarm")
    finally:
        print(host.logs())
        host.empty()


def test_cifar10_on_two_hosts(engine_of, tmp_path):
    """scp comes from the tree of the other host, which here is a folder; all else goes over the wire."""
    networks = ["192.168.18.0/24", "192.168.19.0/24"]
    hosts = [ProxiedHost(tmp_path / f"host{number}", engine_of(address)) for number, address in enumerate(ADDRESSES, 1)]
    said = {}

    def run(number):
        host, other = hosts[number - 1], hosts[2 - number]
        script = f"examples/reverse-proxy/cifar10/run-on-host-{number}"
        said[number] = host.run(script, *ADDRESSES, "192.0.2.1", "", other.root, "rp-network", patience=WALK_SECONDS)

    try:
        for host, network in zip(hosts, networks):
            host.run("docker", "network", "create", f"--subnet={network}", "rp-network")
            scp = host.root / "shims" / "scp"
            scp.write_text('#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nexec cp "${1#*:}" "$2"\n')
            scp.chmod(0o755)
        join(*(host.engine for host in hosts), networks)
        second = threading.Thread(target=run, args=(2,))
        second.start()
        run(1)
        second.join()
        check_end(hosts, said[1], 4, ["api.sn-1.swarm", "api.sn-2.swarm"])
        for user, host in zip((1, 2, 3, 4), (hosts[0], hosts[0], hosts[1], hosts[1])):
            assert (host.place("cifar10") / f"user{user}" / "saved_models" / "cifar10.h5").exists()
        for_each(lambda host: host.run("deploy/bin/stop-swarm"), hosts)
    finally:
        for host in hosts:
            print(host.logs())
        for_each(ProxiedHost.empty, hosts)
