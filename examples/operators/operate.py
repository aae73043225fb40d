"""Trains a swarm on two hosts by the word of an operator: `./run demo --operators`.

The two hosts are this machine, by two addresses of its loopback interface. Each runs one swarmd with an SN and a SWOP,
as its host.yaml says; a SWCI carries out swci-init, and nothing else is started by hand. What the files of this folder
call /opt/swarm is a folder of the demo's own. It ends with the table of `./run demo`. With --files it starts nothing.
"""

import argparse
import io
import json
import pathlib
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import zipfile
from typing import List

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DIGITS = HERE.parent / "digits"
sys.path[:0] = [str(ROOT / "tests"), str(DIGITS)]

import data
import demo as digits_demo
import numpy as np
from beside import PageBeside
from launcher.certificates import Certs
from launcher.chain import DEFAULT_CONTRACT, Chain
from launcher.operators import SWCI, SWOP, package_folders
from launcher.processes import BIN, Failure, Process, ask_admin, free_port, stop_all, until

HOSTS, NODES = 2, 4
PROGRAM_FILES = ("digits_pyt.py", "data.py", "options.py")
WHEEL = "packages_of_this_machine-1.0"
POLL_SECONDS = 0.2


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./run demo --operators")
    parser.add_argument("--from-index", action="store_true", help="the build task takes its packages from PyPI")
    parser.add_argument("--files", type=pathlib.Path, metavar="DIR",
                        help="only put the hosts' files into DIR, and say how they are started by hand")  # fmt: skip
    parser.add_argument("--ui", action="store_true", help="with the management page, which stays until Ctrl-C")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the outcome to FILE too")
    parser.add_argument("--keep", action="store_true", help="keep the folder with data, certificates and logs")
    return parser.parse_args()


