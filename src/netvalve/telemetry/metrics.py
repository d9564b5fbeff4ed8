"""Metrics for Prometheus, one registry a process, given to whoever counts.

A gauge says what becomes of it where several processes count together: what the store holds is
what was looked up last, what each has of its own is added up or is the worst of all.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from netvalve.domain.backlog import Backlog, Waiting
from netvalve.telemetry.logs import lines_dropped

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LINES_DROPPED = (
    "netvalve_log_lines_dropped",
    "Log lines that found no room: the reader is slow or gone, or the disk is full",
)
"""Name and meaning."""


class _LogLinesDropped(Collector):
    """Asked when the metrics are read, so that the log needs to know none."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The count as of now."""
        yield CounterMetricFamily(*LINES_DROPPED, value=lines_dropped())


class Metrics:
    """Counts what happens. Labels are few and from closed sets: no id, no card, no client."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_LogLinesDropped())
        self._requests = Histogram(
            "netvalve_request_seconds",
            "Time from a request's arrival to its answer",
            ("operation", "status"),
            buckets=_FAST,
            registry=self.registry,
        )
        self._limited = Counter(
            "netvalve_requests_limited",
            "Requests of limited clients: refused, or let through uncounted for want of the store",
            ("result",),
            registry=self.registry,
        )
        self._outcomes = Counter(
            "netvalve_outcomes",
            "Answers by type of transaction and response code",
            ("type", "code"),
            registry=self.registry,
        )
        self._bank = Histogram(
            "netvalve_bank_seconds",
            "Time a bank took, by what came of it: answered, not_sent, no_answer",
            ("bank", "operation", "result"),
            buckets=_FAST,
            registry=self.registry,
        )
        self._unlisted = Counter(
            "netvalve_bank_codes_unlisted",
            "Answers with a field 39 that the table of bank codes does not list",
            ("bank",),
            registry=self.registry,
        )
        self._mismatched = Counter(
            "netvalve_approvals_mismatched",
            "Approvals of another amount or currency than was asked, each reversed",
            ("bank",),
            registry=self.registry,
        )
        self._contradicted = Counter(
            "netvalve_resolutions_contradicted",
            "Late answers that are not what an operator has resolved: each wants a person",
            registry=self.registry,
        )
        self._unmatched = Counter(
            "netvalve_bank_messages_unmatched",
            "Messages from a bank that answer nothing in flight: late, doubled, garbled or unknown",
            ("bank", "kind"),
            registry=self.registry,
        )
        self._batch_size = Histogram(
            "netvalve_journal_batch_size",
            "Writes in one commit",
            buckets=_BATCH,
            registry=self.registry,
        )
        self._batch_seconds = Histogram(
            "netvalve_journal_commit_seconds",
            "Time of one commit, from its first statement",
            buckets=_FAST,
            registry=self.registry,
        )
        self._pending = Gauge(
            "netvalve_transactions_pending",
            "Transactions without an outcome",
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._reversals = Gauge(
            "netvalve_reversals_waiting",
            "Reversals that no bank has acknowledged yet",
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._unknown = Gauge(
            "netvalve_transactions_unknown",
            "Transactions without an end, by what they wait for and by age since their opening",
            ("state", "age"),
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._oldest_seconds = Gauge(
            "netvalve_transactions_unknown_oldest_seconds",
            "Age of the transaction that has waited longest; 0 where none waits",
            ("state",),
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._oldest_id = Gauge(
            "netvalve_transactions_unknown_oldest_id",
            "Number of the transaction that has waited longest; 0 where none waits",
            ("state",),
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._refused = Gauge(
            "netvalve_reversals_refused",
            "Waiting reversals that their bank has last refused: each wants a person",
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._holds_refused = Counter(
            "netvalve_holds_refused",
            "Holds that are over, refused their cancel or failed in it: each wants a person",
            ("bank",),
            registry=self.registry,
        )
        self._bank_ready = Gauge(
            "netvalve_bank_ready",
            "1 while a message could leave for the bank",
            ("bank",),
            multiprocess_mode="livemin",
            registry=self.registry,
        )

        self._workers = Gauge(
            "netvalve_workers",
            "Processes that take requests on this gateway's port",
            multiprocess_mode="livesum",
            registry=self.registry,
        )

    def listening(self) -> None:
        """This process takes requests."""
        self._workers.set(1)

    def request(self, operation: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(operation, str(status)).observe(seconds)

    def refused_request(self) -> None:
        """A client has asked for more than its limit."""
        self._limited.labels("refused").inc()

    def uncounted_request(self) -> None:
        """The store did not say whether a request was within its client's limit."""
        self._limited.labels("uncounted").inc()

    def outcome(self, transaction_type: str, code: str) -> None:
        """A transaction, or its refusal, was answered with this response code."""
        self._outcomes.labels(transaction_type, code).inc()

    def bank_exchange(self, bank: str, operation: str, result: str, seconds: float) -> None:
        """A message to a bank has ended: `answered`, `not_sent` or `no_answer`."""
        self._bank.labels(bank, operation, result).observe(seconds)

    def unlisted_bank_code(self, bank: str) -> None:
        """A bank used a field 39 that no table lists."""
        self._unlisted.labels(bank).inc()

    def mismatched_approval(self, bank: str) -> None:
        """A bank approved something else than was asked."""
        self._mismatched.labels(bank).inc()

    def contradicted_resolution(self) -> None:
        """A bank has said late what an operator has resolved otherwise."""
        self._contradicted.inc()

    def unmatched_message(self, bank: str, kind: str) -> None:
        """A bank said something that answers nothing: `late` (or doubled), `garbled`, `unknown`."""
        self._unmatched.labels(bank, kind).inc()

    def journal_batch(self, size: int, seconds: float) -> None:
        """A batch was committed."""
        self._batch_size.observe(size)
        self._batch_seconds.observe(seconds)

    def backlog(self, backlog: Backlog, now_ms: int) -> None:
        """What waits in the store, as of now.

        The oldest one's number is a value, which a double holds exactly, and no label: a label
        would begin a new series with every transaction that it names.
        """
        self._pending.set(backlog.pending.count)
        self._reversals.set(backlog.reversing.count)
        self._refused.set(backlog.refused)
        self._waiting("pending", backlog.pending, now_ms)
        self._waiting("reversing", backlog.reversing, now_ms)

    def _waiting(self, state: str, waiting: Waiting, now_ms: int) -> None:
        for age, count in waiting.by_age.items():
            self._unknown.labels(state, age).set(count)
        oldest = waiting.oldest
        age_ms = max(now_ms - oldest.opened_at_ms, 0) if oldest else 0
        self._oldest_seconds.labels(state).set(age_ms / 1000)
        self._oldest_id.labels(state).set(oldest.transaction_id if oldest else 0)

    def hold_refused(self, bank: str) -> None:
        """A hold that is over was refused its end, and is put off."""
        self._holds_refused.labels(bank).inc()

    def bank_ready(self, bank: str, *, ready: bool) -> None:
        """Whether a bank's link is up, as of now."""
        self._bank_ready.labels(bank).set(ready)

    async def render(self) -> bytes:
        """The registry as Prometheus reads it."""
        return generate_latest(self.registry)
