"""What lines of answers say."""

from dataclasses import dataclass
from typing import Iterable, List, Optional

DONE = ("COMPLETE", "ERROR", "IDLE")
NOTHING = "(none)"  # how a list without entries is answered
ERROR = "ERROR "


@dataclass(frozen=True)
class Node:
    """One row of LIST NODES."""

    NodeType: str  # SENTINEL, SN, SL or SWOP
    HostIP: str  # or the name of its service
    Port: str
    ContainerName: str
    UUID: str
    ParentUUID: str  # "-": none
    i_am_alive: str  # its last sign of life

    @property
    def is_sn(self) -> bool:
        return self.NodeType in ("SENTINEL", "SN", "FULLNODE")

    def attribute(self, name: str) -> str:
        """By the names that the user guide gives to the columns."""
        key = {"i-am-alive": "i_am_alive", "parentUUID": "ParentUUID"}.get(name, name)
        if key not in self.__dataclass_fields__:
            known = ", ".join(each.replace("_", "-") for each in self.__dataclass_fields__)
            raise ValueError(f"'{name}' is no attribute of a node; there are {known}")
        return str(getattr(self, key))


def nodes_of(lines: List[str]) -> List[Node]:
    """The rows below the header."""
    out = []
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) >= 7:
            out.append(Node(*cells[:7]))
    return out


def value_of(lines: Iterable[str], label: str) -> Optional[str]:
    """What follows "label :" in the first line that has both."""
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and label in name:
            return value.strip()
    return None


def word(text: object, what: str) -> str:
    """One word of a command, in quotes if it has to be."""
    out = str(text)
    if not out or any(ord(c) < 0x20 or ord(c) == 0x7F for c in out):
        raise ValueError(f"{what}: {out!r} cannot be a word of a command")
    if " " not in out and out[0] not in "'\"#":
        return out
    for quote in "\"'":
        if quote not in out:
            return f"{quote}{out}{quote}"
    raise ValueError(f"{what}: {out!r} has blanks and both kinds of quotes")
