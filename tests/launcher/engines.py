"""Container engines of this host, Docker's and Podman's, each with folders of its own: `Engine` for tests in Python.

As a program it is the same for others. `engines.py check docker` says why this host can have none. `engines.py docker
FOLDER` prints the path of the engine's socket and the name of its base image, then does what each line of its standard
input says, kill or start, and answers "done". At the end of its input it stops the engine and removes what is left.
Such an engine has a network of its own, which its socket leads out of.
"""

import concurrent.futures
import ctypes
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from launcher.processes import Process, until

LIBC, CLONE_NEWNET = ctypes.CDLL(None, use_errno=True), 0x40000000
KINDS = {"docker": "dockerd", "podman": "podman"}
BUSYBOX = pathlib.Path("/bin/busybox")
PODMAN_HELPERS = "/usr/lib/podman:/usr/libexec/podman"
STOP_SECONDS = 20
# Begins a command in a network without a way out, which has these addresses and what the command adds to it. Mounts and
# the records that engines keep of a host's network are its own, too, so nothing is left when all in there have ended.
OWN_NETWORK = """
ip link set lo up && mount -t tmpfs tmpfs /run || exit
for address in $ADDRESSES; do ip address add "$address/32" dev lo || exit; done
exec "$@"
"""


def why_no_engine(kind):
    """Why this host can have no engine of this kind, or nothing."""
    program = KINDS[kind]
    if os.geteuid() != 0:
        return f"no {program}: it is started by root only"
    if not shutil.which(program):
        return f"no {program}: install the package {'docker.io' if kind == 'docker' else 'podman'}"
    if not BUSYBOX.exists():
        return "no base image: install the package busybox-static"
    return ""


def why_no_networks(kind):
    """Why no engine of this kind can have a network of its own here, or nothing."""
    if why := why_no_engine(kind):
        return why
    for program, package in (("ip", "iproute2"), ("nsenter", "util-linux"), ("iptables", "iptables")):
        if not shutil.which(program):
            return f"no network of an engine's own: install the package {package}"
    if kind == "podman" and not all(shutil.which(name, path=PODMAN_HELPERS) for name in ("netavark", "aardvark-dns")):
        return "no networks of podman: install the packages netavark and aardvark-dns"
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no network of an engine's own: {tried.stderr.strip()}"


