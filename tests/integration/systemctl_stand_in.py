#!/usr/bin/python3
"""What stands in a test's root for systemctl and journalctl, as no systemd runs there.

It carries out of a unit: ExecStart, User, StateDirectory, RuntimeDirectory, ConditionPathExists, Type=notify with its
deadline, and WatchdogSec (as a variable: nobody waits for the signs). The rest of a unit only systemd can carry out;
systemd-analyze checks it in test_packages.py.
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

UNITS = pathlib.Path("/usr/lib/systemd/system")
STATE = pathlib.Path("/run/stand-in")
LOGS = pathlib.Path("/var/log")


def settings(unit):
    kind, _, name = unit.removesuffix(".service").partition("@")
    out = {}
    for line in (UNITS / f"{kind}@.service").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            out.setdefault(key, value.replace("%i", name))
    return out


def pid_of(unit):
    """Of the process that runs; None when none does."""
    try:
        pid = int((STATE / unit).read_text())
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else pid


def make_folder(path, mode, user):
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if path.stat().st_uid != user.pw_uid:
        for each in [path, *path.rglob("*")]:
            shutil.chown(each, user.pw_uid, user.pw_gid)


def start(unit):
    if pid_of(unit):
        return
    wanted = settings(unit)
    if not os.path.exists(wanted["ConditionPathExists"]):
        sys.exit(f"{unit}: {wanted['ConditionPathExists']} is not there")
    user = pwd.getpwnam(wanted["User"])
    for kind, below in (("State", "/var/lib"), ("Runtime", "/run")):
        if folder := wanted.get(f"{kind}Directory"):
            make_folder(pathlib.Path(below, folder), int(wanted[f"{kind}DirectoryMode"], 8), user)
    STATE.mkdir(exist_ok=True)
    path = str(STATE / f"{unit}.notify")
    pathlib.Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, open(LOGS / f"{unit}.log", "ab") as log:
        notices.bind(path)
        os.chmod(path, 0o777)
        notices.settimeout(float(wanted["TimeoutStartSec"]))
        child = subprocess.Popen(
            wanted["ExecStart"].split(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            user=user.pw_uid, group=user.pw_gid, extra_groups=[], umask=int(wanted.get("UMask", "0022"), 8),
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": path, "WATCHDOG_USEC": wanted["WatchdogSec"] + "000000"},
        )  # fmt: skip
        (STATE / unit).write_text(str(child.pid))
        notices.settimeout(0.2)
        deadline = time.monotonic() + float(wanted["TimeoutStartSec"])
        while time.monotonic() < deadline and child.poll() is None:
            try:
                if "READY=1" in notices.recv(4096).decode().split("\n"):
                    return
            except TimeoutError:
                continue
    sys.exit(f"{unit} has not come up: {(LOGS / f'{unit}.log').read_text()[-3000:]}")


def stop(unit):
    pid = pid_of(unit)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + float(settings(unit)["TimeoutStopSec"])
    while pid_of(unit):
        if time.monotonic() > deadline:
            sys.exit(f"{unit} does not stop")
        time.sleep(0.02)


def main(words):
    options = {word for word in words if word.startswith("-")}
    words = [word for word in words if word not in options]
    if pathlib.Path(sys.argv[0]).name == "journalctl":
        return print((LOGS / f"{words[0]}.log").read_text())
    verb, *units = words
    for unit in units:
        if verb in ("stop", "restart") or (verb == "disable" and "--now" in options):
            stop(unit)
        if verb in ("start", "restart") or (verb == "enable" and "--now" in options):
            start(unit)
        if verb == "status":
            sys.exit(0 if pid_of(unit) else 3)


main(sys.argv[1:])
