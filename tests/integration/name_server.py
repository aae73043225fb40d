"""A name server that knows what a test says, and says it when the test wants, for processes of the test's own."""

import os
import pathlib
import socket
import struct
import threading

from launcher.processes import Failure

PORT = 53
SILENT, UNKNOWN = "silent", "unknown"


def why_no_name_server():
    """Only root may have this port, and give a process another resolv.conf."""
    return "" if os.geteuid() == 0 else "a name server of one's own needs root"


class NameServer:
    """`answers[name]` is an address, or `UNKNOWN`; whatever has none is met with silence."""

    def __init__(self, folder):
        self.answers, self.asked, self.closed = {}, [], False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.1)
        self.address = self._listen()
        self.conf = pathlib.Path(folder) / "resolv.conf"
        self.conf.write_text(f"nameserver {self.address}\noptions timeout:1 attempts:1\n")
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _listen(self):
        for last in range(2, 255):
            try:
                self.socket.bind((f"127.53.0.{last}", PORT))
                return f"127.53.0.{last}"
            except OSError:
                continue
        raise Failure("no loopback address has port 53 free")

    def serve(self, process):
        """Has a process, before its start, ask this server. It keeps its number."""
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        process.arguments = ["--mount", "sh", "-c", script, str(self.conf), process.program, *process.arguments]
        process.program = "unshare"
        return process

    def close(self):
        self.closed = True
        self.thread.join()
        self.socket.close()

    def _serve(self):
        while not self.closed:
            try:
                question, asker = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            name, end = self._name_in(question)
            self.asked.append(name)
            says = self.answers.get(name, SILENT)
            if says == SILENT:
                continue
            (kind,) = struct.unpack(">H", question[end : end + 2])
            found = says != UNKNOWN and kind == 1
            flags = 0x8183 if says == UNKNOWN else 0x8180
            head = question[:2] + struct.pack(">HHHHH", flags, 1, int(found), 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(says) if found else b""
            self.socket.sendto(head + question[12 : end + 4] + record, asker)

    @staticmethod
    def _name_in(question):
        """The name that is asked for, and where it ends."""
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += question[at] + 1
        return ".".join(labels).lower(), at + 1