class EngineError(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Engine(Process):
    """An engine with its own socket, images and containers, all below `folder`, whose path has to be short. It has the
    network of this host and no other, or with `addresses` one of its own in which it makes more: `within` runs commands
    there."""

    def __init__(self, folder, kind="docker", addresses=()):
        self.kind, self.home, self.addresses = kind, pathlib.Path(folder) / kind, addresses
        self.home.mkdir(parents=True, exist_ok=True)
        self.socket = self.home / "engine.sock"
        self.base = ""  # its base image, once it has started
        self.made = set()  # names of images by `make_image`
        command, environment = (self._docker if kind == "docker" else self._podman)()
        if addresses:
            command = ["unshare", "--net", "--mount", "sh", "-c", OWN_NETWORK, "sh", *command]
            environment["ADDRESSES"] = " ".join(addresses)
        super().__init__(kind, command, self.home, environment)

    def _docker(self):
        data, state = self.home / "data", self.home / "state"
        places = ["--data-root", data, "--exec-root", state, "--pidfile", self.home / "pid"]
        network = ["--iptables=false", "--ip6tables=false", *([] if self.addresses else ["--bridge=none"])]
        return ["dockerd", "-H", f"unix://{self.socket}", *places, *network], {}

    def _podman(self):
        for name in ("tmp", "networks"):
            (self.home / name).mkdir(exist_ok=True)
        settings = {
            "containers.conf": f"""[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{self.home}/libpod"
volume_path = "{self.home}/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{self.home}/networks"
""",
            "storage.conf": f"""[storage]
driver = "overlay"
graphroot = "{self.home}/data"
runroot = "{self.home}/state"
""",
            # A registry of a test has no certificate; Docker asks for none on loopback.
            "registries.conf": """[[registry]]
location = "127.0.0.1"
insecure = true
""",
        }
        for name, text in settings.items():
            (self.home / name).write_text(text)
        environment = {
            "CONTAINERS_CONF": str(self.home / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.home / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.home / "registries.conf"),
            "TMPDIR": str(self.home / "tmp"),
        }
        return ["podman", "system", "service", "--time=0", f"unix://{self.socket}"], environment

    @property
    def variables(self):
        """For programs that are to use this engine."""
        return {"DOCKER_HOST": f"unix://{self.socket}"}

    @property
    def within(self):
        """The words before a command that is to run where the engine runs."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--"] if self.addresses else []

    def visit(self, action):
        """What `action()` gives, called by a thread in the engine's network."""
        with concurrent.futures.ThreadPoolExecutor(1, initializer=self._enter) as thread:
            return thread.submit(action).result()

    def _enter(self):
        with open(f"/proc/{self.pid}/ns/net") as network:
            if LIBC.setns(network.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "the network of the engine cannot be entered")

    def start(self):
        self.socket.unlink(missing_ok=True)
        for stale in ("pid", "state/containerd/containerd.pid"):  # a number in them may be another's by now
            (self.home / stale).unlink(missing_ok=True)
        super().start()
        until(self._answers, f"{self.kind} to answer on {self.socket}", alive=[self])
        if not self.base:
            self.base = self.make_image("base:1")
        return self

    def _answers(self):
        try:
            return self.call("GET", "/_ping", patience=5) == "OK"
        except (OSError, http.client.HTTPException):
            return False

    def call(self, method, target, body=None, patience=60, headers=None):
        """What the engine answers: read from JSON where it is that, else text. Lines of JSON become a list."""
        link = _Connection(self.socket, patience)
        try:
            kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
            data = body if body is None or isinstance(body, bytes) else json.dumps(body)
            link.request(method, target, data, {"Content-Type": kind, **(headers or {})})
            answer = link.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            link.close()
        if answer.status >= 400:
            raise EngineError(answer.status, text.strip())
        try:
            return json.loads(text)
        except ValueError:
            pass
        try:
            return [json.loads(line) for line in text.splitlines()]
        except ValueError:
            return text

    def make_image(self, tag, files=None, changes=("ENV PATH=/bin",)):
        """An image of busybox and `files` ({path: file of the host, or bytes}), unless this engine has made it already;
        its full name, for use by tasks."""
        name = f"localhost/{tag}" if self.kind == "podman" and "/" not in tag else tag
        if name in self.made:
            return name
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, mode in (("bin", 0o755), ("tmp", 0o1777), ("etc", 0o755)):
                _add(tar, path, tarfile.DIRTYPE, mode)
            tar.add(BUSYBOX.resolve(), "bin/busybox")
            for word in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
                if word != "busybox":
                    _add(tar, f"bin/{word}", tarfile.SYMTYPE, 0o777, link="busybox")
            for path, content in (files or {}).items():
                if isinstance(content, bytes):
                    _add(tar, path.lstrip("/"), tarfile.REGTYPE, 0o755, content)
                else:
                    tar.add(content, path.lstrip("/"))
        query = [("fromSrc", "-"), ("repo", name), *(("changes", each) for each in changes)]
        self.call("POST", f"/images/create?{urllib.parse.urlencode(query)}", packed.getvalue())
        self.made.add(name)
        return name

    def containers(self, everything=True):
        """As the engine lists them."""
        return self.call("GET", f"/containers/json?all={int(everything)}")

    def kill(self):
        """SIGKILL, as when it dies: its containers go on."""
        self.kill9()

    def empty(self):
        """Removes all that is in it but the images of `make_image`: what comes next finds it as if it were new."""
        if not self.running():
            self.start()
        for each in self.containers():
            self._delete(f"/containers/{each['Id']}?force=1&v=1")
        for each in self.call("GET", "/networks"):
            if each["Name"] not in ("bridge", "host", "none", "podman"):
                self._delete(f"/networks/{each['Id']}")
        for each in self.call("GET", "/volumes")["Volumes"] or []:
            self._delete(f"/volumes/{each['Name']}?force=1")
        for each in self.call("GET", "/images/json"):
            names = [name for name in each["RepoTags"] or () if not name.startswith("<none>")]
            for name in names or [each["Id"]]:
                if not self._is_made(name):
                    self._delete(f"/images/{name}?force=1")

    def _is_made(self, name):
        return name in self.made or name.removeprefix("docker.io/") in self.made  # which Podman puts before some

    def _delete(self, target):
        try:
            self.call("DELETE", target)
        except EngineError as gone:
            if gone.status not in (404, 409):
                raise

    def stop(self):
        """Ends it, with all containers; its folders can be removed then."""
        if not (self.home / "data").exists():
            return
        if not self.running():
            self.start()
        for each in self.containers():
            self._delete(f"/containers/{each['Id']}?force=1&v=1")
        for each in self.call("GET", "/networks"):
            if each["Name"] not in ("bridge", "host", "none", "podman"):
                self._delete(f"/networks/{each['Id']}")
        self.signal(signal.SIGTERM)
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
        # A container of Podman cleans up after itself, maybe when its engine is gone, and mounts its storage for that.
        limit = time.monotonic() + STOP_SECONDS
        while self.home.exists() and time.monotonic() < limit:
            self._unmount()
            shutil.rmtree(self.home, ignore_errors=True)
            time.sleep(0.05)

    def clean_up(self):
        self.stop()

    def _unmount(self):
        """What an engine left mounted, the innermost first."""
        with open("/proc/self/mounts") as mounts:
            places = [line.split()[1] for line in mounts]
        for place in reversed([each for each in places if each.startswith(f"{self.home}/")]):
            subprocess.run(["umount", "-l", place], check=False)


def leave_network():
    """Takes this thread, and what it starts, into a network of its own, in which there is loopback only: an engine's
    bridges and published ports are seen by nobody else. Gives what `return_to_network` wants."""
    old = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if LIBC.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespaces on this host")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return old


def return_to_network(old):
    if LIBC.setns(old, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "the network of this process is not found again")
    os.close(old)


def _add(tar, name, kind, mode, content=b"", link=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(content), link
    tar.addfile(entry, io.BytesIO(content))


def main():
    kind, folder = sys.argv[1:]
    if kind == "check":
        sys.exit(why_no_engine(folder) or 0)
    if why := why_no_engine(kind):
        sys.exit(why)
    leave_network()
    engine = Engine(folder, kind)
    try:
        engine.start()
        print(engine.socket, engine.base, sep="\n", flush=True)
        for line in sys.stdin:
            {"kill": engine.kill, "start": engine.start}[line.strip()]()
            print("done", flush=True)
    finally:
        engine.stop()


if __name__ == "__main__":
    main()
