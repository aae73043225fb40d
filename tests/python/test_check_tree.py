"""The check of the tree finds what is too long."""

import importlib.machinery
import importlib.util
import os
import pathlib

import pytest
from repository import ROOT

BODY = "  if (a) {\n    b();\n  }\n"


@pytest.fixture
def found(tmp_path):
    path = os.path.join(ROOT, "tools/check/check_tree")
    loader = importlib.machinery.SourceFileLoader("check_tree", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_tree", loader))
    loader.exec_module(module)
    module.ROOT = tmp_path
    (tmp_path / "README.md").write_text("# here\n")

    def findings(name, text):
        (tmp_path / name).write_text(text)
        return list(module.findings([pathlib.PurePath(name)]))

    return findings


@pytest.mark.parametrize(
    "head, end",
    [
        ("void f() {", "}"),
        ("int a::f(int b,\n         int c) const {", "}"),
        ("a::a(int b)\n    : b_{b} {", "}"),
        ('TEST_CASE("f {") {', "}"),
        ("namespace a {\nclass b {\n  void f() {", "  }\n};\n}"),
    ],
)
def test_long_functions_are_found(found, head, end):
    lines = 70 - 2
    indented = "\n".join("  " + line for line in BODY.splitlines()) + "\n" if end.startswith(" ") else BODY
    body = indented * (lines // 3) + "    c();\n" * (lines % 3)
    assert found("a.cpp", f"{head}\n{body}{end}\n") == []
    (finding,) = found("a.cpp", f"{head}\n{body}    c();\n{end}\n")
    assert "begins a function of 71 lines" in finding


def test_tables_types_and_short_functions_are_left_alone(found):
    table = "const std::map<int, int> table{\n" + "    {1, 2},\n" * 100 + "};\n"
    record = "struct record {\n" + "  int a() { return 1; }\n  int b() {\n    return 2;\n  }\n" * 50 + "};\n"
    assert found("a.hpp", table + record) == []


def test_long_functions_in_python_are_found(found):
    (finding,) = found("a.py", "def f():\n" + "    pass\n" * 70)
    assert finding.startswith("a.py:1 begins a function of 71 lines")
    assert found("a.py", "def f():\n" + "    pass\n" * 69) == []


@pytest.mark.parametrize(
    "name, described",
    [("examples/x/model/a.py", True), ("examples/x/a.py", False), ("a/model/a.py", False), ("a/testing/b.py", True)],
)
def test_folders_of_code_have_a_readme(found, tmp_path, name, described):
    (tmp_path / name).parent.mkdir(parents=True)
    assert (found(name, "") == []) is described
