"""Command a swarm from a program, by way of a SWCI in web mode (`swarmd --role swci --swci-mode WEB`).

>>> import swarmlearning.swci as sw
>>> s = sw.Swci("127.0.0.1", port=30306)
>>> s.createContext("hospital", ip="127.0.0.1", port=30304)
['API Server is UP!', 'CONTEXT CREATED : hospital']
>>> s.switchContext("hospital")
['DEFAULT CONTEXT SET TO : hospital']
>>> s.listTasks()
['ROOTTASK']

The methods have the names, arguments and results of the original product's class of the same name: what a command
answers, as a list of lines. A command that fails gives an empty list, and `getErrors()` the reason; with
`Swci(..., raiseErrors=True)` it raises `SwciError`.
"""

from . import swci
from .answers import Node
from .errors import SwciError
from .swci import Swci

__all__ = ["Node", "Swci", "SwciError", "swci"]
