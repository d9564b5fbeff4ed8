"""Fixtures: one sandbox for all tests that only pay through it, with short deadlines."""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings

from running import Merchant, Sandbox

settings.register_profile("netvalve", deadline=None)  # speed is measured in bench/, never here
settings.load_profile("netvalve")

SHORT = {
    "charge_deadline_s": 1.5,
    "follow_up_deadline_s": 1.2,
    "turn_wait_s": 0.6,
    "inquiries_waiting_max": 200,
}
"""For tests in which a bank stays silent, or many ask at once."""


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox; every test uses orders of its own."""
    with Sandbox(tmp_path_factory.mktemp("sandbox"), **SHORT) as running:
        yield running


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client with the sandbox's API key."""
    with sandbox.client() as client:
        yield client


@pytest.fixture
def shop(http: httpx.Client) -> Merchant:
    """A merchant's program."""
    return Merchant(http)
