"""A headless Chromium that looks at the management page as a person does: by what is written there, and by keyboard."""

import base64
import os
import pathlib
import shutil
import time

import pytest
from harness import PATIENCE, ROOT, Failure, until

AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
SIZES = {"wide": (1280, 900), "narrow": (360, 780)}
THEMES = ("light", "dark")
# Each script finds its element anew and acts on it at once, as the page may have another one in its place soon.
#
# The element that carries these words, or this label, and can be seen.
FIND = """
const seen = (e) => e.checkVisibility() && !e.closest("[aria-hidden=true]");
const text = (e) => (e.getAttribute("aria-label") || e.textContent).replace(/\\s+/g, " ").trim();
const usable = (e) => e && !e.matches(":disabled, [aria-disabled=true]");
const find = (words, kind, inside) => {
  const root = inside ? document.querySelector(inside) : document;
  if (!root) return null;
  const all = (selector) => [...root.querySelectorAll(selector)].filter(seen);
  if (kind === "field") {
    const label = all("label").find((e) => (e.querySelector(".field-label") || e).textContent.trim() === words);
    return label ? label.querySelector("input, select, textarea") : all(`[aria-label="${CSS.escape(words)}"]`)[0];
  }
  return all(kind).find((e) => text(e) === words) ?? all(kind).find((e) => text(e).startsWith(words));
};
"""
CLICK = FIND + """
const found = find(...arguments);
if (!usable(found)) return false;
found.scrollIntoView({ block: "center" });
found.click();
return true;
"""
FOCUS = FIND + """
const found = find(...arguments);
found?.focus();
return !!found && document.activeElement === found;
"""
# Whether the field has this value; else it is typed, or chosen, as by a person.
FILL = FIND + """
const [label, inside, value] = arguments;
const field = find(label, "field", inside);
if (!usable(field)) return false;
if (field.value === value) return true;
if (field.tagName === "SELECT") {
  if (![...field.options].some((each) => each.value === value)) return false;
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
} else {
  field.focus();
  field.select();
  document.execCommand(value ? "insertText" : "delete", false, value);
}
return false;
"""
# To another screen; over once it is drawn.
GO = """
const [path, done] = arguments;
const hash = "#/" + path.map(encodeURIComponent).join("/");
const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => done()));
if (location.hash === hash) return drawn();
addEventListener("hashchange", drawn, { once: true });
location.hash = hash;
"""
# From the first element on every one that takes the keyboard is noted; gives how many there may be.
BEGIN_TABS = """
const root = document.querySelector("dialog[open]") ?? document.body;
const tabs = root.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
const wanted = [...root.querySelectorAll("a[href], button, input, select, textarea, summary, [role=application]")];
window.tabs = { wanted, reached: new Set(), note: (event) => window.tabs.reached.add(event.target) };
document.addEventListener("focusin", window.tabs.note);
root.tabIndex = -1;
root.focus();
root.removeAttribute("tabindex");
return tabs.length;
"""
# What can be used and has taken no keyboard since, a line each.
LEFT_BY_TABS = """
const { wanted, reached } = window.tabs;
return wanted
  .filter((each) => each.isConnected && each.checkVisibility() && !each.matches(":disabled") && !reached.has(each))
  .map((each) => `${each.tagName} ${(each.getAttribute("aria-label") ?? each.textContent).trim()}`);
"""


def started(make):
    """A busy machine may be too slow for the driver, which gives a browser a minute."""
    from selenium.common.exceptions import SessionNotCreatedException

    for _ in range(2):
        try:
            return make()
        except SessionNotCreatedException as error:
            print(f"the browser did not start: {error.msg}")
    return make()


