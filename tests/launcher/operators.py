"""SWOPs and SWCIs: what starts the programs of a task on a host, and who orders it."""

import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
from typing import NamedTuple

from .nodes import Swarmd
from .processes import PATIENCE, Failure, free_port, until
from .swarm import Swarm

DEFAULT_TASKRUNNER = "defaulttaskbb.taskdb.sml.hpe"


def why_no_sandboxes():
    """Why this host cannot run programs of tasks, as a line for those who skip a test; None when it can."""
    kinds = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts")
    # Not all of the host: what a test beside this one mounts and unmounts somewhere would make bubblewrap fail.
    seen = [word for path in ("/usr", "/bin", "/lib", "/lib64") for word in ("--ro-bind-try", path, path)]
    command = ["bwrap", *kinds, *seen, "--proc", "/proc", "--dev", "/dev", "/usr/bin/true"]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except FileNotFoundError:
        return "no sandboxes on this host: bubblewrap is not installed"
    return None if tried.returncode == 0 else f"no sandboxes on this host: {tried.stderr.strip()}"


def package_folders():
    """Where this interpreter has its packages: in several folders, when some of them are Debian's."""
    entries = [pathlib.Path(entry).resolve() for entry in sys.path]
    folders = [entry for entry in entries if entry.name in ("site-packages", "dist-packages") and entry.is_dir()]
    return [str(folder) for folder in dict.fromkeys(folders)]


class SWOP(Swarmd):
    """`profile`: its SWOP profile, a file in `usr_dir`, which tasks call /platform/swarm/usr."""

    def __init__(self, folder, certs, sn_port, usr_dir, profile, name="swop-1", flags=(), environment=None,
                 identity=None, host="127.0.0.1"):  # fmt: skip
        super().__init__(
            name,
            folder,
            [
                *("--role", "swop", "--node-name", name, "--usr-dir", usr_dir, "--profile-file-name", profile),
                *("--host-ip", host, "--sn-ip", host, "--sn-api-port", sn_port),
                *("--data-dir", pathlib.Path(folder) / name, *(identity or certs.flags(name)), *flags),
            ],
            environment,
        )

    def wait_listening(self):
        """Until it waits for a task, or goes on with one that a former life has begun. Gives its UID."""
        return until(self._uid_when_listening, f"{self.name} to listen", alive=[self])

    def _uid_when_listening(self):
        runner = self.glance("actor", name="/swop/runner")
        ready = "state" in runner and not runner["state"].startswith(("waits for its", "is about", "cannot"))
        return runner.get("detail", {}).get("account") if ready else None

    def programs(self):
        """What it has started and not removed yet, as the folders of the programs tell: state by name."""
        out = {}
        for file in self.data_dir.glob("*/programs/*/state.json"):
            try:
                out[file.parent.name] = json.loads(file.read_text())
            except (OSError, ValueError):
                continue  # removed, or being replaced
        return out

    def processes(self):
        """The processes that keep its programs and those in which they run: (number, start), whoever lives of them."""
        found = []
        for state in self.programs().values():
            found += [(state[part]["pid"], state[part]["start"]) for part in ("shim", "init") if part in state]
        return found

    def process_of(self, kind, index=0):
        """The number of the process of the SL or ML ("sl", "ml") of a node in its sandbox; None while it starts."""
        for name, state in self.programs().items():
            if name.endswith(f".{index}.{kind}") and state["phase"] == "running":
                init = state["init"]["pid"]
                children = pathlib.Path(f"/proc/{init}/task/{init}/children")
                return next(iter(map(int, children.read_text().split())), None) if children.exists() else None
        return None

    def outputs(self):
        """What each program has written: text by name."""
        files = self.data_dir.glob("*/programs/*/output.log")
        return {file.parent.name: file.read_text(errors="replace") for file in files}

    def clean_up(self):
        """Ends what it has started, too."""
        super().clean_up()
        left = [each for each in self.processes() if lives(each)]
        for number, _ in left:
            end_process(number)
        until(lambda: not any(map(lives, left)), f"the programs of {self.name} to end")

    def tail(self):
        outputs = self.outputs().items()
        return "\n".join([super().tail(), *(f"--- {self.name}: {name} ---\n{text[-2000:]}" for name, text in outputs)])


def lives(process):
    """Whether the process with this number and start is there, and not only its entry."""
    number, start = process
    try:
        fields = pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return False
    return int(fields[19]) == start and fields[0] != "Z"


