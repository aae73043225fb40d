"""SNs and SLs of one swarm in one folder."""

import pathlib

from .nodes import SL, SN
from .processes import stop_all


class Swarm:
    sn_type, sl_type = SN, SL

    def __init__(self, folder, certs):
        self.folder, self.certs = pathlib.Path(folder), certs
        self.sn = None  # the sentinel
        self.sls = []
        self.others = []  # more SNs, and whatever else is to end with the swarm

    def start_sn(self, **options):
        self.sn = self.sn_type(self.folder, self.certs, **options)
        self.sn.start().wait_up()
        return self.sn

    def add_sl(self, **options):
        options.setdefault("name", f"sl-{len(self.sls) + 1}")
        options.setdefault("sn_port", self.sn.port if self.sn else None)
        sl = self.sl_type(self.folder, self.certs, **options)
        self.sls.append(sl)
        sl.start()
        return sl

    def join_sn(self, name, **options):
        """One more SN on the chain of the first."""
        sn = self.sn_type(self.folder, self.certs, name, joins=self.sn, **options)
        self.others.append(sn)
        sn.start().wait_up()
        return sn

    def start(self, sls=1, contracts=(), **options):
        self.start_sn(contracts=contracts)
        for _ in range(sls):
            self.add_sl(**options)
        return self

    def processes(self):
        return [process for process in [*self.sls, *self.others, self.sn] if process is not None]

    def stop(self):
        """Lets all of them end in order."""
        stop_all(self.processes())

    def clean_up(self):
        """Ends all of them at once."""
        for process in self.processes():
            process.clean_up()

    def report(self):
        return "\n".join(process.tail() for process in self.processes())
