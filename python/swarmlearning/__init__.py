"""Train one model together with other organisations, without moving anybody's data.

`swarmlearning.pyt.SwarmCallback` is for PyTorch programs, `swarmlearning.tf.SwarmCallback` for Keras programs.
"""

from ._session.digest import model_digest
from ._tracking.tracker import Tracker
from .errors import SwarmArgumentError, SwarmError

__all__ = ["SwarmArgumentError", "SwarmError", "Tracker", "__version__", "model_digest"]
__version__ = "0.2.0"
