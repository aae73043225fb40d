"""Swarms as the original's examples order them (the rows of test_operator_patterns.ROWS), with every part in a
container: an SN and SWOPs by their scripts, and SWCI with the init script of the row."""

import json
import shutil

from harness import ROOT
from launcher.certificates import Certs
from launcher.operators import build_task, node_definition, package_folders, run_task, swop_profile
from operated import HERE
from test_operator_patterns import ROWS, script
from walks import WALK_SECONDS, EngineRoom

PORT = 30304
NETWORK = "host-1-net"
EXAMPLES = {
    "mnist": ("mnist", "mnist_tf.py"),
    "mnist-pyt": ("mnist-pyt", "mnist_pyt.py"),
    "fraud-detection": ("fraud-detection", "fraud-detection.py"),
    "nih": ("breast-cancer", "breast_cancer.py"),
    "reverse-proxy-mnist": ("mnist", "mnist_tf.py"),
    "reverse-proxy-cifar10": ("cifar10", "cifar10.py"),
    "spire-cifar10": ("cifar10", "cifar10.py"),
}


class ContainedRow(EngineRoom):
    """`real`: with the program of the example and its framework, else with one that only averages."""

    def __init__(self, folder, engine, row, real):
        self.use(engine, folder)
        self.row, self.real = row, real
        self.hosts, self.nodes = ROWS[row][0]
        self.by_service = ROWS[row][1] == "service"
        self.certs = Certs(self.root / "certs", "sn-1", "sl-1", "swop-1", "swop-2", "swci-1")
        self.usr = self.root / "usr"
        (self.usr / "taskdefs").mkdir(parents=True)
        shutil.copytree(ROOT / "deploy", self.root / "deploy")
        self.packages = [path for path in package_folders() if not path.startswith("/usr/")]
        self._write_programs()
        self._write_tasks()

    def _write_programs(self):
        model = self.usr / "model"
        model.mkdir()
        files = [HERE / "operated_program.py", *(ROOT / "tests" / "python").glob("wire_*.py")]
        if self.real:
            example = ROOT / "examples" / EXAMPLES[self.row][0] / "model"
            files = [*example.glob("*.py"), *(ROOT / "examples" / "common").glob("*.py")]
        for file in files:
            shutil.copy(file, model)

    def _write_tasks(self):
        _, _, build, _, runs, peers, _ = ROWS[self.row]
        program = EXAMPLES[self.row][1] if self.real else "operated_program.py"
        steps = ["FROM python:3.11-slim", " ", "RUN mkdir -p /tmp/swarm-pkg"]
        steps.append("COPY swarmlearning-0.2.0-py3-none-any.whl /tmp/swarm-pkg/swarmlearning-0.2.0-py3-none-any.whl")
        packages = "numpy scikit-learn torch tensorflow-cpu"
        steps.append(f"RUN pip3 install {packages} /tmp/swarm-pkg/swarmlearning-0.2.0-py3-none-any.whl")
        tasks = [build_task(build, steps, "user-env", "INLINE", "sl-cli-lib")]
        shared = [("/platform/swarm/usr/model", "/tmp/test/model"), *((path, path) for path in self.packages)]
        for number, run in enumerate(runs):
            variables = {"MAX_EPOCHS": 2, "MIN_PEERS": peers, "SYNCS": 2, "DATA_DIR": "app-data", "SCRATCH_DIR": "."}
            variables |= {"MODEL_DIR": "saved", "OMP_NUM_THREADS": 1, "SWARM_LOOPBACK": str(number > 0)}
            tasks.append(run_task(run, f"model/{program}", "python3", variables, shared, "/tmp/test/", build))
        for task in tasks:
            (self.usr / "taskdefs" / f"{task['Name']}.yaml").write_text(json.dumps(task))

    def _profile(self, host):
        definitions = []
        for idx in range(self.nodes):
            number = host * self.nodes + idx
            user = self.usr / f"user{number}"
            user.mkdir()
            variables = {"NAME": f"user{number}", "VALUE": number, "NODE": number + 1}
            definitions.append(node_definition(self.certs, idx, user, variables))
            own = {"slhostname": f"sl{number}", "slhostip": f"sl{number}", "usrhostname": f"user{number}"}
            if self.by_service:
                name = f"fs.sl-{number}.swarm"
                own |= {"slhostname": name, "slhostip": None, "slfsservice": f"{name}:30305"}
            definitions[-1]["slnodedef"].update(own)
        profile = {**swop_profile(definitions, manager="DOCKER"), "network": NETWORK}
        (self.usr / f"swop{host + 1}.yaml").write_text(json.dumps(profile))

    def call(self, name, *options):
        return self.run(self.root / "deploy" / "bin" / name, f"--network={NETWORK}", *options, patience=WALK_SECONDS)

    def start(self):
        self.run("docker", "network", "create", NETWORK)
        self.run("docker", "volume", "create", "sl-cli-lib")
        self.run("docker", "container", "create", "--name=helper", "-v=sl-cli-lib:/data", "localhost/swarmd/sl:0.2.0")
        (self.root / "python").symlink_to(ROOT / "python")
        wheel = self.run("deploy/bin/make-client-wheel", "lib").strip()
        self.run("docker", "cp", wheel, "helper:/data")
        self.run("docker", "rm", "helper")
        where = ["--host-ip=172.1.1.1", f"--sn-api-port={PORT}", "--sn-p2p-port=30303"]
        to_sn = ["--sn-ip=sn1", f"--sn-api-port={PORT}"]
        if self.by_service:
            names = ["api.sn-1.swarm", "p2p.sn-1.swarm"]
            where = [f"--network-alias={name}" for name in names]
            where += [f"--sn-api-service={names[0]}:{PORT}", f"--sn-p2p-service={names[1]}:30303"]
            to_sn = [f"--sn-api-service={names[0]}:{PORT}"]
        self.call("run-sn", "-d", "--name=sn1", "--sentinel", *where, *self.certs.flags("sn-1"))
        allowed = [word for path in self.packages for word in ("--allow-path", path)]
        for host in range(self.hosts):
            self._profile(host)
            name = f"swop{host + 1}"
            self.call(
                "run-swop", "-d", f"--name={name}", *to_sn, "--usr-dir=usr", f"--profile-file-name={name}.yaml",
                "-e", "SWOP_KEEP_CONTAINERS=True", *self.certs.flags(f"swop-{host + 1}"), "--", *allowed,
            )  # fmt: skip

    def order(self):
        """What SWCI has said to the row's init script."""
        _, _, build, build_peers, runs, peers, options = ROWS[self.row]
        endpoint = f"service api.sn-1.swarm:{PORT}" if self.by_service else "ip sn1"
        text = script(endpoint, self.row, build, build_peers, runs, peers, **options)
        (self.usr / "swci-init").write_text(text)
        return self.call("run-swci", "--name=swci1", "--usr-dir=usr", *self.certs.flags("swci-1"))

    def result_of(self, number):
        return json.loads((self.usr / f"user{number}" / f"user{number}.json").read_text())
