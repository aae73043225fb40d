"""A swarmd of role `ui`: the management page's server, and what a client that is no browser gets from it."""

import http.client
import pathlib
import ssl

from .nodes import Swarmd
from .processes import free_port


class Page(Swarmd):
    """`sn_port`: of the SN that it asks first."""

    def __init__(self, folder, certs, sn_port, name="ui-1", certificate="swci-1", flags=(), host="127.0.0.1"):
        self.certs, self.port = certs, free_port()
        self.host = f"127.0.0.1:{self.port}"
        super().__init__(
            name,
            folder,
            [
                *("--role", "ui", "--node-name", name, "--sn-ip", host, "--sn-api-port", sn_port),
                *("--ui-port", self.port, "--data-dir", pathlib.Path(folder) / name),
                *certs.flags(certificate),
                *flags,
            ],
        )

    def wait_up(self):
        self.wait_log(r"the page, to be opened once: ")
        return self

    def link(self):
        """The path of the next link to log in with."""
        return next(self.data_dir.glob("*/login")).read_text().strip().removeprefix(f"https://{self.host}")

    def context(self, certificate=None):
        """Of TLS; without a certificate unless one is named."""
        if certificate:
            return self.certs.context(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        for file in self.certs.capath.iterdir():
            context.load_verify_locations(file)
        return context

    def ask(self, method="GET", path="/", headers=(), certificate=None, plain=False, body=None):
        """The answer to one request, with its body as `content`. `headers` are pairs, sent as they are; a Host among
        them takes the place of the right one."""
        kind = http.client.HTTPConnection if plain else http.client.HTTPSConnection
        options = {} if plain else {"context": self.context(certificate)}
        link = kind("127.0.0.1", self.port, timeout=30, **options)
        try:
            link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if not any(name.lower() == "host" for name, _ in headers):
                link.putheader("Host", self.host)
            for name, value in headers:
                link.putheader(name, value)
            if body is not None:
                link.putheader("Content-Length", str(len(body)))
            link.endheaders(body)
            answer = link.getresponse()
            answer.content = answer.read()
            return answer
        finally:
            link.close()

    def log_in(self):
        """The cookie of a new session, as a Cookie header has it."""
        answer = self.ask(path=self.link())
        assert answer.status == 200, answer.content
        return answer.headers["Set-Cookie"].split(";")[0]
