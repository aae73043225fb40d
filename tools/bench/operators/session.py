"""An operator's session at a SWCI, with pipes in the place of the terminal."""

import json
import os
import subprocess
import time

from swarms import BIN, Process


class Session(Process):
    """Commands are answered in JSON, one after the other."""

    def __init__(self, folder, certs, usr_dir, name="swci-1"):
        super().__init__(name, [
            BIN / "swarmd", "--role", "swci", "--node-name", name, "--json", "--usr-dir", usr_dir,
            "--data-dir", folder / name, *certs.flags(name)], folder)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                [self.program, *self.arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                bufsize=1, env=os.environ | self.environment, cwd=self.folder, process_group=0)
        return self

    def send(self, command):
        self.child.stdin.write(command + "\n")

    def answer(self):
        """The next answer; an error ends the program."""
        line = self.child.stdout.readline()
        content = json.loads(line) if line.startswith("{") else {"error": line or "it has ended"}
        if "error" in content:
            raise SystemExit(f"{self.name}: {content['error']}\n{self.tail()}")
        return content

    def enter(self, sn):
        """The context of this SN, in which the commands that follow are carried out."""
        self.send(f"CREATE CONTEXT c WITH IP {sn.host} {sn.port}")
        self.answer()  # it is there
        self.answer()
        self.order("SWITCH CONTEXT c")

    def order(self, command):
        """What a command is answered with."""
        self.send(command)
        return self.answer()

    def seconds(self, command):
        """From the command to its answer."""
        begun = time.monotonic()
        self.order(command)
        return time.monotonic() - begun


def begin_session(swarm, usr, name="swci-1"):
    session = Session(swarm.folder, swarm.certs, usr, name).start()
    swarm.others.append(session)
    session.enter(swarm.sn)
    return session
