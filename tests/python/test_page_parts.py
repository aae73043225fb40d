"""The pure parts of the management page: ui/test, by Node's own test runner."""
import pathlib
import re
import shutil
import subprocess

import pytest

UI = pathlib.Path(__file__).resolve().parents[2] / "ui"


def page_tools() -> None:
    """Skips where ./run has not brought what the page is built with."""
    if not shutil.which("node") or not (UI / "node_modules/esbuild").is_dir():
        pytest.skip("Node.js or the packages of ui/ are not there (./run deps test)")


def test_pure_parts_of_the_page() -> None:
    page_tools()
    made = subprocess.run(["npm", "test", "--silent"], cwd=UI, capture_output=True, text=True, timeout=300, check=False)
    passed = re.search(r"^(?:#|ℹ) pass (\d+)$", made.stdout, re.MULTILINE)
    assert made.returncode == 0, f"{made.stdout[-4000:]}\n{made.stderr[-2000:]}"
    assert passed and int(passed[1]) >= 30, made.stdout[-2000:]


def test_page_is_small_and_needs_nobody_else() -> None:
    page_tools()
    made = subprocess.run(["node", "build.mjs"], cwd=UI, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr  # it fails over 60 kB at first
    dist = UI / "dist"
    page = (dist / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) >= 4 and all((dist / name).is_file() for name in named), "what it names lies beside it"
    scripts = {path.name for path in dist.glob("*.js")}
    assert scripts - set(named), "what only few need comes later"
    assert "style=" not in page and not re.search(r"<script[^>]*>[^<]", page), "its own content policy forbids these"
    # Namespaces of SVG and MathML are names, and nobody fetches them; nor an example in a form's help.
    text = "".join((dist / name).read_text(encoding="utf-8") for name in {*named, *scripts})
    elsewhere = set(re.findall(r"""["'(](?:https?:)?//[^"')\s]+""", text))
    assert all("www.w3.org/" in each or "//example.org/" in each for each in elsewhere), elsewhere


def test_page_makes_no_markup_of_texts() -> None:
    made = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|ContextualFragment|\beval\b")
    sources = [path for path in (UI / "src").rglob("*.ts*") if path.suffix in {".ts", ".tsx"}]
    found = [path.name for path in sources if made.search(path.read_text(encoding="utf-8"))]
    assert len(sources) > 20 and not found, found
