"""The management page in a browser, against a swarm of two SNs, two SWOPs and four SLs: an operator's day, in order."""

import csv
import json
import os
import re
import shutil
import signal
import tempfile

import pytest
from browser import SIZES, THEMES, Browser
from harness import ROOT, says, until
from launcher.page import Page
from operated import HERE, PYTHON, VENV, TestSwarm

CONTRACT = "defaultbb.cqdb.sml.hpe"
RUNNER = "defaulttaskbb.taskdb.sml.hpe"
HOSTILE = """<img src=x onerror="window.hacked=1">&'{}"""
# A folder for pictures of all screens; those of docs/page.md are made so.
PICTURES = os.environ.get("SWARM_PAGE_PICTURES")
LENGTH = "SYNCS=30\nGATE_AFTER=24" if PICTURES else "SYNCS=5"

SHARED = [
    (HERE, "/tmp/test/programs"), (ROOT / "tests/python", "/tmp/test/lib"), (VENV, VENV),
    ("/platform/swarm/usr/gate", "/tmp/test/gate"),
]  # fmt: skip

# Each test goes on where the one before it has left the swarm.


class Stage:
    """A swarm, its page, and a browser that has logged in."""

    def __init__(self, folder, certs):
        self.swarm = TestSwarm(folder, certs)
        self.browser = self.page = None
        self.swarm.start_sn()
        self.swarm.join_sn("sn-2")
        for first in (0, 2):
            self.swarm.add_trainers(2, first)
        self.page = Page(folder, certs, self.swarm.sn.port)
        self.page.start().wait_up()
        self.browser = Browser(folder)
        self.browser.open(f"https://{self.page.host}{self.page.link()}")

    def clean_up(self):
        if self.browser:
            self.browser.quit()
        if self.page:
            self.page.clean_up()
        self.swarm.clean_up()


@pytest.fixture(scope="module")
def stage(certs):
    folder = tempfile.mkdtemp(prefix="swarmd-page-")
    made = Stage(folder, certs)
    try:
        yield made
    finally:
        made.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def browser(stage):
    return stage.browser


def test_it_shows_the_network_at_first_sight(stage, browser):
    browser.sees("Live", "Overview", "No training is under way", "Nobody waits.")
    browser.go("nodes")
    browser.sees("sn-1", "sn-2", "swop-1", "swop-2", "validator")
    browser.fill("Find a node", "swop")
    browser.until(lambda: "sn-2" not in browser.text("#all-nodes"), "the nodes to be filtered")
    browser.fill("Find a node", "")
    assert not browser.complaints()


def take_pictures(browser, screen):
    """Of what is shown now, if somebody wants them."""
    for size in SIZES if PICTURES else ():
        for theme in THEMES:
            browser.look(size, theme)
            browser.settle()
            browser.picture(f"{PICTURES}/{screen}-{theme}-{size}.webp")
    browser.look("wide", "light")


def give(browser, word):
    """Carries out the order of the dialog that is open, which closes then; of a refused one it would not."""
    browser.click(word, kind="dialog footer button.primary")
    browser.until(lambda: not browser.count("dialog"), f"the order '{word}' to be carried out")


def fill_in_task(browser, stage, name):
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


def test_a_task_is_made_by_its_form(stage, browser):
    browser.go("tasks")
    browser.sees("ROOTTASK")
    browser.click("Create a task")
    fill_in_task(browser, stage, "train")
    browser.click("Check without creating it", inside="dialog")
    browser.until(lambda: browser.text(".verdict"), "the verdict on the task")
    assert "train" not in browser.text("main table"), "it was only looked at"
    give(browser, "Create")
    browser.sees("train", "finalized", inside="main table")
    browser.go("tasks", "train")
    browser.sees("operated_program.py", "MIN_PEERS", inside=".detail")
    # What cannot be is refused in the contract's words, and nothing is lost of what was written.
    browser.click("Create a task")
    browser.fill("YAML", "Name : 1\n", "dialog")
    browser.click("Check without creating it", inside="dialog")
    browser.until(lambda: browser.text(".verdict .tone-bad"), "what is wrong with the task")
    leave_dialog(browser)


def leave_dialog(browser):
    browser.press("ESCAPE")
    browser.until(lambda: not browser.count("dialog"), "the dialog to be closed")


def execute(browser, task="train"):
    browser.go("tasks", task)
    browser.click("Execute", inside=".detail")
    browser.fill("Taskrunner", RUNNER, "dialog")
    browser.click("All peers", inside="dialog")
    give(browser, "Execute")
    browser.go("taskrunners")
    browser.sees("Running", task, "swop-1", "swop-2")


def begin_anew(browser):
    """Contract and taskrunner are as before the first training."""
    browser.go("contracts")
    browser.click("Reset: " + CONTRACT)
    give(browser, "Reset")
    browser.sees("not begun")
    browser.go("taskrunners")
    browser.click("Reset: " + RUNNER)
    give(browser, "Reset")
    browser.sees("Idle")


def test_it_is_executed_and_watched_to_its_end(stage, browser):
    execute(browser)
    stage.swarm.wait_at_gate(0, 1, 2, 3)
    browser.go("training", CONTRACT)
    browser.sees("Collect", "127.0.0.1", "sn-1")
    browser.until(lambda: browser.count(".topology .sl") == 4, "four SLs on the picture")
    browser.go("overview")
    browser.sees("Under way", "0/4 checked in")
    stage.swarm.open_gate()
    browser.go("training", CONTRACT)
    browser.sees("Complete")
    browser.until(lambda: browser.count(".chart-canvas canvas") == 4, "two charts")
    browser.sees("Swarm (mean)", "Merged")
    browser.go("taskrunners")
    browser.sees("Complete", "4 of 4 complete")


