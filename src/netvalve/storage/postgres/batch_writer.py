"""One journal writer: batches as single statements, and a look-up where a commit's answer is lost.

A batch is one statement that commits by itself. It writes its number and a verdict for each item
into the writer's own row of `batches`, in that same commit. When the connection breaks in between,
the next connection takes the row over, under a new session: it waits for whatever the old one has
still under way, shuts it out for ever, and reads whether its batch is there, and with which
verdicts. Nothing is guessed, and nothing is written twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import asyncpg

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.group_commit import GroupCommit, QueueFull, WriterDied, WriterStopped
from netvalve.storage.postgres.connection import (
    OF_BATCHES,
    Fate,
    connect,
    fate_of,
)
from netvalve.storage.postgres.rounds import Names, groups_of_rivals, next_round

ANSWER_S: Final = 5.0
"""How long the server may take over one batch; then the connection counts as lost."""
_TRIES: Final = 8
_PAUSE_AFTER_OTHERS_S: Final = 0.005
"""More with each try in which somebody else wrote first."""
_PAUSE_S: Final = 0.25
"""Between two attempts to connect: whoever writes meanwhile is refused at once."""
_BRIEF_S: Final = 10.0
"""How long no batch waits long for rows, after one has found somebody else's lock on its own."""
_WAIT_BRIEFLY: Final = "SET lock_timeout = '100ms'"
_WAIT_AS_EVER: Final = "RESET lock_timeout"

_TAKE_SESSION: Final = """
UPDATE batches SET session = session + 1 WHERE epoch = $1 AND writer = $2
RETURNING session, batch, verdicts
"""

Item = TypeVar("Item")
Result = TypeVar("Result")
_Taken_contra = TypeVar("_Taken_contra", contravariant=True)
_Given = TypeVar("_Given")

Call = tuple[str, Sequence[Any]]
"""A statement's text and its own parameters."""


class Statement(Names[_Taken_contra], Protocol[_Taken_contra, _Given]):
    """What one kind of batch is, as SQL.

    Its first four parameters are the epoch, the writer's name, the session and the batch's number;
    its answer is a digit for each item, or nothing where the session is over.
    """

    writer: str

    def call(self, items: Sequence[_Taken_contra]) -> Call:
        """The text, and the parameters after the first four."""

    def withdrawn(self, item: _Taken_contra) -> _Given | None:
        """The result of an item that nobody wants any more; None for one to be written."""

    def result(self, item: _Taken_contra, verdict: str) -> _Given | Exception:
        """What a digit means for an item."""

    def follows(self, item: _Taken_contra, leader: _Taken_contra, result: _Given) -> _Given | None:
        """What is certain of an item once another one that it waited for has its result."""

    def looks_again(self, item: _Taken_contra, verdict: str) -> bool:
        """Whether a refusal may be due to a lock's wait alone, and is to be judged once more."""


@dataclass(slots=True)
class _Doubt(Generic[Item, Result]):
    """A batch whose answer was lost, until it has been looked up."""

    batch: int
    items: Sequence[Item]
    settled: "asyncio.Future[Sequence[Result | Exception]]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass(frozen=True, slots=True)
class _Doubtful(Generic[Item, Result]):
    """The place of one item in a batch that is in doubt."""

    doubt: _Doubt[Item, Result]
    index: int


Answer: TypeAlias = _Doubtful[Item, Result] | Result | Exception
"""What is known of an item: its result, that it failed, or nothing yet."""