class Site:
    """The folder that stands for /opt/swarm: the files of this example, certificates, data, programs."""

    def __init__(self, folder: pathlib.Path, from_index: bool, api_port: int = 30304, p2p_port: int = 30303):
        self.folder, self.from_index, self.api_port, self.p2p_port = folder, from_index, api_port, p2p_port
        nodes = [f"{kind}-{number}" for kind in ("sn", "swop") for number in (1, 2)]
        self.certs = Certs(folder / "cert", *nodes, *(f"sl-{n + 1}" for n in range(NODES)), "swci-1")
        self._write_data()
        for host in range(1, HOSTS + 1):
            self._write_host(host)

    def usr(self, host: int) -> pathlib.Path:
        return self.folder / f"host-{host}" / "usr"

    def data_dir(self, host: int) -> pathlib.Path:
        return self.folder / f"host-{host}" / "data"

    def _write_host(self, host: int) -> None:
        usr = self.usr(host)
        (usr / "model").mkdir(parents=True)
        for file in PROGRAM_FILES:
            shutil.copy(DIGITS / file, usr / "model")
        for node in range(NODES):
            (usr / f"user{node + 1}").mkdir()
        self._copy(f"host-{host}.yaml", usr.parent / "host.yaml")
        self._copy(f"swop-{host}.yaml", usr / "swop.yaml")
        self._write_packages(self.data_dir(host) / "swop-1" / "volumes" / "python-packages")
        if host > 1:
            return
        (usr / "taskdefs").mkdir()
        for task in ("build_env", "fetch_digits", "run_digits"):
            source = "build_env_local" if task == "build_env" and not self.from_index else task
            self._copy(f"taskdefs/{source}.yaml", usr / "taskdefs" / f"{task}.yaml")
        self._copy("swci-init", usr / "swci-init")

    def _copy(self, name: str, to: pathlib.Path) -> None:
        text = (HERE / name).read_text().replace("/opt/swarm", str(self.folder))
        text = text.replace("30304", str(self.api_port)).replace("30303", str(self.p2p_port))
        if not self.from_index:
            text = self._with_packages(name, text)
        to.write_text(text)

    def _with_packages(self, name: str, text: str) -> str:
        """Programs see this machine's packages where they are."""
        if name.startswith("host-"):
            return text.replace("allow-path: [", f"allow-path: [{', '.join(self._foreign_packages())}, ")
        if name.endswith("run_digits.yaml"):
            places = self._foreign_packages()
            mounts = [f"    - Src : {path}\n      Tgt : {path}\n      MType : BIND\n" for path in places]
            return text.replace("    SharedContent :\n", "    SharedContent :\n" + "".join(mounts))
        return text

    @staticmethod
    def _packages() -> List[str]:
        return [*package_folders(), str(ROOT / "python")]

    def _foreign_packages(self) -> List[str]:
        """Those that a sandbox does not have anyway."""
        return [path for path in self._packages() if not path.startswith("/usr/")]

    def _write_packages(self, folder: pathlib.Path) -> None:
        """The build context. Without an index: a wheel that makes an environment see what this machine has."""
        folder.mkdir(parents=True)
        if self.from_index:
            shutil.copytree(
                ROOT / "python", folder / "client", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
            return
        about = WHEEL.replace("-1.0", "") + "-1.0.dist-info"
        files = {
            "packages_of_this_machine.pth": "\n".join(self._packages()) + "\n",
            f"{about}/METADATA": "Metadata-Version: 2.1\nName: packages-of-this-machine\nVersion: 1.0\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in files)
        with zipfile.ZipFile(folder / f"{WHEEL}-py3-none-any.whl", "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)

    def _write_data(self) -> None:
        """What fetch_digits fetches."""
        images, labels = data.digits()
        raw = io.BytesIO()
        np.savez_compressed(raw, images=images, labels=labels)
        (self.folder / "data").mkdir()
        with tarfile.open(self.folder / "data" / "digits.tar.gz", "w:gz") as archive:
            entry = tarfile.TarInfo(data.FILE)
            entry.size = raw.tell()
            raw.seek(0)
            archive.addfile(entry, raw)


class Host(SWOP):
    """The swarmd of a host: an SN and a SWOP."""

    def __init__(self, site: Site, number: int):
        Process.__init__(
            self, f"host-{number}", [BIN / "swarmd", "--profile", site.usr(number).parent / "host.yaml"], site.folder
        )
        self.number, self.data_dir = number, site.data_dir(number)


class Node:
    """A node of a host, as the screen of `./run demo` wants it: SL and program in one."""

    def __init__(self, host: Host, idx: int):
        self.host, self.idx = host, idx
        number = 2 * (host.number - 1) + idx + 1
        self.name, self.contract, self.bytes_fetched = f"sl-{number}", DEFAULT_CONTRACT, 0
        self.result = host.data_dir.parent / "usr" / f"user{number}" / "result.json"
        self.sl = self.program = self

    def log(self) -> str:
        return "".join(text for name, text in self.host.outputs().items() if name.endswith(f".{self.idx}.ml"))

    def count_bytes(self) -> None:
        """Model bytes that its SL has fetched from others."""
        folder = next(self.host.data_dir.glob(f"*/nodes/{self.idx}"), None)
        answer = folder and ask_admin(folder, "actor", {"name": "files"}, patience=2)
        detail = ((answer or {}).get("result") or {}).get("detail") or {}
        if isinstance(detail, dict):
            self.bytes_fetched = max(self.bytes_fetched, int(detail.get("bytes_fetched", 0)))


class Demo:
    def __init__(self, args: argparse.Namespace, folder: pathlib.Path):
        self.started = time.monotonic()
        if not (BIN / "swarmd").exists():
            raise Failure(f"{BIN}/swarmd is not there; ./run build makes it")
        self.site = Site(folder, args.from_index, free_port(), free_port())
        self.hosts = [Host(self.site, number + 1) for number in range(HOSTS)]
        self.nodes = [Node(host, idx) for host in self.hosts for idx in range(NODES // HOSTS)]
        self.chain = Chain(self.site.api_port, self.site.certs, reader="sn-1")
        self.swci = SWCI(folder, self.site.certs, self.site.usr(1))
        self.page = PageBeside(folder, self.site.certs, self.site.api_port) if args.ui else None
        environment = {"PYTHONPATH": str(ROOT / "python"), "OMP_NUM_THREADS": "1", "MODEL_DIR": str(folder)}
        self.baselines_file = folder / "baselines.json"
        command = [sys.executable, DIGITS / "baselines.py", "--nodes", NODES, "--result", self.baselines_file]
        self.baselines = Process("baselines", command, folder, environment)
        self.screen = digits_demo.Screen()

    def run(self) -> dict:
        for host in self.hosts:
            host.start()
            until(host.wait_listening, f"the SWOP of {host.name} to listen", alive=[host])
        if self.page:
            self.page.start()
        self.swci.begin((self.site.usr(1) / "swci-init").read_text())
        self._follow()
        self.baselines.start()
        while self.baselines.running():
            time.sleep(POLL_SECONDS)
        if self.baselines.exit_code != 0:
            raise Failure(f"baselines failed:\n{self.baselines.tail()}")
        return self._outcome()

    def _follow(self) -> None:
        """Shows what SWCI prints, and the training while it goes on."""
        shown, self.training_seconds, begun = 0, 0.0, None
        while True:
            running = self.swci.running()
            log = self.swci.log()
            lines = log[: log.rfind("\n") + 1]
            print(lines[shown:], end="", flush=True)
            shown = len(lines)
            if not running:
                break
            for host in self.hosts:
                if not host.running():
                    raise Failure(f"{host.name} has ended:\n{host.tail()}")
            if any(node.log() for node in self.nodes):
                begun = begun or time.monotonic()
                self.training_seconds = time.monotonic() - begun
                self.screen.show(self.nodes, "")
            for node in self.nodes:
                node.count_bytes()
            time.sleep(POLL_SECONDS)
        if self.swci.exit_code != 0 or not all(node.result.exists() for node in self.nodes):
            raise Failure("\n".join(["the tasks were not carried out:", *(host.tail() for host in self.hosts)]))

    def _outcome(self) -> dict:
        accuracy = json.loads(self.baselines_file.read_text())
        results = [json.loads(node.result.read_text()) for node in self.nodes]
        merges = self.chain.merges()
        swarm = {
            "contract": DEFAULT_CONTRACT,
            "accuracy_swarm": [result["accuracy"] for result in results],
            "final_digest": [result["digest"] for result in results],
            "chain_digest": merges[-1].digest,
            "block_num": merges[-1].block_num,
            "contributors": len(merges[-1].contributors),
            "rounds": len(merges),
            "model_bytes": merges[-1].size,
            "seconds_in_sync": sum(result["seconds_in_sync"] for result in results) / len(results),
            "bytes_between_sls": sum(node.bytes_fetched for node in self.nodes),
            "bytes_program_to_sl": sum(result["bytes_to_sl"] for result in results),
            "bytes_sl_to_program": sum(result["bytes_from_sl"] for result in results),
        }
        return {
            **swarm,
            "accuracy": {**accuracy, "swarm": swarm["accuracy_swarm"]},
            "seconds_total": time.monotonic() - self.started,
            "seconds_training": self.training_seconds,
            "swarms": [swarm],
        }

    def stop(self) -> None:
        """A SWOP that is told to end ends its programs; what one that was killed has left is ended by number."""
        if self.page:
            self.page.stop()
        stop_all([self.baselines, self.swci, *self.hosts])
        for host in self.hosts:
            host.clean_up()


def write_files(folder: pathlib.Path, from_index: bool) -> int:
    """For those who start the processes themselves."""
    if folder.exists():
        print(f"{folder} is there already: name a folder that is not", file=sys.stderr)
        return 1
    folder.mkdir(parents=True)
    site = Site(folder, from_index)
    for host in range(1, HOSTS + 1):
        print(f"{BIN}/swarmd --profile {site.usr(host).parent}/host.yaml")
    flags = " ".join(str(word) for word in site.certs.flags("swci-1"))
    print(f"{BIN}/swarmd --role swci --usr-dir {site.usr(1)} --data-dir {folder}/swci {flags}")
    return 0


def main() -> int:
    args = parse()
    if args.files:
        return write_files(args.files.resolve(), args.from_index)
    for number in digits_demo.INTERRUPTIONS:
        signal.signal(number, digits_demo.interrupt)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-demo-"))
    code = digits_demo.run(args, folder, Demo)
    if args.keep:
        print(f"logs and data are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
