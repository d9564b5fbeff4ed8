"""The chronicle: everything that happened, in its order, and its digest."""

import asyncio
from hashlib import sha256
from typing import Final

_KEPT: Final = 200_000


class Chronicle:
    """Lines with their virtual time. Two runs are the same where their digests are."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lines: list[str] = []
        self._loop = loop
        self._hash = sha256()

    def note(self, text: str) -> None:
        """Something has happened."""
        line = f"{self._loop.time():.6f} {text}"
        self._hash.update(line.encode())
        if len(self.lines) < _KEPT:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """Of all lines so far."""
        return self._hash.hexdigest()
