"""The units under a real systemd: a SWOP's, whose programs train in sandboxes and outlive a restart of it, and an SN's
while its package is removed and while the disk is too full to upgrade it.

By hand, with SWARM_PACKAGES=1, as the walk of docs/operate.md (`test_operate.py`), which runs those of other roles.
"""

import json
import os
import pathlib
import time

import pytest
from launcher.certificates import Certs
from launcher.operators import DEFAULT_TASKRUNNER, Answer, node_definition, run_task, swop_profile
from launcher.processes import ROOT, SCRAMBLED, Failure
from roots import Roots, build_packages, later_package, why_none

pytestmark = [
    pytest.mark.skipif(not os.environ.get("SWARM_PACKAGES"), reason="by hand: SWARM_PACKAGES=1"),
    pytest.mark.skipif(SCRAMBLED, reason="packages are made of the programs that people get"),
]
PKI = pathlib.Path("/etc/swarmd/pki")
USR = "/srv/swarm"
MAIN = 'main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])'
ROUND = "    for done in range(1, ROUNDS + 1):\n"
GATE = """        if done == 3:
            open("/tmp/test/waits", "w").close()
        while done == 3 and not os.path.exists("/tmp/test/model/go"):
            time.sleep(0.05)
"""


class Installed(Certs):
    """The certificates of a host."""

    def __init__(self):
        self.folder, self.capath = PKI, PKI / "capath"


class Host:
    """One host with the package, an SN and a SWOP as units, and two nodes to train with."""

    def __init__(self, roots, folder):
        self.roots = roots
        packages = build_packages(folder)
        for package in packages:
            self.put(f"/root/{package.name}", package.read_bytes())
        self.put("/root/later/swarmd.deb", later_package(packages[0], folder).read_bytes())
        self.run("rm -f /usr/sbin/policy-rc.d")  # images for containers have one: packages stop no units
        self.run("dpkg --no-triggers -i /root/*.deb >/dev/null")
        self.run("swarm-gen-cert -o /root/pki sn-1 sl-1 swop-1 swci-1 >/dev/null")
        for role in ("sn", "sl", "swop", "swci"):
            self.run(f"install -o swarmd -m 600 /root/pki/{role}-1-key.pem {PKI}/{role}-key.pem")
            self.run(f"install -m 644 /root/pki/{role}-1-cert.pem {PKI}/{role}-cert.pem")
        self.run(f"install -m 644 /root/pki/ca/capath/ca-cert.pem {PKI}/capath/own.pem")

    def prepare_training(self):
        """What the SWOP and two nodes need for the program of `swarmd demo`, which waits in mid-training for a file."""
        program = (ROOT / "deploy" / "wheel" / "swarmd" / "demo_program.py").read_text()
        assert MAIN in program and ROUND in program
        program = program.replace(MAIN, 'main(int(os.environ["NODE"]), 2, "result.json")').replace(ROUND, ROUND + GATE)
        self.put(f"{USR}/model/train.py", program.replace("import os\n", "import os\nimport time\n").encode())
        nodes = [node_definition(Installed(), at, f"{USR}/node{at}", {"NODE": at}, "sl") for at in range(2)]
        self.put(f"{USR}/swop-profile.yaml", json.dumps(swop_profile(nodes)).encode())
        shared = [("/platform/swarm/usr/model", "/tmp/test/model")]
        task = run_task("train", "model/train.py", shared=shared, private="/tmp/test")
        self.put(f"{USR}/taskdefs/train.yaml", json.dumps(task).encode())
        self.run(f"mkdir -p {USR}/node0 {USR}/node1 && chown -R swarmd: {USR}")

    def put(self, where, content):
        path = self.roots.path("host", where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(self, script, **options):
        return self.roots.run("host", script, **options)

    def until(self, script, what, patience=120):
        """Runs a script until it succeeds."""
        end = time.monotonic() + patience
        while self.run(script, check=False)[0] != 0:
            if time.monotonic() > end:
                raise Failure(f"{what}: not within {patience} s\n{self.run('journalctl --no-pager -n 80')}")
            time.sleep(0.2)

    def order(self, commands):
        """What a SWCI says to them; each has to succeed."""
        script = f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP 127.0.0.1 30304\nSWITCH CONTEXT c\n{commands}\nEXIT\n"
        self.put(f"{USR}/script", script.encode())
        flags = f"--key {PKI}/swci-key.pem --cert {PKI}/swci-cert.pem --capath {PKI}/capath"
        return self.run(
            f"runuser -u swarmd -- swarmd --role swci --usr-dir {USR} --init-script-name script {flags} "
            "--data-dir /srv/swarm/swci"
        )


@pytest.fixture
def host(tmp_path):
    if why := why_none(booted=True):
        pytest.skip(why)
    with Roots("host", booted=True) as roots:
        yield Host(roots, tmp_path)


def assign_until_it_waits(host):
    host.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}\nASSIGN TASK train TO {DEFAULT_TASKRUNNER} WITH 2 PEERS")
    host.until(f"ls {USR}/node0/waits {USR}/node1/waits", "both programs train")
    host.run(f"rm {USR}/node?/waits")