class Browser:
    def __init__(self, folder):
        if not shutil.which("chromedriver") or not AXE.is_file():
            pytest.skip("no Chromium with its driver, or no packages of ui/ (./run deps test)")
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self.folder = pathlib.Path(folder)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("headless=new", "disable-dev-shm-usage", "hide-scrollbars", "ignore-certificate-errors"):
            options.add_argument(f"--{flag}")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.add_argument(f"--user-data-dir={self.folder / 'browser'}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = started(lambda: webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options))
        self.driver.set_script_timeout(PATIENCE)
        downloads = {"behavior": "allow", "downloadPath": str(self.folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
        self.look("wide", "light")

    def quit(self):
        self.driver.quit()

    def look(self, size, theme):
        """From now on on a screen of this size, and under a system of this theme."""
        width, height = SIZES[size]
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        wanted = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def link(self, **how):
        """From now on its link has this latency, in ms, and these rates, in bytes a second; -1: any."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **how})

    def open(self, address):
        self.driver.get(address)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, what, patience=PATIENCE):
        """The harness's, with what the page says when it was in vain."""
        try:
            return until(condition, what, patience)
        except Failure as failure:
            raise Failure(f"{failure}\nthe page says:\n{self.text()}\n{self.complaints()}") from None

    def go(self, *path):
        """To a screen, as its link in the navigation leads there."""
        self.driver.execute_async_script(GO, [str(part) for part in path])

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length", selector)

    def text(self, inside="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", inside)

    def sees(self, *words, inside="body"):
        """Waits until all of this is to be read."""
        self.until(lambda: all(each in self.text(inside) for each in words), f"the page to say {words}")

    def click(self, words, kind="button, a, summary", inside=None):
        self.until(lambda: self.run(CLICK, words, kind, inside), f"'{words}' to be there and usable")

    def focus(self, words, kind="button, a, summary", inside=None):
        self.until(lambda: self.run(FOCUS, words, kind, inside), f"'{words}' to take the keyboard")

    def fill(self, label, value, inside=None):
        """Types into a field, or chooses in one, until it has this value."""
        self.until(lambda: self.run(FILL, label, inside, str(value)), f"the field '{label}' to take '{value}'")

    def complaints(self):
        """What the browser itself had to say: errors, refusals by the content policy. Of /favicon.ico, which it asks
        for wherever no icon is named, there is none."""
        said = [each["message"] for each in self.driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
        return [message for message in said if "/favicon.ico " not in message]

    def findings(self):
        """Serious and critical findings of axe, a line each, and what is wider than the screen."""
        if not self.run("return !!window.axe"):
            self.run(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {resultTypes: ['violations']}).then((all) => done(all.violations"
            ".filter((each) => ['serious', 'critical'].includes(each.impact))"
            ".map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`)))"
        )
        over = self.run("return document.documentElement.scrollWidth - innerWidth")
        return [*found, *([f"it is {over} px wider than the screen"] if over > 0 else [])]

    def out_of_reach(self):
        """What can be used and is not reached by Tab, a line each; of a dialog that is open, in it."""
        self.settle()
        number = self.run(BEGIN_TABS)
        left = []
        for _ in range(3):  # long tables have more rows as they are walked through
            self.press(*["TAB"] * number)
            if not (left := self.run(LEFT_BY_TABS)):
                break
        return left

    def picture(self, path, whole=True, height_max=2400):
        """A WebP of the page from its top on, or of the part that the screen shows."""
        if whole:
            self.run("scrollTo(0, 0)")
        width, height = self.run("return [innerWidth, innerHeight]")
        if whole:
            height = min(max(height, self.run("return document.documentElement.scrollHeight")), height_max)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        how = {"format": "webp", "quality": 70, "captureBeyondViewport": whole, "clip": clip}
        made = self.driver.execute_cdp_cmd("Page.captureScreenshot", how)
        pathlib.Path(path).write_bytes(base64.b64decode(made["data"]))

    def press(self, *keys):
        """Keys, as from the keyboard, to whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(getattr(Keys, key, key))
        chain.perform()

    def settle(self):
        """Until two frames in a row show the same text."""
        before = None
        while (now := self.text()) != before:
            before = now
            time.sleep(0.1)
