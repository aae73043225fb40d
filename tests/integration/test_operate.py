"""docs/operate.md: its commands, as they stand there, on two hosts with systemd, with packages of what is under test.

By hand, with SWARM_PACKAGES=1: it takes two minutes.
"""

import os
import re
import subprocess
import threading
import time

import pytest
from launcher.processes import ROOT, SCRAMBLED
from roots import Roots, build_packages, later_package, why_none

PAGE = ROOT / "docs" / "operate.md"
HOSTS = {"A": "10.0.0.1", "B": "10.0.0.2"}
# To the one other host there is.
SCP = """#!/bin/bash
[[ $2 == root@10.0.0.?:/* ]] && cp "$1" /peers/*"${2#root@*:}"
"""
SSH = """#!/bin/bash
[[ $1 == root@10.0.0.? ]] && exec chroot /peers/* "${@:2}"
"""


def blocks():
    """(hosts, at the same time, commands) of each block of the page."""
    for text in re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        head, commands = text.split("\n", 1)
        hosts = re.findall(r"host ([AB])", head)
        assert head.startswith("# ") and hosts, f"which host? {head}"
        yield hosts, head.endswith("at the same time"), commands


class Walk:
    """Two hosts, which have what the page supposes: packages, a program to train with, and one way to copy files."""

    def __init__(self, roots, folder):
        self.roots = roots
        first = build_packages(folder)
        packages = {"root": first, "root/upgrade": [later_package(first[0], folder)]}
        certificates = subprocess.run(
            [ROOT / "deploy" / "bin" / "gen-cert", "-o", folder / "clinic-c", "sn-3"], capture_output=True, text=True
        )
        assert certificates.returncode == 0, certificates.stderr
        for host, address in HOSTS.items():
            roots.add_address(host, f"{address}/24")
            for where, files in packages.items():
                for file in files:
                    self.put(host, f"{where}/{file.name}", file.read_bytes())
            for name, content in (("scp", SCP), ("ssh", SSH)):
                self.put(host, f"usr/local/sbin/{name}", content.encode(), 0o755)
            self.put(host, "root/clinic-c.pem", (folder / "clinic-c/ca/capath/ca-cert.pem").read_bytes())
            program = (ROOT / "deploy" / "wheel" / "swarmd" / "demo_program.py").read_text()
            node = list(HOSTS).index(host)
            program = program.replace("int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]", f"{node}, 2, 'result.json'")
            self.put(host, "home/trainer/train.py", program.encode())
            roots.run(host, "chmod 777 /home/trainer")

    def put(self, host, where, content, mode=0o644):
        path = self.roots.path(host, where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

    def take(self, hosts, together, commands):
        """Carries one block out; what was said on each host."""
        if not together:
            return [self.roots.run(host, f"cd /root\n{commands}") for host in hosts]
        said = {}

        def on(host):
            said[host] = self.roots.run(host, commands, check=False)

        threads = [threading.Thread(target=on, args=(host,)) for host in hosts]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert [said[host][0] for host in hosts] == [0] * len(hosts), said
        return [said[host][1] for host in hosts]


@pytest.mark.skipif(not os.environ.get("SWARM_PACKAGES"), reason="by hand: SWARM_PACKAGES=1")
@pytest.mark.skipif(SCRAMBLED, reason="packages are made of the programs that people get")
def test_every_command_of_the_page(tmp_path):
    if why := why_none(booted=True):
        pytest.skip(why)
    with Roots(*HOSTS, booted=True) as roots:
        walk = Walk(roots, tmp_path)
        for hosts, together, commands in blocks():
            began = time.monotonic()
            said = walk.take(hosts, together, commands)
            for host, text in zip(hosts, said):
                print(f"# host {host}, {time.monotonic() - began:.1f} s\n{commands}{text}")
            if "train.py" in commands:
                results = [roots.path(host, "home/trainer/result.json").read_text() for host in hosts]
                assert all('"swarm"' in each for each in results), said
            if "--health" in commands:
                assert all("the root is running" in each for each in said), said
        version = roots.run("A", "dpkg-query -W -f '${Version}' swarmd")
        assert version.endswith("+later1")
        gone = "! getent passwd swarmd && ! ls -d /etc/swarmd /var/lib/swarmd /usr/lib/swarmd 2>/dev/null"
        assert roots.run("B", gone) == ""