def end_process(number):
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Answer(NamedTuple):
    code: int  # exit code of the session
    text: str  # what it has printed

    def printed(self, number):
        """What command `number` of the session has printed."""
        return self.text.split(f"SWCI:{number} > ")[1].split("SWCI:")[0]

    def field(self, name, place=-1):
        """The value of a line `NAME : value`; of several such lines, the last one unless `place` says otherwise."""
        values = [
            line.partition(":")[2].strip() for line in self.text.splitlines() if line.partition(":")[0].strip() == name
        ]
        if not values:
            raise Failure(f"no line '{name} : ...' in\n{self.text}")
        return values[place]

    def rows(self, first_column):
        """The rows below the line that begins with this column's title, as lists of cells."""
        lines = iter(self.text.splitlines())
        for line in lines:
            cells = _cells(line)
            if len(cells) > 1 and cells[0] == first_column and not cells[1].startswith(":"):
                break
        return [_cells(line) for line in itertools.takewhile(lambda line: line.startswith("    "), lines)]


def _cells(line):
    return re.split(r",\s+|\s{2,}", line.strip())


class SWCI(Swarmd):
    """Runs init scripts: each session is a process of its own, under the same account."""

    def __init__(self, folder, certs, usr_dir, name="swci-1", flags=()):
        self.usr_dir = pathlib.Path(usr_dir)
        self.script = self.usr_dir / f"{name}-script"
        super().__init__(
            name,
            folder,
            [
                *("--role", "swci", "--node-name", name, "--usr-dir", usr_dir, "--init-script-name", self.script.name),
                *("--data-dir", pathlib.Path(folder) / name, *certs.flags(name), *flags),
            ],
        )

    def begin(self, script):
        """Starts a session that carries out the script and then ends."""
        self.script.write_text(script)
        return self.start()

    def end(self, patience=PATIENCE):
        return Answer(self.wait_exit(patience), self.log())

    def run(self, script, patience=PATIENCE):
        return self.begin(script).end(patience)


class OperatorSwarm(Swarm):
    """A swarm whose SLs are started by SWOPs, on the word of a SWCI. All of them have one user folder."""

    def __init__(self, folder, certs):
        super().__init__(folder, certs)
        self.usr = self.folder / "usr"
        (self.usr / "taskdefs").mkdir(parents=True)
        self.swops = []
        self.swci = SWCI(self.folder, certs, self.usr)

    def add_swop(self, profile, name=None, **options):
        """Starts a SWOP with this profile, a dict that is written as JSON, which is YAML too; gives it when it
        listens."""
        name = name or f"swop-{len(self.swops) + 1}"
        file = self.usr / f"{name}.yaml"
        file.write_text(profile if isinstance(profile, str) else json.dumps(profile, indent=1))
        swop = SWOP(self.folder, self.certs, self.sn.port, self.usr, file.name, name, **options)
        self.swops.append(swop)
        swop.start().wait_listening()
        return swop

    def order(self, commands, patience=PATIENCE):
        """Carries out commands in the context of this swarm's SN; each has to succeed."""
        answer = self.swci.run(self.opening() + commands + "\nEXIT\n", patience)
        if answer.code != 0:
            raise Failure(f"the script ended with {answer.code}:\n{answer.text}\n{self.report()}")
        return answer

    def opening(self):
        return f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP {self.sn.host} {self.sn.port}\nSWITCH CONTEXT c\n"

    def make_task(self, task):
        """Puts a task, a dict, onto the chain and finalizes it."""
        name = task["Name"]
        (self.usr / "taskdefs" / f"{name}.yaml").write_text(json.dumps(task, indent=1))
        return self.order(f"CREATE TASK FROM taskdefs/{name}.yaml\nFINALIZE TASK {name}")

    def assign(self, task, how, taskrunner=DEFAULT_TASKRUNNER):
        """RESET and ASSIGN; `how`: "WITH 2 PEERS", say."""
        return self.order(f"RESET TASKRUNNER {taskrunner}\nASSIGN TASK {task} TO {taskrunner} {how}")

    def wait_task(self, taskrunner=DEFAULT_TASKRUNNER, patience=PATIENCE):
        """Waits for the end of the task; gives TASKRUNNER STATUS."""
        return self.order(f"WAIT FOR TASKRUNNER {taskrunner}\nGET TASKRUNNER STATUS {taskrunner}", patience)

    def status(self, taskrunner=DEFAULT_TASKRUNNER):
        return self.order(f"GET TASKRUNNER STATUS {taskrunner}")

    def peer_status(self, swop, taskrunner=DEFAULT_TASKRUNNER):
        return self.order(f"GET TASKRUNNER PEER STATUS {taskrunner} {swop}")

    def processes(self):
        return [*self.swops, self.swci, *super().processes()]


