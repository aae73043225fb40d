"""The walk of an example: the commands of its README, carried out as they stand there by one shell.

Of the README's two ways, with an engine and without, one is walked. After a block that trains the walk waits, so that a
test can look around; the last block cleans up. What differs from what a person does at a terminal:
- no package index is asked: pip finds stand-ins, which show an environment the packages of this interpreter, and the
  programs get the folder that these are in as one more mount;
- without containers, the variables that the README sets to ports get free ones, and nodes a state folder of their own;
- with containers, `docker` is the engine of the test, whose network has the README's addresses, and containers of tasks
  stay after RESET;
- what a test changes besides, such as how long SWCI sleeps.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import zipfile

from contained import ask_engine
from launcher.certificates import Certs
from launcher.chain import Chain
from launcher.images import python_files
from launcher.operators import SWOP, package_folders
from launcher.processes import BIN, PATIENCE, ROOT, Failure, Process, until

DONE, GO = "walk.done", "walk.go"
WALK_SECONDS = 420 * PATIENCE / 90  # longer where the machine is known to be slow
STOOD_IN_FOR = ("torch", "torchmetrics", "tensorflow-cpu", "keras", "h5py", "scikit-learn", "numpy")
# What Keras and TensorFlow import where they find it, and environments without PyTorch have not, or not all of them.
NOT_THERE = (
    "import os, sys; os.path.exists(f'{sitedir}/torch_stand_in.pth') or sys.modules.update(jax=None, matplotlib=None)",
    "import os, sys; os.path.exists(f'{sitedir}/scikit_learn_stand_in.pth') or sys.modules.update(sklearn=None)",
)


def blocks_of(readme):
    return re.findall(r"^```bash\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)


def stand_in(folder, package, version, lines):
    """A wheel by the name of a package, whose content is a file that says where packages are."""
    name = package.replace("-", "_")
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}_stand_in.pth": "\n".join(lines) + "\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{each},,\n" for each in files)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)


def write_stand_ins(folder):
    for package in STOOD_IN_FOR:
        stand_in(folder, package, importlib.metadata.version(package), [*package_folders(), *NOT_THERE])


def python_slim(engine):
    """An image by the name with which the examples' own begin: this host's Python, and a pip that finds stand-ins."""
    with tempfile.TemporaryDirectory() as wheels:
        write_stand_ins(pathlib.Path(wheels))
        files = {
            **python_files(),
            "/usr/lib/python3/dist-packages/pip": pathlib.Path(importlib.util.find_spec("pip").origin).parent,
            "/usr/bin/pip3": b'#!/bin/sh\nexec /usr/bin/python3 -m pip "$@"\n',
            "/etc/passwd": b"root:x:0:0:root:/tmp:/bin/sh\n",
            "/wheels": pathlib.Path(wheels),
        }
        own = ["NO_INDEX=1", "FIND_LINKS=/wheels", "DISABLE_PIP_VERSION_CHECK=1", "BREAK_SYSTEM_PACKAGES=1"]
        changes = ["ENV PATH=/usr/bin:/bin", *(f"ENV PIP_{each}" for each in own)]
        tag = "python:3.11-slim" if engine.kind == "docker" else "docker.io/library/python:3.11-slim"
        return engine.make_image(tag, files, changes)


class Certificates(Certs):
    """Those that a walk has made."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.capath = self.folder / "ca" / "capath"

    def context(self, name="sn-1", side=ssl.PROTOCOL_TLS_CLIENT):
        return super().context(name, side)


