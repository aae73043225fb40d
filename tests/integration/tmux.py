"""A terminal that somebody sits at: one window of a tmux server of its own."""

import itertools
import pathlib
import re
import shlex
import subprocess

from harness import PATIENCE, Failure, until

numbers = itertools.count(1)  # of servers, as one that is told to end takes its time
WIDTH, HEIGHT = 110, 150  # nothing scrolls


class Tmux:
    """Runs `command` by a shell that says afterwards how it ended and whether the terminal is as it was."""

    def __init__(self, folder, command, width=WIDTH, height=HEIGHT):
        self.socket = pathlib.Path(folder) / f"tmux-{next(numbers)}"
        words = shlex.join(str(word) for word in command)
        script = (
            f"trap : INT; before=$(stty -g); {words}; echo ended with $?;"
            ' [ "$before" = "$(stty -g)" ] && echo terminal as before; exec cat'
        )
        size = ("-x", str(width), "-y", str(height))
        self.call("-f", "/dev/null", "new-session", "-d", *size, "env", "PS1=", "sh", "-c", script)
        self.call("set-option", "-g", "escape-time", "0")

    def call(self, *words):
        done = subprocess.run(
            ["tmux", "-u", "-S", self.socket, *words], check=False, capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode != 0:
            raise Failure(f"tmux {words}: {done.stderr}")
        return done.stdout

    def screen(self):
        return self.call("capture-pane", "-p").rstrip() + "\n"

    def keys(self, *names):
        """Keys by their names: Enter, Tab, Up, C-c."""
        self.call("send-keys", *names)

    def types(self, text):
        """Types it and waits until it is there."""
        before = self.screen()
        self.call("send-keys", "-l", text)
        self.shows(lambda screen: screen != before and screen.rstrip().endswith(text.rstrip()), f"{text!r} typed")

    def shows(self, wanted, what=None):
        """Waits until the screen matches a pattern, or a condition."""
        fits = wanted if callable(wanted) else lambda screen: re.search(wanted, screen, re.MULTILINE)
        try:
            return until(lambda: fits(self.screen()), what or wanted)
        except Failure as why:
            raise Failure(f"{why}\n{self.screen()}") from None

    def prompt(self, number):
        """Waits until that command is asked for and nothing is typed."""
        self.shows(rf"^SWCI:{number} >\s*\Z")

    def enters(self, line, number):
        """Types a line at prompt `number` and waits for the next one."""
        self.prompt(number)
        self.types(line)
        self.keys("Enter")
        self.prompt(number + 1)

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True, timeout=PATIENCE)
