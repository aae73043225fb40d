"""What the management page's browser tests stand on: a swarm, its page, a browser, and what a person does with them."""

import os
import shutil
import signal
import time

from browser import SIZES, THEMES, Browser
from harness import ROOT, Certs, until
from launcher.operators import SWCI
from launcher.page import Page
from launcher.processes import ask_admin
from operated import HERE, PYTHON, VENV, TestSwarm

CONTRACT = "defaultbb.cqdb.sml.hpe"
CLINIC_SWCI = "swci-9"
RUNNER = "defaulttaskbb.taskdb.sml.hpe"
# A folder for pictures of all screens; those of docs/page.md are made so.
PICTURES = os.environ.get("SWARM_PAGE_PICTURES")
GATE_AFTER = 24 if PICTURES else 1  # rounds
LENGTH = f"SYNCS={GATE_AFTER + 6 if PICTURES else 5}\nGATE_AFTER={GATE_AFTER}"
FAILS = """
import pathlib, sys, time
print('reading patients', flush=True)
while not pathlib.Path('/tmp/test/gate/go').exists():
    time.sleep(0.02)
print('KeyError: patient 7')
sys.exit(3)
"""
WITHOUT_SEATS = """
const all = [...document.querySelectorAll("article.organisation")].filter((each) => each.innerText.includes("0 seats"));
return all[0]?.querySelector("h3").innerText;
"""
SHARED = [
    (HERE, "/tmp/test/programs"), (ROOT / "tests/python", "/tmp/test/lib"), (VENV, VENV),
    ("/platform/swarm/usr/gate", "/tmp/test/gate"),
]  # fmt: skip


class Stage:
    """A swarm that two organisations have founded, its page, and a browser that has logged in. All nodes are of the
    first organisation; the other one, `clinic`, has a SWCI."""

    def __init__(self, folder, certs):
        self.swarm = TestSwarm(folder, certs)
        self.browser = self.page = None
        self.clinic = Certs(self.swarm.folder / "clinic", CLINIC_SWCI)
        (authority,) = self.clinic.capath.iterdir()
        self.swarm.start_sn(flags=("--cacert", authority))
        for file in certs.capath.iterdir():
            shutil.copy(file, self.clinic.capath / f"other-{file.name}")
        self.swarm.join_sn("sn-2")
        (self.swarm.usr / "model").mkdir()
        (self.swarm.usr / "model" / "fails.py").write_text(FAILS)
        for first in (0, 2):
            self.swarm.add_trainers(2, first)
        self.page = Page(folder, certs, self.swarm.sn.port)
        self.page.start().wait_up()
        self.browser = Browser(folder)
        self.browser.open(f"https://{self.page.host}{self.page.link()}")

    def clinic_orders(self, commands):
        """By the other organisation's SWCI."""
        swci = SWCI(self.swarm.folder, self.clinic, self.swarm.usr, CLINIC_SWCI)
        answer = swci.run(f"{self.swarm.opening()}{commands}\nEXIT\n")
        assert answer.code == 0, answer.text

    def nodes(self):
        return [SwarmNode(swop, idx) for swop in self.swarm.swops for idx in (0, 1)]

    def clean_up(self):
        if self.browser:
            self.browser.quit()
        if self.page:
            self.page.clean_up()
        self.swarm.clean_up()


class SwarmNode:
    """An SL that a SWOP has started: node `idx` of that SWOP."""

    def __init__(self, swop, idx):
        self.swop, self.idx = swop, idx

    def round(self):
        """Its view of its training; empty while it is not there."""
        folder = next(self.swop.data_dir.glob(f"*/nodes/{self.idx}"), None)
        answer = folder and ask_admin(folder, "round", {}, patience=2)
        return (answer or {}).get("result") or {}

    def signal(self, number):
        os.kill(self.swop.process_of("sl", self.idx), number)


def place(view):
    """Where a training is, as one of its nodes sees it."""
    training = view.get("training") or {}
    return [training.get(part) for part in ("generation", "round", "term", "phase", "leader")]


def kill_a_leader(nodes):
    """kill -9 of whoever leads a merge, in the middle of it; gives its name, and the round. It is stopped first: only
    when nothing moves then was it caught before its merge was done."""
    by_account = {}

    def leads():
        for node in nodes:
            view = node.round()
            by_account[view.get("account")] = node
            *_, phase, leader = place(view)
            if phase == "merging" and leader in by_account and by_account[leader] is not node:
                return node, place(view), by_account[leader]
        return None

    def caught():
        other, seen, leader = until(leads, "somebody to lead a merge")
        leader.signal(signal.SIGSTOP)
        since = time.monotonic()
        while place(other.round()) == seen:
            if time.monotonic() - since > 0.5:
                leader.signal(signal.SIGKILL)
                peers = other.round()["training"]["peers"]
                return next(peer["name"] for peer in peers if peer["account"] == seen[-1]), seen[1]
        leader.signal(signal.SIGCONT)
        return None

    return until(caught, "a leader to be caught")