class EngineRoom:
    """A folder in which scripts are called as by a person whose `docker` is the engine of a test."""

    def use(self, engine, folder):
        self.engine, self.within, self.root = engine, engine.within, pathlib.Path(folder)
        self.state = self.root / "state"
        shims = self.root / "shims"
        shims.mkdir()
        if engine.kind == "podman":  # as the package podman-docker has it
            (shims / "docker").write_text('#!/bin/sh\nexec podman "$@"\n')
            (shims / "docker").chmod(0o755)
        path = f"{shims}:{pathlib.Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
        own = {"PATH": path, "SWARM_STATE_DIR": str(self.state)}
        self.variables = {**engine.variables, **engine.environment, **own}

    def run(self, *command, patience=120):
        """What a command has printed."""
        done = subprocess.run(
            [*self.within, "env", "-C", self.root, *command], env={**os.environ, **self.variables}, capture_output=True,
            text=True, timeout=patience, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            raise Failure(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def containers(self, pattern=".*"):
        """Names of all containers that match."""
        names = ask_engine(self.engine, "container", "ls", "--all", "--format", "{{.Names}}").split()
        return [name for name in names if re.fullmatch(pattern, name)]

    def outputs(self):
        """What the training programs have written, by node."""
        return {name: self.log_of(name) for name in self.containers(r"ml\d|swop-.*-u-\d-\w+")}

    def log_of(self, name):
        return ask_engine(self.engine, "container", "logs", name)

    def wait_program(self, name):
        """Until a program that was started by hand has ended well."""
        assert ask_engine(self.engine, "container", "wait", name).strip() == "0"

    def logs(self):
        return {name: self.log_of(name) for name in self.containers()}

    def merges(self, port, certificates=None):
        chain = Chain(port, certificates or self.certificates(), self.engine.addresses[0], reader="sn-1")
        return self.engine.visit(chain.merges)

    def remove(self, pattern):
        """As a person does of whom SWOP has been told to leave containers there."""
        for name in self.containers(pattern):
            ask_engine(self.engine, "container", "rm", "--force", "--volumes", name)

    def empty(self):
        self.remove(".*")
        for kind in ("network", "volume"):
            for name in ask_engine(self.engine, kind, "ls", "--format", "{{.Name}}").split():
                if name not in ("bridge", "host", "none", "podman"):
                    ask_engine(self.engine, kind, "rm", name)


class WalkedSWOP(SWOP):
    """A SWOP that the walk has started; it ends with the walk, and here is seen to what it leaves then."""

    def __init__(self, walk, name):
        Process.__init__(self, name, ["true"], walk.place)
        self.data_dir = walk.state / name / "data"


class Walk(Process):
    """`values`: of variables that the README sets; `prepare`: commands between those of the README that write files and
    those that start something; `blocks`: how many of those that train are walked, one after the other."""

    within = ()

    def __init__(self, folder, example, values=None, prepare=(), blocks=1):
        self.root, self.example = pathlib.Path(folder), example
        self.place = self.root / "workspace" / example
        self.state = self.root / "state"
        self.packages = [path for path in package_folders() if not path.startswith("/usr/")]
        self.stages = 0  # that the test has seen
        self._make_tree()
        self.script = self.root / "walk.sh"
        self.script.write_text(self._script(values or {}, prepare, blocks))
        super().__init__("walk", [*self.within, "bash", "-eu", self.script], self.root, self._environment())

    def _make_tree(self):
        """What a person has at the top of the tree; programs are where they were built."""
        shutil.copytree(ROOT / "deploy", self.root / "deploy")
        shutil.copy(ROOT / "README.md", self.root)
        (self.root / "python").symlink_to(ROOT / "python")
        (self.root / "examples").symlink_to(ROOT / "examples")

    def _script(self, values, prepare, blocks):
        readme = ROOT / "examples" / self.example / "README.md"
        files, places, with_engine, without, *trains, clean_up = blocks_of(readme)
        way = self.choose(with_engine, without)
        text = "\n".join([files, places, *self._changes_of_task(), *prepare, way])
        for name, value in values.items():
            text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            if count != 1:
                raise Failure(f"the README of {self.example} sets {name} {count} times")
        trains = [f"{block}\n{self._pause(number)}" for number, block in enumerate(trains[:blocks])]
        return self.change("\n".join([f"cd {self.root}", text, *trains, clean_up]))

    def _pause(self, number):
        return f"touch {self.root}/{DONE}.{number}\nuntil [ -e {self.root}/{GO}.{number} ]; do sleep 0.1; done\n"

    def _changes_of_task(self):
        if not (ROOT / "examples" / self.example / "swci").exists():
            return []
        mounts = "".join(f"    - Src : {path}\\n      Tgt : {path}\\n      MType : BIND\\n" for path in self.packages)
        one_thread = """'s/Envvars : \\[ /&"OMP_NUM_THREADS" : 1, /'"""  # there are more programs than processors
        return [
            "task=$(grep -ls RUN_SWARM swci/taskdefs/*)",
            f"printf '{mounts}' >> $task",
            f"sed -i {one_thread} $task",
        ]

    def change(self, text):
        own = "--allow-path $(pwd)/model"
        return text.replace(own, " --allow-path ".join([own, *self.packages]))

    def wait_done(self, patience=WALK_SECONDS):
        """Until it waits after a block that trains."""
        there = self.root / f"{DONE}.{self.stages}"
        until(there.exists, f"the walk of {self.example} to come to its end", patience, [self])

    def go_on(self):
        """To the next block that trains, or to the README's way to clean up."""
        (self.root / f"{GO}.{self.stages}").touch()
        self.stages += 1

    def finish(self):
        self.go_on()
        if self.wait_exit() != 0:
            raise Failure(self.tail())

    def certificates(self):
        return Certificates(self.place / "cert")

    def tail(self):
        logs = self.logs().items()
        return "\n".join([super().tail(), *(f"--- {name} ---\n{text[-3000:]}" for name, text in logs)])


class ProcessWalk(Walk):
    """`swops`: the names of its SWOPs."""

    def __init__(self, folder, example, swops=(), **options):
        super().__init__(folder, example, **options)
        self.swops = [WalkedSWOP(self, name) for name in swops]

    def _make_tree(self):
        super()._make_tree()
        (self.root / "wheels").mkdir()
        write_stand_ins(self.root / "wheels")

    def choose(self, with_engine, without):
        return without

    def change(self, text):
        return super().change(text).replace("~/.local/state/swarmd", str(self.state))

    def _environment(self):
        own = pathlib.Path(sys.prefix) / "bin"
        return {
            "PATH": f"{own}:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.root / "wheels"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "SWOP_KEEP_CONTAINERS": "True",
            "SWARM_BIN": str(BIN),
            "SWARM_STATE_DIR": str(self.state),
        }

    def outputs(self):
        """What the training programs have written, by node."""
        by_hand = {file.parent.name: file.read_text() for file in self.state.glob("ml*/log")}
        by_swop = {f"{swop.name}/{name}": text for swop in self.swops for name, text in swop.outputs().items()}
        return {**by_hand, **{name: text for name, text in by_swop.items() if name.endswith(".ml")}}

    def log_of(self, name):
        """What a node or program of the walk has logged so far."""
        file = self.state / name / "log"
        return file.read_text() if file.exists() else ""

    def wait_program(self, name):
        """Until a program that was started by hand has ended well."""
        end = self.state / name / "exit"
        assert until(lambda: end.exists() and end.read_text().strip(), f"{name} to end") == "0"

    def logs(self):
        nodes = {log.parent.name: log.read_text() for log in sorted(self.state.glob("*/log"))}
        return {**nodes, **self.outputs()}

    def merges(self, port):
        return Chain(port, self.certificates(), reader="sn-1").merges()

    def clean_up(self):
        super().clean_up()
        stop = [ROOT / "deploy" / "bin" / "stop-swarm", "--no-container"]
        subprocess.run(stop, env={**os.environ, **self.environment}, capture_output=True, timeout=120, check=True)
        for swop in self.swops:
            swop.clean_up()


class ContainerWalk(EngineRoom, Walk):
    """By an engine with a network of its own."""

    def __init__(self, folder, example, engine, **options):
        self.use(engine, folder)
        Walk.__init__(self, folder, example, **options)

    def choose(self, with_engine, without):
        return with_engine

    def change(self, text):
        more = [f"--ml-v={path}:{path}" for path in self.packages] + ["--ml-e=OMP_NUM_THREADS=1"]
        text = super().change(text).replace("--ml-image=", " ".join([*more, "--ml-image="]))
        return text.replace("run-swop $how", "run-swop -e SWOP_KEEP_CONTAINERS=True $how")

    def _environment(self):
        return self.variables

    def clean_up(self):
        Walk.clean_up(self)
        self.empty()
