"""The exceptions of this package."""


class SwarmError(RuntimeError):
    """Something between this program and its Swarm Learning node (SL) went wrong; the session is over."""


class SwarmArgumentError(SwarmError, ValueError):
    """An argument of a SwarmCallback cannot be; nothing was sent."""


class PipeClosed(SwarmError):
    """The SL has closed its end of the channel."""