def node_definition(certs, idx, private=None, variables=(), identity="sl-1"):
    """A node of a SWOP profile, with the certificate of `identity` and a free port for its files."""
    return {
        "slnodedef": {
            "idx": idx,
            "identity": [
                {"attribute": {"aType": kind, "mType": "BIND", "src": str(src), "tgt": tgt}}
                for kind, src, tgt in certs.identity(identity)
            ],
            "slhostname": None,
            "slhostip": None,
            "slport": None,
            "usrhostname": f"user{idx + 1}",
            "slenvvars": None,
            "usrenvvars": [{name: value} for name, value in dict(variables).items()] or None,
            "privatedata": {"src": str(private), "mType": "BIND"} if private else None,
        }
    }


def swop_profile(nodes, group="demo", taskrunner=DEFAULT_TASKRUNNER, manager="PROCESS", cluster=None):
    return {
        "groupname": group,
        "taskrunner": taskrunner,
        "network": None,
        "policyuri": None,
        "resourcemgr": {"mgrtype": manager, "accessinfo": {"accesstype": "FROMENV"}, "cluster": cluster},
        "apls": None,
        "apisrv": None,
        "envvars": None,
        "nodes": nodes,
    }


def sn_definition(certs, name, port, identity=None, variables=(), patience=None):
    """An SN that tasks may start: its API is at `port`, other SNs reach it at a free one."""
    return {
        "snnodedef": {
            "snname": name,
            "identity": [
                {"attribute": {"aType": kind, "mType": "BIND", "src": str(src), "tgt": tgt}}
                for kind, src, tgt in certs.identity(identity or name)
            ],
            "snapiport": port,
            "snp2pport": free_port(),
            "snenvvars": [{key: value} for key, value in dict(variables).items()] or None,
            "snpatience": patience,
        }
    }


def node_task(name, node, state="RUNNING"):
    """A RUN_NODE task."""
    return {
        "Name": name,
        "TaskType": "RUN_NODE",
        "Author": "tests",
        "Prereq": "ROOTTASK",
        "Outcome": node,
        "Body": {"Node": node, "State": state},
    }


def run_task(name, command, entrypoint="python3", variables=(), shared=(), private=None, prereq="ROOTTASK",
             working_dir="/tmp/test"):  # fmt: skip
    """A RUN_SWARM task. `shared`: (source, target) of each folder that programs see, all nodes the same."""
    return {
        "Name": name,
        "TaskType": "RUN_SWARM",
        "Author": "tests",
        "Prereq": prereq,
        "Outcome": name,
        "Body": {
            "Command": command,
            "Entrypoint": str(entrypoint),
            "WorkingDir": working_dir,
            "Envvars": [{key: value} for key, value in dict(variables).items()] or None,
            "PrivateContent": private,
            "SharedContent": [
                {"Src": str(src), "Tgt": str(tgt), "MType": "BIND" if "/" in str(src) else "VOLUME"}
                for src, tgt in shared
            ]
            or None,
        },
    }


def build_task(name, steps, outcome, kind="VENV", context=None):
    return {
        "Name": name,
        "TaskType": "MAKE_USER_CONTAINER",
        "Author": "tests",
        "Prereq": "ROOTTASK",
        "Outcome": outcome,
        "Body": {"BuildContext": context, "BuildType": kind, "BuildSteps": list(steps)},
    }


def content_task(name, operations, outcome, kind="SWARMCONTENT"):
    """`operations`: (DOWNLOAD or EXTRACT, target, where it goes)."""
    return {
        "Name": name,
        "TaskType": "MAKE_SWARM_USER_CONTENT",
        "Author": "tests",
        "Prereq": "ROOTTASK",
        "Outcome": outcome,
        "Body": {
            "ContentType": kind,
            "OpsList": [
                {"Operation": what, "Target": target, "Options": [{"Out": out}]} for what, target, out in operations
            ],
        },
    }