def kill_swop(host, times):
    """Its programs go on; the unit starts it anew, and it looks for them."""
    host.run("systemctl kill --kill-whom=main -s KILL swarmd-swop@swop")
    again = f"systemctl show swarmd-swop@swop | grep -cxE 'NRestarts={times}|SubState=running' | grep -x 2"
    host.until(again, "the SWOP is started anew")
    assert host.run("pgrep -u swarmd --count --full '^python3 ' || true") != "0\n"


def test_a_task_trains_by_the_unit_of_a_swop(host):
    host.prepare_training()
    host.run("systemctl start swarmd@sn swarmd-swop@swop")
    registered = "swarm-inspect --data-dir /var/lib/swarmd/swop actor /swop/runner | grep -q account"
    host.until(registered, "the SWOP registers")
    host.order("CREATE TASK FROM taskdefs/train.yaml\nFINALIZE TASK train")

    assign_until_it_waits(host)
    kill_swop(host, times=1)
    host.put(f"{USR}/model/go", b"")
    status = host.order(f"WAIT FOR TASKRUNNER {DEFAULT_TASKRUNNER}\nGET TASKRUNNER STATUS {DEFAULT_TASKRUNNER}")
    told = Answer(0, status)
    assert (told.field("TASK_STATE"), told.field("COMPLETED_PEERS")) == ("COMPLETE", "2"), host.run("journalctl -n 99")
    results = [json.loads(host.run(f"cat {USR}/node{at}/result.json")) for at in range(2)]
    assert all(each["swarm"] > each["alone"] + 0.1 for each in results), results

    host.order("RESET CONTRACT defaultbb.cqdb.sml.hpe")
    host.run(f"rm {USR}/model/go")
    assign_until_it_waits(host)
    kill_swop(host, times=2)
    host.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    host.until("! pgrep -u swarmd --full '^python3 '", "what it found again ends")
    host.run("systemctl stop swarmd-swop@swop")
    assert host.run("systemctl show -P Result swarmd-swop@swop") == "success\n"


def chain(host):
    """How long the SN's chain is; -1 while it says nothing."""
    code, said = host.run("swarm-inspect --json --data-dir /var/lib/swarmd/sn chain", check=False)
    return json.loads(said)["block_num"] if code == 0 else -1


def start_sn(host):
    host.run("systemctl start swarmd@sn")
    host.until("swarm-inspect --data-dir /var/lib/swarmd/sn chain | grep -q '[1-9]'", "the SN joins")


def test_the_package_is_removed_while_its_sn_runs(host):
    start_sn(host)
    before = chain(host)
    host.run("dpkg --no-triggers --remove swarmd")
    assert host.run("systemctl is-active swarmd@sn", check=False)[1] == "inactive\n"
    assert "Result=success" in host.run("systemctl show -p Result swarmd@sn")
    assert "refused" not in host.run("journalctl --no-pager -u swarmd@sn | tail -n 5")
    assert host.run("ls /etc/swarmd/sn.yaml /var/lib/swarmd/sn/*/node.key")
    host.run("dpkg --no-triggers -i /root/swarmd_*.deb")
    start_sn(host)
    assert chain(host) >= before


def test_a_disk_that_is_too_full_for_an_upgrade(host):
    """dpkg says so; what runs goes on, and the former version stays, until there is room."""
    start_sn(host)
    version = host.run("swarmd --version; dpkg-query -W -f '${Version}' swarmd")
    host.run("""mount -t tmpfs -o size=$(($(du -sm /usr/lib/swarmd | cut -f 1) + 4))M full /mnt
        cp -a /usr/lib/swarmd/. /mnt && mount --bind /mnt /usr/lib/swarmd""")
    code, said = host.run("dpkg -i /root/later/swarmd.deb", check=False)
    assert code != 0 and "No space left on device" in said
    assert host.run("swarmd --version; dpkg-query -W -f '${Version}' swarmd") == version
    assert "the root is running" in host.run("swarmd --role sn --data-dir /var/lib/swarmd/sn --health")
    host.run("mount -o remount,size=200M /mnt && dpkg -i /root/later/swarmd.deb")
    assert host.run("dpkg-query -W -f '${Status} ${Version}' swarmd").endswith("+later1")
    before = chain(host)
    host.run("systemctl restart swarmd@sn")
    start_sn(host)
    assert chain(host) >= before
