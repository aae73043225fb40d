"""What the second script of the management page brings, in a browser: joining, hosts, logs; and files of merges."""

import os
import shutil
import subprocess
import tempfile

import pytest
from browser import SIZES, THEMES, Browser
from harness import DEFAULT_CONTRACT, inspect_program, until
from launcher.operators import run_task
from launcher.page import Page
from operated import TestSwarm

PICTURES = os.environ.get("SWARM_PAGE_PICTURES")
FAILS = "import sys\nprint('reading patients')\nprint('KeyError: patient 7')\nsys.exit(3)\n"

# Each test goes on where the one before it has left the swarm.
pytestmark = pytest.mark.skipif("SWARM_PAGE" not in os.environ, reason="by hand, SWARM_PAGE=1, as test_page.py")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


class Stage:
    """A swarm of which a training is over and a program has failed, its page, and a browser."""

    def __init__(self, folder, certs):
        self.swarm = TestSwarm(folder, certs)
        self.browser = self.page = None
        self.swarm.start_sn()
        (self.swarm.usr / "model").mkdir()
        (self.swarm.usr / "model" / "fails.py").write_text(FAILS)
        self.swarm.add_trainers(2)
        self.swarm.make_training(MIN_PEERS=2, SYNCS=2)
        shared = [("/platform/swarm/usr/model", "/tmp/test/model")]
        self.swarm.make_task(run_task("fails", "model/fails.py", shared=shared))
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


def easy_to_use(browser, name, inside="main"):
    """In every size and theme; the page itself has no complaints. Takes pictures, if somebody wants them."""
    try:
        for size in SIZES:
            for theme in THEMES:
                browser.look(size, theme)
                until(lambda: "Reading" not in browser.text(inside), "everything to be read")
                browser.settle()
                assert browser.findings() == [], (size, theme)
                if PICTURES:
                    browser.picture(f"{PICTURES}/{name}-{theme}-{size}.webp")
    finally:
        browser.look("wide", "light")
    assert not browser.complaints()


def test_a_host_starts_pairs_by_a_task(stage, browser):
    browser.go("hosts")
    browser.sees("swop-1", "2 pairs", "sn-1", "validator")
    easy_to_use(browser, "hosts")
    browser.click("Start pairs")
    browser.sees("To start pairs on swop-1")
    browser.click("train", kind="main table a")
    browser.click("Execute", inside=".detail")
    assert browser.run("return document.querySelectorAll('dialog select')[1].selectedOptions[0].text") == "swop-1"
    browser.click("Execute", kind="dialog footer button.primary")
    browser.go("hosts")
    browser.sees("Stop by a reset")
    browser.go("training", DEFAULT_CONTRACT)
    browser.sees("Complete")


def test_proof_and_model_of_a_merge_are_saved(stage, browser):
    folder = stage.swarm.folder
    browser.sees("Merged", inside="#rounds")
    # What is drawn anew while it is clicked at may miss a click.
    until(lambda: browser.count("#rounds .detail") or browser.click("1", kind="#rounds button.link"), "round 1")
    browser.sees("Merge accepted", inside="#rounds .detail")
    browser.click("Proof: round 1", inside="#rounds .detail")
    proof = folder / f"{DEFAULT_CONTRACT}-1-proof.json"
    until(proof.is_file, "the proof")
    trust = ["--genesis", stage.swarm.sn.admin("chain")["genesis"]]
    done = run(inspect_program(), "verify", proof, *trust)
    assert done.returncode == 0 and "round 1" in done.stdout, done.stderr
    browser.click("Model: round 1", inside="#rounds .detail")
    # Its SLs may have ended with their programs: then it is said why there is none.
    model = folder / f"{DEFAULT_CONTRACT}-1.safetensors"
    until(lambda: model.is_file() or "no peer serves the model" in browser.text(".notes"), "the model")
    browser.click("Verification", inside="#parameters")
    browser.fill("Merges are verified", "behind", "dialog")
    browser.click("Set", kind="dialog footer button.primary")
    browser.sees("nobody", inside=".notes")  # the contract's words: this contract has no owner
    browser.press("ESCAPE")


def test_a_node_is_added_by_a_bundle(stage, browser):
    browser.go("nodes")
    browser.click("Add a node")
    browser.fill("Name", "sl-9", "dialog")
    browser.fill("Host", "10.0.0.9", "dialog")
    script = until(lambda: browser.run("return document.querySelector('dialog textarea')?.value"), "the bundle")
    for words in ("sl-9", "10.0.0.9", f"{stage.swarm.sn.port}", "BEGIN CERTIFICATE", "swarmd --profile node.yaml"):
        assert words in script
    assert "PRIVATE" not in script
    browser.click("SWOP", inside="dialog .choice")
    browser.sees("Choose a taskrunner.", inside="dialog")
    browser.fill("Taskrunner", "defaulttaskbb.taskdb.sml.hpe", "dialog")
    easy_to_use(browser, "join", "dialog")
    browser.click("Save", kind="dialog .bundle-tools button")
    file = stage.swarm.folder / "join-sl-9.sh"
    until(file.is_file, "the bundle as a file")
    assert "slnodedef" in file.read_text()
    browser.press("ESCAPE")


def test_logs_follow_and_are_searched(stage, browser):
    browser.go("logs")
    browser.sees("No program has failed")
    stage.swarm.assign("fails", "WITH 1 PEERS")
    browser.sees("reading patients", "KeyError: patient 7")
    browser.fill("Find in lines", "keyerror")
    until(lambda: "reading patients" not in browser.text("main pre"), "one line")
    browser.fill("Find in lines", "")
    browser.sees("This swarmd", "watches, as operator")
    easy_to_use(browser, "logs")
