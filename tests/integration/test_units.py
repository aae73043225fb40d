"""The unit of an SN under a real systemd, while its package is removed and while the disk is too full to upgrade it.

By hand, with SWARM_PACKAGES=1, as the walk of docs/operate.md (`test_operate.py`), which runs units of other roles.
"""

import json
import os
import time

import pytest
from launcher.processes import SCRAMBLED, Failure
from roots import Roots, build_packages, later_package, why_none

pytestmark = [
    pytest.mark.skipif(not os.environ.get("SWARM_PACKAGES"), reason="by hand: SWARM_PACKAGES=1"),
    pytest.mark.skipif(SCRAMBLED, reason="packages are made of the programs that people get"),
]


class Host:
    """One host with the package and what its SN needs."""

    def __init__(self, roots, folder):
        self.roots = roots
        packages = build_packages(folder)
        for package in packages:
            self.put(f"/root/{package.name}", package.read_bytes())
        self.put("/root/later/swarmd.deb", later_package(packages[0], folder).read_bytes())
        self.run("rm -f /usr/sbin/policy-rc.d")  # images for containers have one: packages stop no units
        self.run("dpkg --no-triggers -i /root/*.deb >/dev/null")
        self.run("swarm-gen-cert -o /root/pki sn-1 >/dev/null")
        self.run("cd /root/pki && install -o swarmd -m 600 sn-1-key.pem /etc/swarmd/pki/sn-key.pem")
        self.run("cd /root/pki && install -m 644 sn-1-cert.pem /etc/swarmd/pki/sn-cert.pem")
        self.run("install -m 644 /root/pki/ca/capath/ca-cert.pem /etc/swarmd/pki/capath/own.pem")

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


@pytest.fixture
def host(tmp_path):
    if why := why_none(booted=True):
        pytest.skip(why)
    with Roots("host", booted=True) as roots:
        yield Host(roots, tmp_path)


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
