"""Hospitals, each behind a gate that lets nothing but TCP port 443 through: out of it leads a squid, into it an
nginx (the first) or an HAProxy.

A hospital is a host of `own_networks` (its gate, which forwards nothing) and one behind it, in which its nodes are.
"""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

from harness import ROOT, SL, SN, until
from launcher.processes import Process
from own_networks import InnerHost, OwnNetwork, why_no_network

BASIC_LOGIN = "/usr/lib/squid/basic_ncsa_auth"
STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
PROXY_PORT = 3128
ONLY_443 = [
    *(("-P", chain, "DROP") for chain in ("INPUT", "OUTPUT", "FORWARD")),
    *(("-A", chain, way, inside, "-j", "ACCEPT") for inside in ("lo", "in0")
      for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o"))),
    *(("-A", chain, way, "eth0", "-p", "tcp", port, "443", "-j", "ACCEPT") for port in ("--dport", "--sport")
      for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o"))),
]  # fmt: skip
SQUID = """
http_port {inner}:{port}
hosts_file {folder}/hosts
acl SSL_ports port 443
acl CONNECT method CONNECT
http_access deny CONNECT !SSL_ports
{login}
cache deny all
access_log stdio:{own}/access.log
cache_log {own}/cache.log
netdb_filename none
pid_filename none
coredump_dir none
shutdown_lifetime 0 seconds
"""
LOGIN = """auth_param basic program {program} {folder}/passwords
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
"""
NGINX_OWN = "daemon off;\nworker_processes 1;\npid {own}/pid;\nerror_log {own}/error.log;\n"
NGINX_LOG = "log_format names '$ssl_preread_server_name';\n  access_log {own}/access.log names;\n  "
PROXIES = ROOT / "examples" / "reverse-proxy" / "common"  # what operators begin with is what is tested


def why_no_hospitals():
    for program, package in (("squid", "squid"), ("nginx", "nginx-light"), ("haproxy", "haproxy")):
        if not find(program):
            return f"no {program}: install the package {package}"
    if not os.path.exists(STREAM_MODULE):
        return "no streams in nginx: install the package libnginx-mod-stream"
    return why_no_network()


def find(program):
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


class Hospitals:
    """While it is entered, this thread is at the switch between them."""

    def __init__(self, count):
        self.count, self.all = count, []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-hospitals-"))
        self.folder.chmod(0o711)  # squid is somebody else
        with contextlib.ExitStack() as undone:
            undone.callback(shutil.rmtree, self.folder)
            self.network = undone.enter_context(OwnNetwork())
            for number in range(1, self.count + 1):
                self.all.append(Hospital(self, number))
                undone.callback(self.all[-1].close)
            self.left = undone.pop_all()
        return self

    def __exit__(self, *unused):
        self.left.close()

    def open(self):
        """Once all their nodes are known by name."""
        lines = (f"{each.gate.address} {name}\n" for each in self.all for name in each.names)
        (self.folder / "hosts").write_text("".join(lines))
        for each in self.all:
            each.open()


class Hospital:
    """`names`: where its entrance leads who asks for them. `login`: what its squid wants to hear."""

    def __init__(self, all_of_them, number):
        self.number, self.folder, self.names = number, all_of_them.folder, {}
        self.gate = all_of_them.network.host(f"gate-{number}")
        self.inside = InnerHost(self.gate, f"10.78.{number}.2", f"10.78.{number}.1")
        for words in ONLY_443:
            self.gate.run("iptables", *words)
        self.login = "" if number == 1 else "ward:p@ss:word"
        self.squid = self._squid()
        self.entrance = None

    @property
    def proxy(self):
        return f"http://{self.inside.gate_address}:{PROXY_PORT}"

    def variables(self, login=None):
        """Those of a node in here."""
        user, _, password = (login or self.login).partition(":")
        before = f"{user}:{password.replace('@', '%40')}@" if user else ""
        return {"https_proxy": self.proxy.replace("//", f"//{before}"), "no_proxy": f"10.78.{self.number}.0/24"}

    def name(self, name, port):
        self.names[name] = f"{self.inside.address}:{port}"
        return name

    def _own(self, name):
        own = self.folder / f"{name}-{self.number}"
        own.mkdir()
        return own

    def _squid(self):
        own = self._own("squid")
        user = pwd.getpwnam("proxy")
        os.chown(own, user.pw_uid, user.pw_gid)
        login = "http_access allow all"
        if self.login:
            name, _, password = self.login.partition(":")
            hashed = ["openssl", "passwd", "-apr1", password]
            digest = subprocess.run(hashed, capture_output=True, text=True, check=True)
            (self.folder / "passwords").write_text(f"{name}:{digest.stdout}")
            login = LOGIN.format(program=BASIC_LOGIN, folder=self.folder)
        text = SQUID.format(inner=self.inside.gate_address, port=PROXY_PORT, folder=self.folder, own=own, login=login)
        (own / "squid.conf").write_text(text)
        process = Process(f"squid-{self.number}", [find("squid"), "-N", "-d1", "-f", own / "squid.conf"], self.folder)
        self.squid_log = own / "access.log"
        return self.gate.move_in(process)

    def _nginx(self):
        """With the example's file, but for names and places."""
        own = self._own("nginx")
        text = (PROXIES / "nginx.conf").read_text().replace("worker_processes auto;", NGINX_OWN.format(own=own))
        names = "".join(f"    {name} {to};\n" for name, to in self.names.items())
        text = re.sub(r"(?<=\$node \{\n)[^}]*(?=  \})", names, text)
        text = text.replace("  server {", f"  {NGINX_LOG.format(own=own)}server {{")
        (own / "nginx.conf").write_text(text.replace("listen 443", f"listen {self.gate.address}:443"))
        command = [find("nginx"), "-c", own / "nginx.conf", "-e", own / "error.log"]
        self.names_asked = lambda: set((own / "access.log").read_text().split())
        return self.gate.move_in(Process(f"nginx-{self.number}", command, self.folder))

    def _haproxy(self):
        own = self._own("haproxy")
        text, count = re.subn(r"^  use_backend .*\n", "", (PROXIES / "haproxy.cfg").read_text(), flags=re.MULTILINE)
        head = text[: text.index("\nbackend ")]
        ways = "".join(f"  use_backend {name} if {{ req.ssl_sni -i {name} }}\n" for name in self.names)
        backends = "".join(f"\nbackend {name}\n  server node {to}\n" for name, to in self.names.items())
        assert count == len(self.names), "the example has as many names as a hospital here"
        (own / "haproxy.cfg").write_text(head.replace("bind :443", f"bind {self.gate.address}:443") + ways + backends)
        command = [find("haproxy"), "-db", "-f", own / "haproxy.cfg"]
        return self.gate.move_in(Process(f"haproxy-{self.number}", command, self.folder))

    def open(self):
        self.entrance = self.entrance or (self._nginx() if self.number == 1 else self._haproxy())
        for process, address, port in (
            (self.squid, self.inside.gate_address, PROXY_PORT),
            (self.entrance, self.gate.address, 443),
        ):
            process.start()
            until(lambda: self.gate.visit(lambda: answers(address, port)), f"{process.name} to listen", alive=[process])  # noqa: B023

    def shut(self):
        """Nobody gets out or in any more."""
        self.squid.kill9()
        self.entrance.kill9()

    def start_sn(self, folder, certs, joins=None):
        """`joins`: the name of another one's API."""
        name = f"sn-{self.number}"
        sn = SN(folder, certs, name, host=self.inside.address)
        api = self.name(f"api.{name}.h{self.number}", sn.port)
        p2p = self.name(f"p2p.{name}.h{self.number}", sn.p2p_port)
        sn.arguments += ["--sn-api-service", api, "--sn-p2p-service", f"{p2p}:443"]
        if joins:
            sn.arguments.remove("--sentinel")
            sn.arguments += ["--sentinel-api-service", joins]
        sn.environment |= self.variables()
        return self.inside.move_in(sn)

    def add_sl(self, folder, certs, sn, name):
        place = {"host": self.inside.address, "sn_host": self.inside.address}
        sl = SL(folder, certs, sn.port, name, environment=self.variables(), **place)
        sl.arguments += ["--sl-fs-service", self.name(f"fs.{name}.h{self.number}", sl.files_port)]
        return self.inside.move_in(sl)

    def close(self):
        for process in (self.squid, self.entrance):
            if process is not None:
                process.clean_up()
        self.inside.close()


def answers(address, port):
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


__all__ = ["Hospitals", "why_no_hospitals"]
