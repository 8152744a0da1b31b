"""Tests that share a server, a browser or a long preparation run in one process of the suite."""

import pytest


@pytest.mark.xdist_group("kept together")
def test_groups_reach_whoever_deals_the_tests_out(request: pytest.FixtureRequest) -> None:
    """It goes by the end of a test's name; without that each process would prepare everything for itself, unseen."""
    dealt_by_group = bool(getattr(request.config.option, "loadgroup", False))
    assert request.node.nodeid.endswith("@kept together") == dealt_by_group
