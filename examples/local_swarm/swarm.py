"""An SN, and SLs each with the training program beside it, on this machine."""

import pathlib

from .processes import Failure, programs_folder

from launcher.pairs import PairSwarm  # isort: skip; .processes finds it

__all__ = ["Failure", "LocalSwarm"]


class LocalSwarm(PairSwarm):
    """`folder` gets certificates, data and a log for each process; `programs` is the folder with swarmd, the one that
    SWARM_BIN names or build/release/bin; `names` are those of the SLs that `add_pair` starts; `contracts` are made
    besides the default one."""

    def __init__(self, folder, programs, names, contracts=()):
        if pathlib.Path(programs).resolve() != programs_folder.resolve():
            raise Failure(f"swarmd is taken from {programs_folder}; set SWARM_BIN={programs} to take it from there")
        super().__init__(folder, names, contracts)
        self.sn._call = self.sn.rpc  # as scripts from before there was a launcher call it

    @property
    def chain(self):
        """What the SN's chain has on record: `merges(contract)`, `departures(contract)`."""
        return self.sn