def test_charts_and_topology_have_tables_and_work_by_keyboard(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Swarm (mean)")
    browser.focus("Loss:", "[role=application]")
    browser.press("HOME")
    browser.sees("round 1", inside=".legend")
    browser.press("+", "0")
    browser.press("ARROW_RIGHT")
    browser.sees("round 2", inside=".legend")
    browser.focus("", ".topology .sl")
    browser.press("ENTER")
    browser.sees("Weightage", "Can lead", inside=".detail")
    browser.press("ENTER")
    for table, words in (("#topology", "Last sign of life"), (".chart", "Round")):
        browser.click("Table", inside=table)
        browser.sees(words, inside=f"{table} table")
    browser.click("Picture", inside="#topology")
    browser.click("Chart", inside=".chart")


def test_a_round_tells_its_events(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Merged", inside="#rounds")
    browser.click("2", kind="#rounds button.link")
    browser.sees("Round 2", "Checked in", "Merge accepted", "Checked by", inside="#rounds .detail")
    browser.click("block", inside="#rounds .detail")
    browser.sees("Ledger", "State root", "Proposer")


def test_a_dead_node_is_named(stage, browser):
    begin_anew(browser)
    stage.swarm.close_gate()
    execute(browser)
    stage.swarm.wait_at_gate(0, 1, 2, 3)
    victim = until(lambda: stage.swarm.swops[0].process_of("sl"), "the process of an SL")
    os.kill(victim, signal.SIGSTOP)
    try:
        browser.go("overview")
        browser.sees("no sign of life", inside="#waits")
        take_pictures(browser, "overview")
        browser.go("training", CONTRACT)
        browser.until(lambda: browser.count(".topology .sl.is-bad") == 1, "one dead SL")
        take_pictures(browser, "training")
    finally:
        os.kill(victim, signal.SIGCONT)
    stage.swarm.open_gate()
    browser.sees("Complete")
    browser.go("taskrunners")
    browser.sees("4 of 4 complete")


def test_runs_are_compared_and_exported(stage, browser):
    browser.go("runs")
    browser.sees(f"{CONTRACT} #1", f"{CONTRACT} #2")
    browser.run("document.querySelectorAll('main table input[type=checkbox]').forEach((each) => each.click())")
    browser.sees("Compared", "Least peers", f"{CONTRACT} #1", inside="#compared")
    browser.click("At round", inside="#compared")
    browser.sees("(round 1)", inside="#compared")
    browser.click("CSV")
    browser.click("JSON")
    files = [stage.swarm.folder / "runs.csv", stage.swarm.folder / "runs.json"]
    until(lambda: all(file.is_file() for file in files), "both files")
    rows = list(csv.DictReader(files[0].open(newline="")))
    assert {row["contract"] for row in rows} == {CONTRACT}
    runs = json.loads(files[1].read_text())["runs"]
    assert [str(run["generation"]) for run in runs] == [row["generation"] for row in rows]


def test_texts_are_text_whatever_they_hold(stage, browser):
    """What anybody may write onto the chain, and what a refusal says again."""
    body = {"Tag": "1", "RepoName": "x", "OrgAndReg": "y", "Auth": None}
    task = {
        "Name": "odd", "TaskType": "PULL_IMAGE", "Author": HOSTILE, "Prereq": "ROOTTASK", "Outcome": HOSTILE,
        "Body": body,
    }  # fmt: skip
    browser.go("tasks")
    browser.click("Create a task")
    browser.fill("YAML", json.dumps(task), "dialog")
    give(browser, "Create")
    browser.sees(HOSTILE, "odd", inside="main table")
    browser.go("tasks", "odd")
    browser.sees(HOSTILE, inside=".detail")
    browser.go("contracts")
    browser.click("Create", kind="main button")
    browser.fill("Name", HOSTILE, "dialog")
    browser.click("Create", kind="dialog footer button.primary")
    browser.until(lambda: says(browser.text(".notes"), "is no name for a training"), "the refusal")
    leave_dialog(browser)
    browser.click("Close", inside=".notes")
    assert browser.run("return window.hacked") is None
    assert browser.count("main img, .notes img") == 0


SCREENS = {
    "overview": ["overview"], "training": ["training", CONTRACT], "runs": ["runs"], "contracts": ["contracts"],
    "tasks": ["tasks", "train"], "taskrunners": ["taskrunners"], "nodes": ["nodes"], "ledger": ["ledger"],
}  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS)
def test_everybody_can_use_every_screen(stage, browser, screen):
    try:
        for size in SIZES:
            for theme in THEMES:
                browser.look(size, theme)
                browser.go(*SCREENS[screen])
                until(lambda: "Reading" not in browser.text("main"), f"{screen} to be read")
                browser.settle()
                assert browser.findings() == [], (screen, size, theme)
        if screen not in ("overview", "training"):  # they were taken when there was something to see
            take_pictures(browser, screen)
    finally:
        browser.look("wide", "light")
    assert not browser.complaints()


def test_it_says_what_it_cannot_see(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Complete")
    sns = [stage.swarm.sn, *stage.swarm.others]
    for sn in sns:
        sn.kill9()
    browser.sees("No SN answers.", "What you see was read")
    assert re.search(r"round \d", browser.text()), "what was known last stays"
    stage.page.kill9()
    browser.sees("The page has lost its server.", "It tries again")
    stage.page.start().wait_up()
    # Sessions live as long as the server: the page must not try for ever, and says so.
    browser.sees("Log in again")
