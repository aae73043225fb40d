"""An SN that the SWOP of a host offers is started and stopped from the management page."""

import shutil
import tempfile

import pytest
from browser import Browser
from harness import until
from launcher.chain import Chain
from launcher.operators import sn_definition, swop_profile
from launcher.page import Page
from launcher.processes import free_port
from operated import TestSwarm
from paged import give


class Stage:
    """One SN, a SWOP that offers another one, the page, and a browser that has logged in."""

    def __init__(self, folder, certs):
        self.swarm = TestSwarm(folder, certs)
        self.browser = self.page = None
        self.port = free_port()
        self.sn = self.swarm.start_sn()
        self.swop = self.swarm.add_swop({**swop_profile([]), "snnodes": [sn_definition(certs, "sn-2", self.port)]})
        self.page = Page(folder, certs, self.sn.port)
        self.page.start().wait_up()
        self.browser = Browser(folder)
        self.browser.open(f"https://{self.page.host}{self.page.link()}")

    def clean_up(self):
        if self.browser:
            self.browser.quit()
        if self.page:
            self.page.clean_up()
        self.swarm.clean_up()


@pytest.fixture
def stage(certs, request):
    folder = tempfile.mkdtemp(prefix="swarmd-page-")
    made = Stage(folder, certs)
    yield made
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(made.swarm.report(), made.browser.text())
    made.clean_up()
    shutil.rmtree(folder, ignore_errors=True)


def test_an_sn_is_started_and_stopped_on_its_host(stage, certs):
    browser, other = stage.browser, Chain(stage.port, certs, reader="sn-2")
    offered = ".host-nodes[aria-label='SNs that swop-1 can start']"
    browser.go("hosts")
    browser.sees("sn-2", "does not run", inside=offered)
    browser.click("Start: sn-2")
    give(browser, "Start")
    browser.sees("runs", inside=offered)
    browser.go("nodes")
    browser.sees("sn-1", "sn-2", inside="#all-nodes")
    until(lambda: stage.swop.process_of("sn", "sn-2") and other.block_num() == stage.sn.block_num(), "it to have all")
    browser.go("taskrunners")
    browser.sees("start-sn-2-1", "Complete")
    browser.go("hosts")
    browser.sees("runs", inside=offered)
    browser.click("Stop: sn-2")
    browser.sees("is reset, which has done start-sn-2-1", inside="dialog")
    give(browser, "Stop")
    browser.sees("does not run", inside=offered)
    assert stage.swop.process_of("sn", "sn-2") is None
    browser.go("tasks", "stop-sn-2-1")
    browser.sees("State : STOPPED", inside=".detail")
    assert not browser.findings() and not browser.complaints()
