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


@pytest.mark.parametrize(
    "line",
    [
        "#include <caf/all.hpp>",
        "#include <boost/asio.hpp>",
        "#include <rocksdb/db.h>",
        "#include <fstream>",
        "#include <iostream>",
        "#include <filesystem>",
        "#include <thread>",
        "#include <mutex>",
        "#include <fcntl.h>",
        "#include <unistd.h>",
        "#include <sys/stat.h>",
        '#include "base/log.hpp"',
        '#include "base/file.hpp"',
        "  const auto now = std::chrono::steady_clock::now();",
        "  return system_clock::now().time_since_epoch();",
        "  header.timestamp = unix_seconds();",
    ],
)
@pytest.mark.parametrize(
    "folder",
    [
        "actors/sl/rounds",
        "actors/sn/membership/machine",
        "actors/supervision/machine",
        "contracts/training",
        "ledger/consensus",
        "ledger/formats",
        "ledger/sync",
        "merge/methods",
        "merge/model",
    ],
)
def test_pure_folders_do_no_io_and_read_no_clock(check, folder, line):
    found = check(f"{folder}/a.cpp", f"// fine\n{line}\n")
    assert any(number == 2 and " is pure and may not " in text for number, text in found)
    # Tests of a pure folder may do what they like within their layer.
    for name in (f"{folder}/a.test.cpp", f"{folder}/testing/a.hpp"):
        assert not any(" is pure and " in text for _, text in check(name, f"// fine\n{line}\n"))


@pytest.mark.parametrize(
    "name, line",
    [
        ("actors/sl/rounds/a.cpp", "#include <boost/json.hpp>"),
        ("actors/sl/rounds/a.cpp", "#include <chrono>"),
        ("actors/sl/rounds/a.cpp", '#include "contracts/training/client.hpp"'),
        ("actors/sl/rounds/a.cpp", "// The shell hands in steady_clock::now()."),
        ("merge/methods/a.cpp", "#include <tbb/parallel_for.h>"),
        ("ledger/sync/a.cpp", '#include "ledger/proof/trust.hpp"'),
        ("actors/sl/follower/a.cpp", "  return std::chrono::steady_clock::now();"),
    ],
)
def test_what_pure_folders_may_use(check, name, line):
    assert check(name, line + "\n") == []


@pytest.mark.parametrize(
    "name, include",
    [
        ("actors/sl/rounds/a.cpp", '"actors/sl/messages.hpp"'),
        ("actors/supervision/machine/a.cpp", '"actors/supervision/role_actor.hpp"'),
        ("ledger/formats/a.cpp", '"ledger/state/trie.hpp"'),
        ("ledger/sync/a.cpp", '"ledger/chain/chain.hpp"'),
    ],
)
def test_pure_folders_stand_on_pure_folders(check, name, include):
    assert "may not include" in check(name, f"#include {include}\n")[0][1]
