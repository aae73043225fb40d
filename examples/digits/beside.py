"""The management page beside a demo: `./run demo --ui`."""

import pathlib

from launcher.certificates import Certs
from launcher.page import Page
from launcher.processes import Failure, stop_all, until

CERTIFICATE = "swci-1"  # to the network the page is one more SWCI


class PageBeside:
    """Up from the demo's beginning until it is stopped. HTTP without TLS is for this host alone, and spares its browser
    a warning about an authority that was made for the demo."""

    def __init__(self, folder: pathlib.Path, certs: Certs, sn_port: int):
        self.page = Page(folder, certs, sn_port, certificate=CERTIFICATE, flags=["--ui-plain"])

    def start(self) -> None:
        self.page.start()
        until(lambda: "to be opened once" in self.page.log(), "the management page to be up", alive=[self.page])
        print(f"watch it in a browser on this host: {self._link()}", flush=True)

    def stay(self) -> None:
        """Until somebody has seen enough and presses Ctrl-C."""
        try:
            print(f"\nthe page is at http://{self.page.host}; this link opens it once: {self._link()}")
            print("Ctrl-C ends it, and whatever still runs of the swarm", flush=True)
            self.page.child.wait()
        except KeyboardInterrupt:
            return
        raise Failure(f"the management page has ended:\n{self.page.tail()}")

    def stop(self) -> None:
        stop_all([self.page])

    def _link(self) -> str:
        return f"http://{self.page.host}{self.page.link()}"
