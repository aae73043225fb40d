"""The Debian packages: what is in them, who checks them, and what becomes of a system that had them.

SWARM_PACKAGES=1, by hand, adds what takes long (`./run deps by-hand`): lintian, the packages as users get them, by
piuparts and apt in roots of debootstrap, and wheels in one without a compiler (SWARM_PACKAGES_SUITE, default trixie).
"""

import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest
from harness import SN
from launcher.processes import BIN, ROOT, SCRAMBLED
from roots import Roots, build_packages, later_package, why_none

UNITS = ROOT / "deploy" / "systemd"
BY_HAND = pytest.mark.skipif(not os.environ.get("SWARM_PACKAGES"), reason="by hand: SWARM_PACKAGES=1")
IN_ROOTS = pytest.mark.skipif(bool(why_none()), reason=f"no roots of one's own here: {why_none()}")
pytestmark = pytest.mark.skipif(SCRAMBLED, reason="packages are made of the programs that people get")
SWARMD_INSTALLED_MAX = 15_000_000
EXPOSURE_MAX = {"swarmd@": 20, "swarmd-swop@": 34}  # tenths, of 100; a SWOP makes sandboxes


def run(*words, status=0, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return build_packages(tmp_path_factory.mktemp("packages"))


def test_the_same_programs_make_the_same_bytes(tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("swarmd", "swarm-shim", "swarm-merge-worker"):
        shutil.copy(BIN / "swarm-merge-worker", tmp_path / "bin" / name)  # in their places: a small one is as good
    first, again = (build_packages(tmp_path / name, tmp_path / "bin") for name in ("first", "again"))
    assert [each.name for each in again] == [each.name for each in first]
    assert all(one.read_bytes() == two.read_bytes() for one, two in zip(first, again))


def test_what_is_in_them(packages, tmp_path):
    programs, client = packages
    run("dpkg-deb", "-x", programs, tmp_path / "tree")
    tree = tmp_path / "tree"
    assert run(tree / "usr/bin/swarmd", "--version").startswith("swarmd ")
    assert "--key" in run(tree / "usr/bin/swarmd", "--role", "sl", "--help")
    assert run(tree / "usr/bin/swarm-inspect", "--help").startswith("Looks into a running swarmd")
    size = sum(each.stat().st_size for each in tree.rglob("*") if each.is_file() and not each.is_symlink())
    assert size < SWARMD_INSTALLED_MAX
    fields = run("dpkg-deb", "-f", programs)
    assert re.search(r"^Depends: adduser, .*libc6 \(>= 2\.\d+\).*librocksdb", fields, re.MULTILINE), fields
    files = set(run("dpkg-deb", "-I", programs, "conffiles").split())
    assert files == {f"/etc/swarmd/{each.name}" for each in (ROOT / "deploy" / "profiles").glob("*.yaml")}
    for each in list(tree.rglob("*")):
        assert "__pycache__" not in each.parts and not each.name.endswith((".debug", ".a")), each
    run("dpkg-deb", "-x", client, tmp_path / "client")
    wanted = {each.relative_to(ROOT / "python") for each in (ROOT / "python" / "swarmlearning").rglob("*.py")}
    there = tmp_path / "client/usr/lib/python3/dist-packages"
    assert {each.relative_to(there) for each in there.rglob("*.py")} == wanted


def test_units_are_understood_and_hardened(tmp_path):
    """`systemd-analyze verify` on stand-ins for the commands that they name, as nothing is installed here."""
    (tmp_path / "swarmd").write_text("#!/bin/sh\n")
    (tmp_path / "swarmd").chmod(0o755)
    for name, exposure in EXPOSURE_MAX.items():
        text = (UNITS / f"{name}.service").read_text()
        assert "ExecStart=/usr/bin/swarmd " in text
        file = tmp_path / f"{name}sn.service"
        text = re.sub("^Documentation=.*", "", text, flags=re.MULTILINE)
        file.write_text(text.replace("/usr/bin/swarmd", f"{tmp_path}/swarmd"))
        done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
        assert done.returncode == 0 and not re.search("Unknown|Failed to parse|Invalid", done.stderr), done.stderr
        judge = ["systemd-analyze", "security", "--offline=true", f"--threshold={exposure}", "--no-pager"]
        assert "Overall exposure" in run(*judge, file)


def test_profiles_are_right_once_addresses_and_files_are(tmp_path, certs):
    """The profiles of /etc/swarmd, with certificates where they say; as they stand they name what is missing."""
    for file in (ROOT / "deploy" / "profiles").glob("*.yaml"):
        refused = subprocess.run([BIN / "swarmd", "--profile", file, "--check"], capture_output=True, text=True)
        assert refused.returncode == 1 and "/etc/swarmd/pki/" in refused.stderr
        text = file.read_text().replace("/etc/swarmd/pki/capath", str(certs.capath))
        text = re.sub(r"/etc/swarmd/pki/(\w+)-", lambda role: f"{certs.folder}/{role[1]}-1-", text)
        (tmp_path / file.name).write_text(text)
        done = subprocess.run(
            [BIN / "swarmd", "--profile", tmp_path / file.name, "--data-dir", tmp_path / "data", "--check"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (file.name, done.stderr)


def test_a_node_tells_its_service_manager_when_its_servers_listen(folder, certs):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(f"{folder}/notify")
        notices.settimeout(60)
        sn = SN(folder, certs)
        sn.environment = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000"}
        try:
            sn.start()
            told = [notices.recv(100).decode()]
            while told[-1] != "READY=1":
                told.append(notices.recv(100).decode())
            assert sn.is_up(), sn.tail()
            assert [notices.recv(100).decode() for _ in range(3)] == ["WATCHDOG=1"] * 3
            assert set(told) <= {"READY=1", "WATCHDOG=1"}
            sn.terminate()
            notices.settimeout(0)
            with pytest.raises(BlockingIOError):
                while True:
                    told.append(notices.recv(100).decode())
            assert "STOPPING=1" in told
        finally:
            sn.clean_up()


def changed(roots, root, before=()):
    """Files of a root that differ from this system's, without what every change of packages leaves."""
    layer = roots.path(root, "").parent / "over"
    usual = re.compile(r"/(var/(lib/(dpkg|apt|systemd)|cache|log)|run|tmp|etc/ld\.so\.cache)(/|$)|-$|\.dpkg-")
    found = {f"/{each.relative_to(layer)}" for each in layer.rglob("*")}
    found = {each for each in found if not (os.path.isdir(each) and os.path.isdir(f"{layer}{each}"))}
    return {each for each in found if not usual.search(each)} - set(before)


@IN_ROOTS
def test_installed_used_removed_and_purged(packages):
    with Roots("host") as roots:
        before = changed(roots, "host")
        for each in packages:
            roots.path("host", f"/root/{each.name}").write_bytes(each.read_bytes())
        roots.run("host", "dpkg --no-triggers -i --force-depends /root/*.deb")
        assert roots.run("host", "swarmd --version").startswith("swarmd ")
        assert roots.run("host", "stat -c '%U %G %a' /etc/swarmd/pki") == "root swarmd 750\n"
        assert roots.run("host", "id -gn swarmd") == "swarmd\n"
        assert "usr/lib/python3/dist-packages/swarmlearning" in "".join(changed(roots, "host"))
        assert roots.run("host", "swarm-gen-cert -o /tmp/c sn-1 && ls /tmp/c/sn-1-key.pem")
        roots.run("host", "echo '# mine' >>/etc/swarmd/sn.yaml; dpkg --no-triggers --remove swarmd")
        roots.run("host", "grep mine /etc/swarmd/sn.yaml; rm /root/*.deb")
        told = roots.run("host", "dpkg --no-triggers --purge swarmd python3-swarmlearning")
        assert "stay" not in told
        names = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid", ".pwd.lock")
        accounts = {f"/etc/{name}" for name in names}
        assert changed(roots, "host", before) - accounts == set()
        assert roots.run("host", "getent passwd swarmd", check=False)[0] == 2


@IN_ROOTS
def test_purging_keeps_keys_and_says_so(packages):
    with Roots("host") as roots:
        roots.path("host", "/root/swarmd.deb").write_bytes(packages[0].read_bytes())
        roots.run("host", "dpkg --no-triggers -i /root/swarmd.deb && install -d -o swarmd /var/lib/swarmd/sn")
        roots.run("host", "echo k >/var/lib/swarmd/sn/node.key")
        told = roots.run("host", "dpkg --no-triggers --purge swarmd")
        assert "rm -r /var/lib/swarmd /etc/swarmd" in told
        assert roots.run("host", "cat /var/lib/swarmd/sn/node.key; id -un swarmd") == "k\nswarmd\n"
        roots.run("host", "dpkg --no-triggers -i /root/swarmd.deb && cat /var/lib/swarmd/sn/node.key")


# --- by hand ------------------------------------------------------------------------------------------------------


@functools.cache
def as_users_get_them():
    """The packages of programs that are compiled for them."""
    said = run(ROOT / "run", "package", "deb", env={**os.environ, "SWARM_SKIP_INSTALL": ""})
    return [pathlib.Path(line) for line in said.splitlines() if line.endswith(".deb")]


@BY_HAND
def test_lintian_has_no_errors():
    packages = as_users_get_them()
    said = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", *packages], capture_output=True, text=True
    )
    print(said.stdout)
    assert said.returncode == 0, said.stdout + said.stderr


def debian(folder, suite, *more):
    """The root of a Debian without a compiler."""
    root = folder / "root"
    run("debootstrap", "--variant=minbase", f"--include={','.join(['ca-certificates', *more])}", suite, root)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for each in pathlib.Path("/usr/local/share/ca-certificates").glob("*.crt"):
        shutil.copy(each, root / "usr/local/share/ca-certificates")
    run("chroot", root, "update-ca-certificates")
    run("chroot", root, "sh", "-c", "! command -v gcc && ! command -v cc")
    return root


def inside(root, script):
    variables = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    variables.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root", DEBIAN_FRONTEND="noninteractive")
    # Programs of a wheel find their libraries by /proc.
    enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" bash -euc "$1"'
    return run("unshare", "--mount", "bash", "-c", enter, root, script, env=variables)


@pytest.fixture
def by_hand_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-debian-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def piuparts(root, packages, folder):
    """It installs them, upgrades them to a later version, removes and purges them, and finds nothing of them left."""
    _, mirror, suite, *components = (root / "etc/apt/sources.list").read_text().splitlines()[0].split()
    index = run("dpkg-scanpackages", "--multiversion", ".", cwd=packages[0].parent)
    (packages[0].parent / "Packages").write_text(index)
    later = []
    for each in packages:
        (folder / each.stem).mkdir()
        later.append(later_package(each, folder / each.stem))
    words = ["piuparts", "--existing-chroot", root, "--distribution", suite]
    words += ["--mirror", " ".join([mirror, *components])]
    words += ["--bindmount", packages[0].parent, "--extra-repo", f"deb [trusted=yes] file://{packages[0].parent} ./"]
    words += ["--do-not-verify-signatures", "--no-eatmydata", "--pedantic-purge-test", "--fail-on-broken-symlinks"]
    told = run(*words, *later)
    for part in ("Installation and purging test", "Installation, upgrade and purging tests", "All tests"):
        assert f"PASS: {part}" in told, told


@BY_HAND
def test_packages_in_a_debian_of_their_own(by_hand_folder):
    """apt takes them with what they depend on, in a Debian 12 that has nothing else; nothing is left of them."""
    root = debian(by_hand_folder, "bookworm")
    (by_hand_folder / "packages").mkdir()
    packages = [shutil.copy(each, by_hand_folder / "packages" / each.name) for each in as_users_get_them()]
    piuparts(root, packages, by_hand_folder)
    for each in packages:
        shutil.copy(each, root / "root" / each.name)
    inside(root, "apt-get update -q && apt-get install -y -q --no-install-recommends /root/*.deb openssl")
    assert inside(root, "swarmd --version").startswith("swarmd ")
    inside(root, "python3 -c 'import swarmlearning'")
    inside(root, "apt-get purge -y -q swarmd python3-swarmlearning; test ! -e /etc/swarmd; test ! -e /var/lib/swarmd")


@BY_HAND
def test_wheels_in_a_root_without_a_compiler(by_hand_folder):
    run(ROOT / "run", "package", "wheel", env={**os.environ, "SWARM_SKIP_INSTALL": ""})
    root = debian(by_hand_folder, os.environ.get("SWARM_PACKAGES_SUITE", "trixie"), "python3-venv", "openssl")
    for each in (ROOT / "build" / "packages").glob("*.whl"):
        shutil.copy(each, root / "root" / each.name)
    inside(root, "python3 -m venv /root/venv && /root/venv/bin/pip install -q /root/*.whl")
    assert inside(root, "/root/venv/bin/swarmd --version").startswith("swarmd ")
    told = inside(root, "PATH=/root/venv/bin:$PATH; swarmd demo")
    print(told)
    rows = [line.split() for line in told.splitlines() if line.strip().endswith("%")]
    assert len(rows) == 4
    for _, alone, swarm in rows:
        assert float(swarm.rstrip("%")) > float(alone.rstrip("%")) + 10, told
