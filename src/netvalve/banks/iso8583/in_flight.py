"""What has been handed to a connection and waits for its answer."""

import asyncio

from netvalve.banks.iso8583.answers import Answer, MatchKey
from netvalve.domain.bank_message import Answered, NoAnswer

Ending = Answered | NoAnswer
"""How a message that has left can end."""


class InFlight:
    """The messages without an answer, each with the connection it left by.

    An answer counts on whichever connection of the bank it comes in.
    """

    def __init__(self) -> None:
        self._waiting: dict[MatchKey, tuple[asyncio.Future[Ending], object]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: MatchKey) -> bool:
        return key in self._waiting

    def add(self, key: MatchKey, connection: object) -> asyncio.Future[Ending]:
        """The future of a message that is about to leave."""
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future, connection
        return future

    def resolve(self, answer: Answer) -> bool:
        """Ends what the answer belongs to; False where nothing waits for it."""
        return self._end(answer.key, answer.answered)

    def give_up(self, key: MatchKey, reason: str) -> None:
        """Ends a message without an answer."""
        self._end(key, NoAnswer(reason))

    def forget(self, key: MatchKey, future: asyncio.Future[Ending]) -> None:
        """Stops waiting, where it is still this future that waits: nobody listens to it."""
        if self._waiting.get(key, (None, None))[0] is future:
            del self._waiting[key]

    def connection_lost(self, connection: object, reason: str) -> None:
        """Ends what left by a connection: its answers will not come."""
        for key in [key for key, (_, by) in self._waiting.items() if by is connection]:
            self.give_up(key, reason)

    async def ended(self) -> None:
        """Waits until all that waits now has ended."""
        if self._waiting:
            await asyncio.wait([future for future, _ in self._waiting.values()])

    def stop(self, reason: str) -> None:
        """Ends all that waits."""
        for key in tuple(self._waiting):
            self.give_up(key, reason)

    def _end(self, key: MatchKey, ending: Ending) -> bool:
        future, _ = self._waiting.pop(key, (None, None))
        if future is None or future.done():
            return False
        future.set_result(ending)
        return True
