"""What a cluster's controllers and its node do, for `cluster.py`: a Job gets a pod, its containers are sandboxes."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time

GPUS = 8  # of the one node
IMAGE_PATH = "/usr/local/bin:/usr/bin:/bin"
REFERENCE = re.compile(r"\$(?:\$|\(([A-Za-z_][A-Za-z0-9_.-]*)\))")


def image():
    """This host's files as every image: folders can be made beside them."""
    words = []
    for path in sorted(pathlib.Path("/").iterdir()):
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir() and path.name not in ("proc", "dev", "tmp", "run", "var", "sys"):
            words += ["--ro-bind", str(path), str(path)]
    return words


IMAGE = image()


class Refused(Exception):
    """What the server answers in place of what was asked."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def expanded(text, variables):
    """Kubernetes' own: $(NAME) is a variable, $$ a dollar."""
    return REFERENCE.sub(lambda match: variables.get(match[1], match[0]) if match[1] else "$", text)


class Container:
    """One that runs, or has ended."""

    def __init__(self, spec, log):
        self.spec, self.log = spec, log
        self.process = self.child = None
        self.ended = threading.Event()
        self.state = {"waiting": {"reason": "ContainerCreating"}}
        log.touch()

    def start(self, words, programs):
        command = [*self.spec.get("command", []), *self.spec.get("args", [])]
        variables = {}
        for each in self.spec.get("env", []):
            variables[each["name"]] = expanded(each["value"], variables) if "value" in each else "127.0.0.1"
        path = variables.setdefault("PATH", f"{programs}:{IMAGE_PATH}" if programs else IMAGE_PATH)
        command = [expanded(each, variables) for each in command]
        program = shutil.which(command[0], path=path)
        if not program:
            why = "is a directory" if os.path.isdir(command[0]) else "executable file not found in $PATH"
            return self.end(128, "StartError", f'failed to create containerd task: exec: "{command[0]}": {why}')
        for name, value in variables.items():
            words += ["--setenv", name, value]
        told, tells = os.pipe()
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                ["bwrap", "--info-fd", str(tells), *words, "--", program, *command[1:]],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, pass_fds=[tells])  # fmt: skip
        os.close(tells)
        with os.fdopen(told) as facts:
            self.child = json.loads(facts.read() or "{}").get("child-pid")
        self.state = {"running": {"startedAt": now()}}
        return None

    def signal(self, number):
        if self.child and not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, number)

    def end(self, code, reason, message=""):
        started = self.state.get("running", {}).get("startedAt", now())
        self.state = {
            "terminated": {
                "exitCode": code, "reason": reason, "message": message, "startedAt": started, "finishedAt": now(),
            }
        }  # fmt: skip
        self.ended.set()

    def look(self):
        """Whether it has ended since."""
        if self.process is None or self.ended.is_set() or self.process.poll() is None:
            return False
        self.end(self.process.returncode, "Completed" if self.process.returncode == 0 else "Error")
        return True

    def lines(self, count):
        text = self.log.read_bytes()
        return b"".join(text.splitlines(keepends=True)[-count:]), len(text)

    def read_from(self, offset):
        with open(self.log, "rb") as log:
            log.seek(offset)
            return log.read()


