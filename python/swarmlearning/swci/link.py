"""Requests to a SWCI in web mode, over HTTP or mutual TLS."""

import http.client
import json
import os
import secrets
import ssl
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from .errors import SwciError


def tls_context(cert: str, key: Optional[str], authorities: Optional[str]) -> ssl.SSLContext:
    """For a client with this certificate. swarmd nodes are known by their authority, not by host names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_cert_chain(cert, key)
        if authorities is None:
            context.verify_mode = ssl.CERT_NONE
        elif os.path.isdir(authorities):
            for name in sorted(os.listdir(authorities)):  # without the hashed names that OpenSSL looks for
                context.load_verify_locations(os.path.join(authorities, name))
        else:
            context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise SwciError(f"the certificates cannot be used: {error}") from error
    return context


class Link:
    """One SWCI. Each request has a connection of its own, so that threads can share a link."""

    def __init__(self, host: str, port: int, context: Optional[ssl.SSLContext], timeout: Optional[float]) -> None:
        self.host, self.port, self._context, self._timeout = host, port, context, timeout

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}"

    def run(self, command: str) -> List[str]:
        """The elements of a command's answer. An error of the command is one of them."""
        return self._content("POST", f"/exec?cmd={quote(command, safe='/:')}", command)

    def interrupt(self) -> List[str]:
        return self._content("POST", "/interrupt", "interrupt")

    def upload(self, name: str, content: bytes) -> List[str]:
        mark = secrets.token_hex(16).encode()
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
        kind = b"Content-Type: application/octet-stream\r\n"
        body = b"--" + mark + b"\r\n" + head + kind + b"\r\n" + content + b"\r\n--" + mark + b"--\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary={mark.decode()}"}
        return self._content("POST", "/uploadTaskDef", f"upload of {name}", body, headers)

    def _content(
        self, method: str, target: str, what: str, body: bytes = b"", headers: Optional[Dict[str, str]] = None
    ) -> List[str]:
        text = self._ask(method, target, what, body, headers or {})
        try:
            content: Any = json.loads(text)["CONTENT"]
        except (ValueError, KeyError, TypeError) as error:
            raise SwciError(f"{self.url} does not answer as a SWCI does: {text[:200]!r}", what) from error
        if not isinstance(content, list) or not content:
            raise SwciError(f"{self.url} answers nothing", what)
        return [str(element) for element in content]

    def _ask(self, method: str, target: str, what: str, body: bytes, headers: Dict[str, str]) -> str:
        link = (
            http.client.HTTPSConnection(self.host, self.port, timeout=self._timeout, context=self._context)
            if self._context
            else http.client.HTTPConnection(self.host, self.port, timeout=self._timeout)
        )
        try:
            link.request(method, target, body=body, headers=headers)
            return link.getresponse().read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            remedy = (
                "is it running with --swci-mode WEB, and is this its --swci-web-port?"
                if isinstance(error, ConnectionRefusedError)
                else "a SWCI on another host wants clientCert, and clientPKey if that file has no key"
                if self._context is None
                else "is this certificate one that the SWCI's authorities have signed?"
            )
            reason = str(error) or type(error).__name__
            raise SwciError(f"{self.url} cannot be asked ({reason}): {remedy}", what) from error
        finally:
            link.close()
