"""By hand, SWARM_WALKS=all: the example behind a reverse proxy, with Docker; nginx and BIND9 are containers."""

import os
import re
import shutil
import subprocess

import pytest
from harness import BIN, ROOT
from hospitals import STREAM_MODULE, find
from launcher.engines import Engine, why_no_networks
from launcher.images import libraries
from launcher.operators import package_folders
from scripts import remove, short_folder
from test_examples import ADDRESSES, END
from walks import WALK_SECONDS, EngineRoom, python_slim

pytestmark = pytest.mark.skipif(os.environ.get("SWARM_WALKS") != "all", reason="by hand: SWARM_WALKS=all")
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
def engine():
    if why := why_no_networks("docker"):
        pytest.skip(why)
    for program, package in (("named", "bind9"), ("nsupdate", "bind9-dnsutils"), ("nginx", "nginx-light")):
        if not find(program):
            pytest.skip(f"no {program}: install the package {package}")
    folder = short_folder()
    made = Engine(folder, "docker", ADDRESSES)
    try:
        made.start()
        environment = {**os.environ, **made.variables, **made.environment, "SWARM_ENGINE": "docker"}
        build = [*made.within, ROOT / "deploy/docker/build", "--programs", BIN]
        subprocess.run(build, env=environment, check=True, timeout=300, stdout=subprocess.DEVNULL)
        python_slim(made)
        make_images(made)
        yield made
    finally:
        made.stop()
        remove(folder)


class ProxiedHost(EngineRoom):
    """The tree of one host; tasks' programs get the packages of this interpreter, and SWCI sleeps for a moment."""

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
        place = self.root / "examples" / "reverse-proxy"
        for script in place.glob("*/run-*"):
            text = re.sub(r"(\$\(keys swop-\d\))", rf"-e SWOP_KEEP_CONTAINERS=True \1 --{allowed}", script.read_text())
            script.write_text(text)
        for task in place.glob("*/swci/taskdefs/swarm_*"):
            text = task.read_text().replace("Envvars : [", 'Envvars : [ "OMP_NUM_THREADS" : 1,')
            task.write_text(text + mounts)
        for init in place.glob("*/swci/swci-init"):
            init.write_text(re.sub("SLEEP .*", "SLEEP 1", init.read_text()))

    def programs(self):
        return {name: text for name, text in self.outputs().items() if "-u-" in name}


def check_end(host, said, programs, sn_names):
    assert said.count("TASK_STATE : COMPLETE") == 2, said
    sns = [line for line in said.splitlines() if re.match(r"\s*(SENTINEL|SN),", line)]
    rows = [[word.strip() for word in line.split(",")] for line in sns]
    assert [row[1:3] for row in rows] == [[name, "443"] for name in sn_names], said
    outputs = host.programs()
    assert len(outputs) == programs and all(END in text for text in outputs.values()), outputs
    finals = {re.search(r"^final model (\w+)$", text, re.MULTILINE)[1] for text in outputs.values()}
    assert len(finals) == 1


def test_mnist(folder, engine, tmp_path):
    host = ProxiedHost(tmp_path / "host", engine)
    try:
        host.run("docker", "network", "create", "--subnet=192.168.18.0/24", "rp-network")
        said = host.run("examples/reverse-proxy/mnist/run-all", ADDRESSES[0], "rp-network", patience=WALK_SECONDS)
        check_end(host, said, 2, ["api.sn-1.swarm"])
        host.run("deploy/bin/stop-swarm")
    finally:
        print(host.logs())
        host.empty()
