"""The layer check finds what it is there to find."""

import importlib.machinery
import importlib.util
import os

import pytest
from repository import ROOT


@pytest.fixture
def check(tmp_path):
    path = os.path.join(ROOT, "tools/check/check_includes")
    loader = importlib.machinery.SourceFileLoader("check_includes", path)
    spec = importlib.util.spec_from_loader("check_includes", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.ROOT = tmp_path

    def findings(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return [(number, message) for number, message in module.findings_of(file)]

    return findings


@pytest.mark.parametrize(
    "name, include",
    [
        ("base/a.cpp", '"ledger/a.hpp"'),
        ("merge/a.cpp", '"ledger/a.hpp"'),
        ("transport/a.cpp", '"actors/sl/messages.hpp"'),
        ("ledger/formats/a.cpp", '"ledger/store/kv_store.hpp"'),
        ("contracts/a.cpp", "<boost/json.hpp>"),
        ("merge/sub/a.test.cpp", "<caf/all.hpp>"),
        ("ledger/state/a.cpp", "<rocksdb/db.h>"),
        ("transport/a.hpp", "<boost/asio.hpp>"),
        ("config/a.hpp", "<yaml-cpp/yaml.h>"),
        ("actors/sn/membership/machine/a.cpp", "<caf/all.hpp>"),
        ("actors/sn/membership/machine/a.cpp", '"transport/http/http.hpp"'),
        ("actors/sn/membership/machine/a.cpp", '"ledger/chain/chain.hpp"'),
    ],
)
def test_forbidden_includes_are_found(check, name, include):
    found = check(name, f"#pragma once\n#include <vector>\n  #  include {include}\n")
    assert len(found) == 1
    assert found[0][0] == 3
    assert "may not include" in found[0][1] or "too heavy" in found[0][1]


@pytest.mark.parametrize(
    "name, include",
    [
        ("base/a.cpp", '"base/bytes.hpp"'),
        ("ledger/store/a.cpp", "<rocksdb/db.h>"),
        ("transport/detail/a.hpp", "<boost/asio.hpp>"),
        ("transport/a.cpp", "<boost/beast.hpp>"),
        ("actors/a.hpp", "<caf/all.hpp>"),
        ("actors/a.cpp", '"config/options.hpp"'),
        ("config/a.cpp", "<CLI/CLI.hpp>"),
        ("actors/sn/membership/machine/a.cpp", '"contracts/registry/client.hpp"'),
        ("actors/sn/a.cpp", '"actors/sn/membership/machine/events.hpp"'),
    ],
)
def test_right_includes_are_left_alone(check, name, include):
    assert check(name, f"#include {include}\n") == []
