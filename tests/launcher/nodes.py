"""One swarmd process: any, an SN, an SL."""

import http.client
import pathlib

from .certificates import READER
from .chain import Chain
from .processes import BIN, Failure, Process, ask_admin, free_port, until


class Swarmd(Process):
    """A swarmd with these arguments; its data directory is FOLDER/NAME."""

    def __init__(self, name, folder, arguments, environment=None):
        super().__init__(name, [BIN / "swarmd", *arguments], folder, environment)
        self.data_dir = self.folder / name

    def admin(self, method, **params):
        """The result of one request on the admin socket, or None while nobody serves it."""
        answer = ask_admin(self.data_dir, method, params, patience=30)
        if answer is None:
            return None
        if "error" in answer:
            raise Failure(f"{self.name}: {method}: {answer}")
        return answer["result"]

    def glance(self, method, **params):
        """The same for displays: an empty object when it does not answer soon, or with an error."""
        return (ask_admin(self.data_dir, method, params, patience=2) or {}).get("result") or {}


class SN(Swarmd, Chain):
    """`joins`: another SN whose chain this one follows; without it this one is the sentinel. `host`: an address of the
    loopback interface, by which the others reach it."""

    def __init__(self, folder, certs, name="sn-1", contracts=(), port=None, joins=None, flags=(), host="127.0.0.1"):
        port = port or free_port()
        self.p2p_port = free_port()
        origin = ("--sentinel-ip", joins.host, "--sentinel-api-port", joins.port) if joins else ("--sentinel",)
        Swarmd.__init__(
            self,
            name,
            folder,
            [
                *("--role", "sn", *origin, "--node-name", name, "--host-ip", host),
                *("--sn-api-port", port, "--sn-p2p-port", self.p2p_port),
                *("--data-dir", pathlib.Path(folder) / name),
                *(word for contract in contracts for word in ("--contract", contract)),
                *certs.flags(name),
                *flags,
            ],
        )
        Chain.__init__(self, port, certs, host, reader=name)

    def wait_up(self):
        self.wait_log(r"Starting SWARM-API-SERVER on port")
        return self


class SL(Swarmd):
    """`identity`: the flags of its certificate (default: that of sl-1). `host`: as of its SN, whose own is `sn_host` if
    it is another."""

    def __init__(
        self, folder, certs, sn_port, name="sl-1", flags=(), identity=None, environment=None, host="127.0.0.1",
        sn_host=None,
    ):  # fmt: skip
        self.certs, self.host = certs, host
        self.files_port = free_port()
        self.node_account = None
        channel = pathlib.Path(folder) / f"{name}.channel"
        self.request, self.response = channel / "request", channel / "response"
        super().__init__(
            name,
            folder,
            [
                *("--role", "sl", "--node-name", name, "--host-ip", host, "--sn-ip", sn_host or host),
                *("--sn-api-port", sn_port, "--sl-fs-port", self.files_port),
                *("--request-channel", self.request, "--response-channel", self.response),
                *("--data-dir", pathlib.Path(folder) / name, *(identity or certs.flags("sl-1")), *flags),
            ],
            environment,
        )

    def wait_ready(self):
        """Its pipes are there. Keeps its account for when it is gone."""
        self.wait_log(r"Opening pipes to communicate")
        self.node_account = until(self.round, f"{self.name} to tell its account", alive=[self])["account"]
        return self

    def round(self):
        """This node's view of its training contract; None while it is starting."""
        return self.admin("round") if "round" in (self.admin("methods") or ()) else None

    def pipes(self):
        return (self.admin("actor", name="/sl/channel") or {}).get("detail", {}).get("pipes")

    def ask_files(self, digest, part="", account=None, name=READER, block_num=0):
        """Status and body of a request for a model to this node's file server, with the certificate `name`."""
        headers = {"Swarm-Account": account, "Swarm-Block": str(block_num)} if account else {}
        link = http.client.HTTPSConnection(self.host, self.files_port, context=self.certs.context(name), timeout=30)
        try:
            link.request("GET", f"/models/{digest}{part}", headers=headers)
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def model_file(self, digest):
        """The bytes of a model, from this node's store."""
        return (self.store / f"{digest}.safetensors").read_bytes()

    @property
    def store(self):
        """The folder of its models."""
        return next(self.data_dir.rglob("models"))
