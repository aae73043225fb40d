"""What goes wrong between a program and its SWCI."""


class SwciError(RuntimeError):
    """A command failed, or the SWCI cannot be reached. `command` is what was to be done."""

    def __init__(self, text: str, command: str = "") -> None:
        super().__init__(text)
        self.command = command
