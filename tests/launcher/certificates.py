"""Certificates made by deploy/bin/gen-cert in one folder."""

import pathlib
import ssl
import subprocess

from .processes import ROOT, Failure

READER = "probe"  # whose certificate comes with no node; its owner is no member unless a test registers it


class Certs:
    def __init__(self, folder, *names):
        self.folder = pathlib.Path(folder)
        names = dict.fromkeys([*names, READER])
        command = [ROOT / "deploy" / "bin" / "gen-cert", "-o", folder, *names]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != 0:
            raise Failure(f"cannot make certificates: {made.stderr.strip()}")
        self.capath = self.folder / "ca" / "capath"

    def flags(self, name, capath=None):
        return [
            *("--key", self.folder / f"{name}-key.pem", "--cert", self.folder / f"{name}-cert.pem"),
            *("--capath", capath or self.capath),
        ]

    def identity(self, name):
        """The same in the profile of a SWOP: aType, src and tgt of each part."""
        key, cert = (self.folder / f"{name}-{kind}.pem" for kind in ("key", "cert"))
        within = "/swarm/cert"
        return [
            ("KEY", key, f"{within}/{key.name}"), ("CERT", cert, f"{within}/{cert.name}"),
            ("CAPATH", self.capath, f"{within}/ca/capath"),
        ]  # fmt: skip

    def context(self, name=READER, side=ssl.PROTOCOL_TLS_CLIENT):
        """For a client, unless told otherwise. swarmd nodes know each other by certificates of their common authority,
        not by host names."""
        context = ssl.SSLContext(side)
        context.check_hostname = False
        for file in self.capath.iterdir():
            context.load_verify_locations(file)
        context.load_cert_chain(self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem")
        return context