def give(browser, word):
    """Carries out the order of the dialog that is open, which closes then; of a refused one it would not."""
    browser.click(word, kind="dialog footer button.primary")
    browser.until(lambda: not browser.count("dialog"), f"the order '{word}' to be carried out")


def give_file(browser, path, inside):
    """A file as a person chooses it."""
    browser.driver.find_element("css selector", f"{inside} input[type=file]").send_keys(str(path))


def cookie_of(browser):
    (cookie,) = browser.driver.get_cookies()
    return f"{cookie['name']}={cookie['value']}"


def asked_sn(page):
    """The API port of the SN that the page's server asks; 0: of none."""
    sn = page.admin("actor", name="/ui/feed")["detail"]["sn"]
    return int(sn.rpartition(":")[2] or 0)


def choose(browser, label, words):
    """In a list, what begins with these words."""
    script = """
        const named = (e) => e.ariaLabel ?? e.closest("label")?.querySelector(".field-label")?.textContent;
        const list = [...document.querySelectorAll("select")].find((e) => named(e) === arguments[0]);
        const found = [...(list?.options ?? [])].find((e) => e.text.startsWith(arguments[1]));
        if (!found) return false;
        list.value = found.value;
        list.dispatchEvent(new Event("change", { bubbles: true }));
        return true;
    """
    browser.until(lambda: browser.run(script, label, words), f"'{words}' to be chosen in '{label}'")


def open_round(browser, number):
    """What is drawn anew while it is clicked at may miss a click."""
    title = f"#rounds [aria-label='Round {number}']"
    until(lambda: browser.count(title) or browser.click(str(number), kind="#rounds button.link"), f"round {number}")


def leave_dialog(browser):
    browser.press("ESCAPE")
    browser.until(lambda: not browser.count("dialog"), "the dialog to be closed")


def close_notes(browser):
    until(lambda: not browser.count(".note") or browser.click("Close", inside=".notes"), "the notes to be closed")


def fill_in_task(browser, name):
    """A RUN_SWARM by the form, a field for each value of the schema."""
    inside = "dialog"
    values = {
        "Name": name, "Author": "tests", "Outcome": name, "Command": "programs/operated_program.py",
        "Entrypoint": PYTHON, "WorkingDir": "/tmp/test", "PrivateContent": "/tmp/test",
        "Envvars": f"PYTHONPATH=/tmp/test/lib\nMIN_PEERS=4\nFALLING=1\nGATE=/tmp/test/gate\n{LENGTH}",
    }  # fmt: skip
    for label, value in values.items():
        browser.fill(label, value, inside)
    for number, (source, target) in enumerate(SHARED, 1):
        browser.click("Add to SharedContent", inside=inside)
        item = f"{inside} .form-item:nth-of-type({number})"
        browser.fill("Src", source, item)
        browser.fill("Tgt", target, item)


def make_task(browser, text):
    """By its text."""
    browser.go("tasks")
    browser.click("Create a task")
    browser.fill("YAML", text, "dialog")
    give(browser, "Create")


def execute(browser, task="train"):
    browser.go("tasks", task)
    browser.click("Execute", inside=".detail")
    browser.fill("Taskrunner", RUNNER, "dialog")
    browser.click("All peers", inside="dialog")
    give(browser, "Execute")
    browser.go("taskrunners")
    browser.sees("Running", task, "swop-1", "swop-2")


def reset_runner(browser):
    """Which ends what it still carries out."""
    browser.go("taskrunners")
    browser.click("Reset: " + RUNNER)
    give(browser, "Reset")
    browser.sees("Idle")


def begin_anew(browser):
    """Contract and taskrunner are as before the first training."""
    reset_runner(browser)
    browser.go("contracts")
    browser.click("Reset: " + CONTRACT)
    give(browser, "Reset")
    browser.sees("not begun")


def take_pictures(browser, screen):
    """Of what is shown now, if somebody wants them."""
    for size in SIZES if PICTURES else ():
        for theme in THEMES:
            browser.look(size, theme)
            browser.settle()
            browser.picture(f"{PICTURES}/{screen}-{theme}-{size}.webp")
    browser.look("wide", "light")
