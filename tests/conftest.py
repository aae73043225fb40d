"""In which order files come when several are tested beside each other."""

import pathlib

# Those that take longest, so that none of them is what all others have to be waited for. The longest begin.
LONGEST = (
    "test_demo", "test_operator_patterns", "test_containers", "test_examples", "test_check_programs", "test_reentry",
    "test_container_networks", "test_network", "test_bench", "test_operator_kills", "test_page",
    "test_reverse_proxy",
)  # fmt: skip


def places(files):
    """The place of each file: the longest first, then files of all folders in turn, as those of `python` mostly compute
    and those of `integration` mostly wait."""
    long = [path for name in LONGEST for path in files if path.stem == name]
    of_folder = {}
    for path in files:
        if path not in long:
            of_folder.setdefault(path.parent, []).append(path)
    spread = {path: place / len(each) for each in of_folder.values() for place, path in enumerate(each)}
    return {path: place for place, path in enumerate([*long, *sorted(spread, key=spread.get)])}


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):  # else files come as they were named
        place = places(list(dict.fromkeys(pathlib.Path(item.path) for item in items)))
        items.sort(key=lambda item: place[pathlib.Path(item.path)])