class Pod:
    """A pod and the thread that does for it what controllers and the node do."""

    def __init__(self, runner, job):
        self.runner, self.job = runner, job
        template = job["spec"]["template"]
        self.folder = runner.folder / secrets.token_hex(4)
        self.folder.mkdir(parents=True)
        self.what = {
            "apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
            "metadata": {**template["metadata"], "name": f"{job['metadata']['name']}-{secrets.token_hex(3)}",
                         "uid": secrets.token_hex(16), "creationTimestamp": now()},
            "status": {"phase": "Pending"},
        }  # fmt: skip
        self.name = self.what["metadata"]["name"]
        self.containers = {
            each["name"]: Container(each, self.folder / f"{each['name']}.log")
            for each in template["spec"]["containers"]
        }
        self.kill_at = None  # when what was told to end is killed
        self.disturbed = ""
        self.lock = threading.RLock()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def show(self, event="MODIFIED"):
        with self.lock:
            statuses = [
                {"name": name, "image": one.spec["image"], "ready": "running" in one.state, "state": one.state}
                for name, one in self.containers.items()
            ]
            self.what["status"]["containerStatuses"] = statuses
            self.runner.store.put("pods", json.loads(json.dumps(self.what)), event)

    def condition(self, kind, status, reason, message):
        self.what["status"]["conditions"] = [{"type": kind, "status": status, "reason": reason, "message": message}]

    def wait_until(self, ready):
        """False: it is to end before."""
        while not ready():
            if self.is_ending() or self.disturbed or self.runner.stopped:
                return False
            time.sleep(0.02)
        return True

    def is_ending(self):
        return "deletionTimestamp" in self.what["metadata"]

    def run(self):
        self.show("ADDED")
        if self.schedule() and self.wait_until(self.has_secrets) and self.wait_until(self.has_images):
            self.start()
            self.watch()
        self.finish()

    def schedule(self):
        limits = [each.spec.get("resources", {}).get("limits", {}) for each in self.containers.values()]
        if sum(int(each.get("nvidia.com/gpu", 0)) for each in limits) > GPUS:
            self.condition("PodScheduled", "False", "Unschedulable", "0/1 nodes: 1 Insufficient nvidia.com/gpu.")
            self.show()
            return self.wait_until(lambda: False)
        self.what["spec"]["nodeName"] = "node-1"
        self.condition("PodScheduled", "True", "", "")
        self.what["status"]["startTime"] = now()
        return True

    def has_secrets(self):
        names = [each["secret"]["secretName"] for each in self.what["spec"].get("volumes", []) if "secret" in each]
        return all(self.runner.store.get("secrets", name) for name in names)

    def has_images(self):
        missing = [one for one in self.containers.values() if one.spec["image"].startswith("missing")]
        for one in missing:
            waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{one.spec["image"]}"'}
            if one.state != {"waiting": waiting}:
                one.state = {"waiting": waiting}
                self.show()
        return not missing

    def start(self):
        for one in self.containers.values():
            one.start(self.sandbox(one.spec), self.runner.programs)
        self.what["status"]["phase"] = "Running"
        self.show()

    def sandbox(self, spec):
        """A container's world as words of bwrap."""
        user = spec["securityContext"]
        words = ["--unshare-user", "--unshare-pid", "--as-pid-1", "--die-with-parent", "--new-session", "--clearenv"]
        words += ["--uid", str(user["runAsUser"]), "--gid", str(user["runAsGroup"])]
        words += [*IMAGE, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/var/lib", "--dir", "/run"]
        volumes = {each["name"]: each for each in self.what["spec"].get("volumes", [])}
        for mount in sorted(spec.get("volumeMounts", []), key=lambda each: each["mountPath"]):
            source = self.source(volumes[mount["name"]]) / mount.get("subPath", "")
            words += ["--ro-bind" if mount.get("readOnly") else "--bind", str(source), mount["mountPath"]]
        return [*words, "--chdir", spec.get("workingDir", "/")]

    def source(self, volume):
        if "hostPath" in volume:
            return pathlib.Path(volume["hostPath"]["path"])
        if "persistentVolumeClaim" in volume:
            return self.runner.claim(volume["persistentVolumeClaim"]["claimName"])
        folder = self.folder / "volumes" / volume["name"]
        if folder.exists():
            return folder
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        if "secret" in volume:
            texts = self.runner.store.get("secrets", volume["secret"]["secretName"])["stringData"]
            for item in volume["secret"]["items"]:
                file = folder / item["path"]
                file.parent.mkdir(exist_ok=True)
                file.write_text(texts[item["key"]], encoding="utf-8")
                file.chmod(volume["secret"]["defaultMode"])
        return folder

    def tell_to_end(self, grace):
        self.kill_at = time.monotonic() + grace
        for one in self.containers.values():
            one.signal(signal.SIGTERM)

    def watch(self):
        """Until all containers have ended."""
        deadline = self.what["spec"].get("activeDeadlineSeconds")
        until = time.monotonic() + deadline if deadline else None
        while not all(one.ended.is_set() for one in self.containers.values()):
            if until and time.monotonic() >= until:
                until = None
                self.what["status"] |= {"reason": "DeadlineExceeded", "message": "Pod was active too long"}
                self.tell_to_end(self.what["spec"]["terminationGracePeriodSeconds"])
            if self.disturbed or self.runner.stopped or (self.kill_at and time.monotonic() >= self.kill_at):
                self.kill_at = None
                for one in self.containers.values():
                    one.signal(signal.SIGKILL)
            if self.disturbed == "lose":
                return
            if any([one.look() for one in self.containers.values()]):
                self.show()
            time.sleep(0.01)

    def finish(self):
        codes = [one.state.get("terminated", {}).get("exitCode", 1) for one in self.containers.values()]
        failed = any(codes) or self.disturbed
        self.what["status"]["phase"] = "Failed" if failed else "Succeeded"
        if self.disturbed == "lose":
            for one in self.containers.values():
                one.ended.set()  # for those who read its output: it is gone, too
        else:
            self.show()
        self.runner.end_job(self.job, failed)
        if self.disturbed != "lose" and not self.is_ending():
            while not self.is_ending() and not self.runner.stopped:
                time.sleep(0.02)
        self.show("DELETED")
        self.runner.gone(self)


class Runner:
    """The controllers of a cluster, and its node."""

    def __init__(self, cluster, programs):
        self.cluster, self.programs = cluster, programs
        self.folder = cluster.folder / "pods"
        self.pods, self.stopped = {}, False

    @property
    def store(self):
        return self.cluster.store

    def begin(self, job):
        pod = Pod(self, job)
        self.pods[pod.name] = pod
        pod.thread.start()

    def gone(self, pod):
        self.pods.pop(pod.name, None)

    def claim(self, name):
        folder = self.cluster.folder / "claims" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def container(self, pod, name):
        if pod not in self.pods:
            raise Refused(404, f'pods "{pod}" not found')
        one = self.pods[pod].containers[name]
        if "waiting" in one.state:
            raise Refused(400, f'container "{name}" in pod "{pod}" is waiting to start')
        return one

    def end_job(self, job, failed):
        known = self.store.get("jobs", job["metadata"]["name"])
        if known and known["metadata"]["uid"] == job["metadata"]["uid"]:
            kind, reason = ("Failed", "BackoffLimitExceeded") if failed else ("Complete", "")
            message = "Job has reached the specified backoff limit" if failed else ""
            known["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": message}]}
            self.store.put("jobs", known)

    def delete(self, kind, name, options):
        if kind != "pods":
            self.store.put(kind, self.store.get(kind, name), "DELETED")
            for pod in list(self.pods.values()):
                if kind == "jobs" and pod.job["metadata"]["name"] == name:
                    self.delete_pod(pod, pod.what["spec"].get("terminationGracePeriodSeconds", 30))
            if kind == "jobs" and self.store.get("secrets", name):  # which it owns
                self.store.put("secrets", self.store.get("secrets", name), "DELETED")
        elif name in self.pods:
            self.delete_pod(self.pods[name], options.get("gracePeriodSeconds", 30))

    def delete_pod(self, pod, grace):
        if pod.is_ending():
            return
        pod.what["metadata"] |= {"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace}
        pod.show()
        pod.tell_to_end(grace)

    def disturb(self, how):
        for pod in list(self.pods.values()):
            if pod.job["metadata"]["labels"].get("app.kubernetes.io/managed-by") == "swarmd":
                if how == "evict":
                    pod.what["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
                pod.disturbed = how

    def somebody_elses(self, owner):
        """A Job that looks as ours do, of another owner."""
        name = f"swarmd-of-{owner}"
        labels = {"swarmd.owner": owner, "swarmd.job": name}
        container = {"name": "program", "image": "any", "command": ["sleep", "600"],
                     "securityContext": {"runAsUser": 1000, "runAsGroup": 1000}}  # fmt: skip
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels, "uid": name},
               "spec": {"template": {"metadata": {"labels": labels},
                                     "spec": {"restartPolicy": "Never", "containers": [container]}}}}  # fmt: skip
        self.store.put("jobs", job, "ADDED")
        self.begin(job)

    def stop(self):
        self.stopped = True
        for pod in list(self.pods.values()):
            pod.thread.join(10)
