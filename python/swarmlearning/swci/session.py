"""A SWCI's session as seen from here: commands, what was kept of their answers, and what went wrong last."""

import logging
import threading
from typing import Dict, List, Optional, Union

from .answers import ERROR, NOTHING
from .errors import SwciError
from .link import Link, tls_context


class Session:
    """What all commands have in common."""

    def __init__(
        self,
        swciIp: Optional[str] = None,
        port: int = 30306,
        clientCert: Optional[str] = None,
        clientPKey: Optional[str] = None,
        clientCABundle: Optional[str] = None,
        logger: Optional[logging.Logger] = None,
        logLv: Union[int, str] = logging.WARNING,
        enableCaching: bool = True,
        *,
        swciIP: Optional[str] = None,
        raiseErrors: bool = False,
        timeout: Optional[float] = None,
    ) -> None:
        host = swciIp if swciIp is not None else swciIP
        if not host:
            raise SwciError("give the address or name of the SWCI")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise SwciError(f"the port of the SWCI is a number from 1 to 65535, not {port!r}")
        if clientCert is None and (clientPKey is not None or clientCABundle is not None):
            raise SwciError("clientPKey and clientCABundle need a clientCert")
        self._logger = logger or logging.getLogger("swarmlearning.swci")
        if logger is None:
            self.setLogLevel(logLv)
        context = None if clientCert is None else tls_context(clientCert, clientPKey, clientCABundle)
        self._link = Link(host, port, context, timeout)
        self._caching, self._raises = enableCaching, raiseErrors
        self._cache: Dict[str, List[str]] = {}
        self._error: Optional[str] = None
        self._lock = threading.RLock()

    def execute(self, command: str) -> List[str]:
        """Any command of SWCI, as an operator writes it.

        >>> s.execute("exit on failure off")
        ['EXIT ON FAILURE IS TURNED OFF']
        """
        return self._run(command)

    def interrupt(self) -> List[str]:
        """Ends the wait of the command that another thread, or program, has under way.

        >>> s.interrupt(), s.getErrors()
        ([], 'ERROR : no command is under way')
        """
        try:
            return self._taken(self._link.interrupt(), "interrupt")
        except SwciError as error:
            return self._failed(error)

    def getErrors(self) -> Optional[str]:
        """Why the method before this one failed; None when it did not.

        >>> s.execute("nonsense"), s.getErrors()
        ([], "ERROR : unknown command 'nonsense'; HELP lists all commands")
        """
        return self._error

    def clearCache(self) -> None:
        """Forgets every answer that was kept.

        >>> s.clearCache()
        """
        with self._lock:
            self._cache.clear()

    def setLogLevel(self, logLv: Union[int, str]) -> None:
        """CRITICAL, ERROR, WARNING, INFO or DEBUG, of this object's logger; any other is WARNING.

        >>> s.setLogLevel("ERROR")
        """
        level = logLv if isinstance(logLv, int) else logging.getLevelName(str(logLv).upper())
        self._logger.setLevel(level if isinstance(level, int) else logging.WARNING)

    def _run(self, command: str, keep: bool = False) -> List[str]:
        with self._lock:
            if keep and self._caching and command in self._cache:
                self._error = None
                return list(self._cache[command])
            self._logger.debug("%s: %s", self._link.url, command)
            try:
                lines = self._taken(self._link.run(command), command)
            except SwciError as error:
                return self._failed(error)
            if keep and self._caching and self._error is None:
                self._cache[command] = list(lines)
            return lines

    def _taken(self, content: List[str], command: str) -> List[str]:
        """The lines of an answer; at the first error it ends."""
        self._error = None
        for element in content:
            if element.startswith(ERROR):
                raise SwciError(element, command)
        lines = [line.strip() for element in content for line in element.splitlines()]
        return [] if lines == [NOTHING] else lines

    def _failed(self, error: SwciError) -> List[str]:
        self._error = as_error(error)
        self._logger.error("%s", self._error)
        if self._raises:
            raise error
        return []

    def _change(self, command: str, *stale: str) -> List[str]:
        """A command after which what was kept of others whose text begins with one of `stale` is asked for again."""
        with self._lock:
            lines = self._run(command)
            if lines:
                self._cache = {key: kept for key, kept in self._cache.items() if not key.startswith(stale)}
            return lines


def as_error(error: SwciError) -> str:
    text = str(error)
    return text if text.startswith(ERROR) else f"{ERROR}: {text}"
