"""Two of eight programs send models that are none, as `examples/digits/hostile.py` has them learn to read digits."""

import argparse
import sys

import pytest
from harness import ROOT

sys.path.append(str(ROOT / "examples/digits"))
import hostile


@pytest.mark.parametrize("method, holds", [("mean", False), ("coordmedian", True)])
def test_two_of_eight_send_what_they_learnt_a_hundred_times(certs, method, holds):
    args = argparse.Namespace(rounds=6, one_sided=False)
    accuracy = hostile.run_swarm(certs, args, method, "scaled")
    assert accuracy > 0.8 if holds else accuracy < 0.3  # a tenth is what a guess has