class BatchWriter(Generic[Item, Result]):
    """Takes items from many callers and makes them durable in groups."""

    def __init__(
        self,
        database_url: str,
        epoch: int,
        statement: Statement[Item, Result],
        *,
        batch_max: int,
        waiting_max: int,
        observe: Callable[[int, float], None] | None = None,
        on_death: Callable[[], None] | None = None,
    ) -> None:
        self._database_url, self._epoch, self._statement = database_url, epoch, statement
        self._connection: asyncpg.Connection | None = None
        self._connecting = asyncio.Lock()
        self._again_at_s = self._brief_until_s = 0.0
        self._brief = False
        self._session = self._batch = 0
        self._on_death = on_death
        self._doubt: _Doubt[Item, Result] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._group: GroupCommit[Item, Result | _Doubtful[Item, Result]] = GroupCommit(
            self._write_batch,
            batch_max=batch_max,
            waiting_max=waiting_max,
            observe=observe,
            on_death=on_death,
        )
        self._group.start()

    async def write(self, item: Item) -> Result:
        """Write one item with the next batch; returns when it is durable.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost, and could not be looked up.
        """
        try:
            result = await self._group.submit(item)
        except WriterDied as error:
            raise StoreUncertain(str(error)) from error
        except (QueueFull, WriterStopped) as error:
            raise StoreUnavailable(str(error)) from error
        if not isinstance(result, _Doubtful):
            return result
        settled = (await asyncio.shield(result.doubt.settled))[result.index]
        if isinstance(settled, Exception):
            raise settled
        return settled

    async def stop(self) -> None:
        """Write what waits and close the connection."""
        await self._group.stop()
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
        if self._doubt is not None:
            self._settle([StoreUncertain("the writer was stopped")] * len(self._doubt.items))
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _write_batch(self, items: Sequence[Item]) -> Sequence[Answer[Item, Result]]:
        answers: dict[int, Answer[Item, Result]] = {}
        waiting: Sequence[int] = range(len(items))
        while waiting:
            answers |= self._withdrawn(items, waiting)
            wanted = [place for place in waiting if place not in answers]
            chosen, left = next_round(items, wanted, self._statement)
            given = await self._judged([items[place] for place in chosen]) if chosen else ()
            answers |= zip(chosen, given, strict=True)
            answers |= self._followed(items, left, answers)
            waiting = [place for place, _ in left if place not in answers]
        return [answers[place] for place in range(len(items))]

    def _withdrawn(self, items: Sequence[Item], waiting: Iterable[int]) -> dict[int, Result]:
        asked = ((place, self._statement.withdrawn(items[place])) for place in waiting)
        return {place: result for place, result in asked if result is not None}

    def _followed(
        self,
        items: Sequence[Item],
        left: Iterable[tuple[int, int | None]],
        answers: Mapping[int, Answer[Item, Result]],
    ) -> dict[int, Result | StoreUnavailable]:
        """What is certain of those who wait on; where nothing can be written none is tried."""
        followed: dict[int, Result | StoreUnavailable] = {}
        undecided: set[int] = set()
        for place, leader in left:
            if leader is None or leader in undecided:
                continue
            certain = self._certain(items[place], items[leader], answers[leader])
            if certain is None:
                undecided.add(leader)
            else:
                followed[place] = certain
        return followed

    def _certain(
        self, item: Item, leader: Item, answer: Answer[Item, Result]
    ) -> Result | StoreUnavailable | None:
        match answer:
            case StoreUnavailable():
                return answer
            case Exception() | _Doubtful():
                return None
        return self._statement.follows(item, leader, answer)

    async def _judged(  # noqa: PLR0911  # one way out for each fate of a batch
        self, items: Sequence[Item], *, again: bool = True
    ) -> Sequence[Answer[Item, Result]]:
        """Judged and written in one commit; judged anew where somebody else wrote first."""
        try:
            call = self._statement.call(items)
        except Exception as error:  # noqa: BLE001  # an item that makes no sense fails alone
            return await self._one_by_one(items, error)
        failure: Exception | None = None
        for turn in range(_TRIES):
            try:
                verdicts = await self._asked(await self._connected(), call)
            except StoreUnavailable as error:
                return [error] * len(items)
            except Exception as error:  # noqa: BLE001  # each is sorted by what became of the batch
                match fate_of(error):
                    case Fate.MOVED_ON:
                        failure = error
                        await asyncio.sleep(turn * _PAUSE_AFTER_OTHERS_S)
                        continue
                    case Fate.LOST:
                        return self._in_doubt(items)
                    case Fate.REFUSED if self._found_locked(error) and (
                        len(groups := groups_of_rivals(items, self._statement)) > 1
                    ):
                        return await self._apart(items, groups)
                    case Fate.REFUSED:
                        refused = StoreUnavailable(f"the store cannot write: {error}")
                        self._give_up_where_read_only(error)
                        return [refused] * len(items)
                return await self._one_by_one(items, error)
            if verdicts is None:
                self._give_up()
                continue
            return await self._results(items, verdicts, again=again)
        return await self._one_by_one(items, failure or StoreUnavailable("no session lasts"))

    async def _one_by_one(
        self, items: Sequence[Item], failure: Exception
    ) -> Sequence[Answer[Item, Result]]:
        """Each by itself, after all of them together have failed."""
        if len(items) > 1:
            return await self._apart(items, [[place] for place in range(len(items))])
        if isinstance(failure, asyncpg.DeadlockDetectedError | asyncpg.SerializationError):
            return [StoreUnavailable("others wrote first, again and again")]
        return [failure]

    async def _apart(
        self, items: Sequence[Item], groups: Iterable[Sequence[int]]
    ) -> Sequence[Answer[Item, Result]]:
        """Each group by itself."""
        answers: dict[int, Answer[Item, Result]] = {}
        for group in groups:
            given = await self._judged([items[place] for place in group])
            answers |= zip(group, given, strict=True)
        return [answers[place] for place in range(len(items))]

    async def _results(
        self, items: Sequence[Item], verdicts: str, *, again: bool
    ) -> Sequence[Answer[Item, Result]]:
        """What the verdicts mean; nothing of a refused item was written, so it may ask again."""
        statement = self._statement
        results: list[Answer[Item, Result]] = list(map(statement.result, items, verdicts))
        looking = map(statement.looks_again, items, verdicts)
        places = [place for place, looks in enumerate(looking) if looks and again]
        if places:
            answers = await self._judged([items[place] for place in places], again=False)
            for place, answer in zip(places, answers, strict=True):
                results[place] = answer
        return results

    async def _asked(self, connection: asyncpg.Connection, call: Call) -> str | None:
        """The verdicts; None where the session is over and nothing was written."""
        text, arguments = call
        self._batch += 1
        about = (self._epoch, self._statement.writer, self._session, self._batch)
        timer = asyncio.get_running_loop().call_later(ANSWER_S, connection.terminate)
        try:
            await self._be_brief(connection)
            verdicts: str | None = await connection.fetchval(text, *about, *arguments)
        finally:
            timer.cancel()
        return verdicts

    async def _connected(self) -> asyncpg.Connection:
        """The connection, with a session of its own; what was in doubt is settled by then.

        Raises:
            StoreUnavailable: there is none to be had now.
        """
        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            now_s = asyncio.get_running_loop().time()
            if now_s < self._again_at_s:
                raise StoreUnavailable("the store cannot be reached")
            try:
                self._connection = await self._took_over()
            except StoreUnavailable:
                raise
            except Exception as error:  # whatever it is, no batch has been sent
                self._again_at_s = asyncio.get_running_loop().time() + _PAUSE_S
                raise StoreUnavailable(f"the store cannot be reached: {error!r}") from error
            return self._connection

    async def _took_over(self) -> asyncpg.Connection:
        purpose = f"journal {self._statement.writer}"
        connection = await connect(self._database_url, purpose, **OF_BATCHES)
        timer = asyncio.get_running_loop().call_later(ANSWER_S, connection.terminate)
        try:
            row = await connection.fetchrow(_TAKE_SESSION, self._epoch, self._statement.writer)
        except BaseException:
            connection.terminate()
            raise
        finally:
            timer.cancel()
        if row is None:
            connection.terminate()
            self._place_is_gone()
            raise StoreUnavailable("this gateway's place at the store is gone")
        self._session, batch, verdicts = row
        self._brief = False
        if self._doubt is not None:
            self._settle(self._looked_up(self._doubt, batch, verdicts))
        return connection

    def _place_is_gone(self) -> None:
        """Nobody renewed its lease for a day, and it was forgotten: it must join anew."""
        self._again_at_s = asyncio.get_running_loop().time() + _PAUSE_S
        if self._on_death is not None:
            self._on_death()

    def _looked_up(
        self, doubt: _Doubt[Item, Result], batch: int, verdicts: str
    ) -> Sequence[Result | Exception]:
        if batch != doubt.batch:
            lost = StoreUnavailable("the store broke before it had written")
            return [lost] * len(doubt.items)
        return list(map(self._statement.result, doubt.items, verdicts))

    def _in_doubt(self, items: Sequence[Item]) -> Sequence[_Doubtful[Item, Result]]:
        """Leave a batch until the next connection tells what became of it."""
        self._give_up()
        doubt = self._doubt = _Doubt(self._batch, items)
        self._settling = asyncio.create_task(self._reach_again(), name="journal look-up")
        return [_Doubtful(doubt, index) for index in range(len(items))]

    async def _reach_again(self) -> None:
        while self._doubt is not None:
            try:
                await self._connected()
            except Exception:  # noqa: BLE001  # whatever keeps it away, the doubt must end
                await asyncio.sleep(_PAUSE_S)

    def _settle(self, results: Sequence[Result | Exception]) -> None:
        doubt, self._doubt = self._doubt, None
        if doubt is not None and not doubt.settled.done():
            doubt.settled.set_result(results)

    def _give_up_where_read_only(self, error: Exception) -> None:
        """A server that has become a standby is left for the one that took its place."""
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            self._give_up()

    def _found_locked(self, error: Exception) -> bool:
        """Whether a batch has waited for a row in vain; for a while none waits that long again."""
        locked = isinstance(error, asyncpg.LockNotAvailableError)
        if locked:
            self._brief_until_s = asyncio.get_running_loop().time() + _BRIEF_S
        return locked

    async def _be_brief(self, connection: asyncpg.Connection) -> None:
        """Let the server wait for rows as long as is right now."""
        brief = asyncio.get_running_loop().time() < self._brief_until_s
        if brief != self._brief:
            await connection.execute(_WAIT_BRIEFLY if brief else _WAIT_AS_EVER)
            self._brief = brief

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
