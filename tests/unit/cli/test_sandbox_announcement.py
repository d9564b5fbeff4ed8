"""The sandbox tells what it has to tell, and does not depend on being heard."""

import asyncio
import sys
from typing import Any

import pytest

from netvalve.cli.sandbox.announcement import tell
from netvalve.cli.sandbox.session import _stop_when_ended


class Broken:
    """A stream whose reader has gone."""

    def write(self, _text: Any) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


class EndedBank:
    """A bank that has died."""

    async def ended(self) -> int:
        return 3


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_line_that_nobody_takes_is_dropped(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, stream, Broken())
    tell("line", error=stream == "stderr")


async def test_sandbox_stops_with_its_bank_though_nobody_hears_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    stop = asyncio.Event()
    await _stop_when_ended(EndedBank(), stop)  # type: ignore[arg-type]  # only its end is asked for
    assert stop.is_set()
