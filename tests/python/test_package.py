"""The package as it is installed and imported."""

import pathlib
import re
import subprocess
import sys

import pytest
from repository import ROOT

PACKAGE = pathlib.Path(ROOT) / "python" / "swarmlearning"


def test_all_folders_are_installed():
    listed = (PACKAGE.parent / "pyproject.toml").read_text().split("packages = [")[1].split("]")[0]
    with_code = {file.parent.relative_to(PACKAGE.parent) for file in PACKAGE.rglob("*.py")}
    assert set(re.findall(r'"([\w.]+)"', listed)) == {".".join(folder.parts) for folder in with_code}
    assert all((PACKAGE.parent / folder / "__init__.py").exists() for folder in with_code)


@pytest.mark.parametrize("module", ["swarmlearning", "swarmlearning.errors", "swarmlearning._training.callback"])
def test_no_framework_is_imported_unasked(module):
    text = f"import sys, {module}; print(*{{'torch', 'keras', 'transformers', 'lightning'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", text], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
