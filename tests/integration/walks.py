"""The walk of an example: the commands of its README, carried out as they stand there by one shell.

A README's last block cleans up; before it the walk waits, so that a test can look around. What differs from what a
person does at a terminal:
- the variables that the README sets to ports get free ones, and nodes a state folder of their own;
- no package index is asked: pip finds stand-ins, which show an environment the packages of this interpreter, and the
  task that trains gets the folder that these are in as one more mount;
- what a test changes besides, such as how long SWCI sleeps.
"""

import importlib.metadata
import os
import pathlib
import re
import ssl
import subprocess
import sys
import zipfile

from launcher.certificates import Certs
from launcher.chain import Chain
from launcher.operators import SWOP, package_folders
from launcher.processes import BIN, ROOT, Failure, Process, until

DONE, GO = "walk.done", "walk.go"
WALK_SECONDS = 420
STOOD_IN_FOR = ("torch", "torchmetrics", "tensorflow-cpu", "keras", "h5py", "scikit-learn", "numpy")


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


class Certificates(Certs):
    """Those that a walk has made."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.capath = self.folder / "ca" / "capath"

    def context(self, name="sn-1", side=ssl.PROTOCOL_TLS_CLIENT):
        return super().context(name, side)


class WalkedSWOP(SWOP):
    """A SWOP that the walk has started; it ends with the walk, and here is seen to what it leaves then."""

    def __init__(self, walk, name):
        Process.__init__(self, name, ["true"], walk.place)
        self.data_dir = walk.state / name / "data"


class Walk(Process):
    """`values`: of variables that the README sets; `prepare`: commands between those of the README that write files and
    those that start something; `swops`: the data folders of its SWOPs."""

    def __init__(self, folder, example, values, prepare=(), swops=()):
        self.root, self.example = pathlib.Path(folder), example
        self.place = self.root / "workspace" / example
        self.state = self.root / "state"
        self._make_tree()
        self.swops = [WalkedSWOP(self, name) for name in swops]
        self.blocks = blocks_of(ROOT / "examples" / example / "README.md")
        script = self.root / "walk.sh"
        script.write_text(self._script(values, prepare))
        super().__init__("walk", ["bash", "-eu", script], self.root, self._environment())

    def _make_tree(self):
        """What a person has at the top of the tree; programs are where they were built."""
        for name in ("examples", "deploy"):
            (self.root / name).symlink_to(ROOT / name)
        self.packages = [path for path in package_folders() if not path.startswith("/usr/")]
        wheels = self.root / "wheels"
        wheels.mkdir()
        for package in STOOD_IN_FOR:
            stand_in(wheels, package, importlib.metadata.version(package), package_folders())

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

    def _script(self, values, prepare):
        files, places, start, clean_up = self.blocks
        text = "\n".join([files, places, *self._changes_of_task(), *prepare, start])
        for name, value in values.items():
            text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            if count != 1:
                raise Failure(f"the README of {self.example} sets {name} {count} times")
        own = "--allow-path $(pwd)/model"
        text = text.replace(own, " --allow-path ".join([own, *self.packages]))
        text = text.replace("~/.local/state/swarmd", str(self.state))
        pause = f"touch {self.root}/{DONE}\nuntil [ -e {self.root}/{GO} ]; do sleep 0.1; done\n"
        return text + pause + clean_up

    def _changes_of_task(self):
        if not self.swops:
            return []
        mounts = "".join(f"    - Src : {path}\\n      Tgt : {path}\\n      MType : BIND\\n" for path in self.packages)
        one_thread = """'s/Envvars : \\[ /&"OMP_NUM_THREADS" : 1, /'"""  # there are more programs than processors
        return [
            "task=$(grep -ls RUN_SWARM swci/taskdefs/*)",
            f"printf '{mounts}' >> $task",
            f"sed -i {one_thread} $task",
        ]

    def wait_done(self, patience=WALK_SECONDS):
        """Until all is done but for the cleaning up."""
        until(lambda: (self.root / DONE).exists(), f"the walk of {self.example} to come to its end", patience, [self])

    def finish(self):
        """The README's way to clean up."""
        (self.root / GO).touch()
        if self.wait_exit() != 0:
            raise Failure(self.tail())

    def outputs(self):
        """What the training programs have written, by node."""
        by_hand = {file.parent.name: file.read_text() for file in self.state.glob("ml*/log")}
        by_swop = {f"{swop.name}/{name}": text for swop in self.swops for name, text in swop.outputs().items()}
        return {**by_hand, **{name: text for name, text in by_swop.items() if name.endswith(".ml")}}

    def log_of(self, name):
        """What a node or program of the walk has logged so far."""
        file = self.state / name / "log"
        return file.read_text() if file.exists() else ""

    def chain(self, port, host="127.0.0.1"):
        return Chain(port, Certificates(self.place / "cert"), host, reader="sn-1")

    def tail(self):
        logs = sorted(self.state.glob("*/log"))
        parts = [super().tail(), *(f"--- {log.parent.name} ---\n{log.read_text()[-3000:]}" for log in logs)]
        return "\n".join([*parts, *(f"--- {name} ---\n{text[-2000:]}" for name, text in self.outputs().items())])

    def clean_up(self):
        super().clean_up()
        stop = [ROOT / "deploy" / "bin" / "stop-swarm", "--no-container"]
        subprocess.run(stop, env={**os.environ, **self.environment}, capture_output=True, timeout=120, check=True)
        for swop in self.swops:
            swop.clean_up()
