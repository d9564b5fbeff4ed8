"""The parts of one gateway, joined."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import Any

from netvalve.banks.iso8583.answers import Answer
from netvalve.banks.iso8583.link import Iso8583Bank
from netvalve.banks.links import BankLinks
from netvalve.bootstrap.ground import Ground
from netvalve.bootstrap.store import Seat, Store
from netvalve.domain.client import BankProfile
from netvalve.payments.endings import Endings
from netvalve.payments.expiry import Expiry
from netvalve.payments.forgetting import Forgetting
from netvalve.payments.gateway import Gateway, Timing
from netvalve.payments.hold_ends import HoldEnds
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.lease import Lease
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.pipeline import Pipeline
from netvalve.payments.planning import Planner
from netvalve.payments.reference import References
from netvalve.payments.replay import Replay
from netvalve.payments.store_and_forward import StoreAndForward
from netvalve.payments.take_over import TakeOver
from netvalve.storage.field_digests import FieldDigests
from netvalve.storage.vault import Vault

_DAY_MS = 86_400_000


class Parts:
    """Each part is made when it is first asked for, with the parts that it needs."""

    def __init__(
        self, ground: Ground, store: Store, seat: Seat, lease: Lease, *, sandbox: bool
    ) -> None:
        """A sandbox talks to test banks alone, and its days of a hold are short."""
        self.lease = lease
        self.configuration = store.configuration
        self._ground, self._store, self._seat, self._sandbox = ground, store, seat, sandbox
        self._clock, self._settings, self._log = ground.clock, ground.settings, ground.log
        self._vault = Vault(ground.key_ring, today=lambda: ground.clock.now_ms() // _DAY_MS)

    @cached_property
    def gateway(self) -> Gateway:
        """What the faces call."""
        settings = self._settings
        return Gateway(
            pipeline=self._pipeline,
            planner=self._planner,
            records=self._store.records,
            references=self._references,
            configuration=self.configuration,
            idempotency=self._idempotency,
            clock=self._clock,
            timing=Timing(
                charge_deadline_s=settings.charge_deadline_s,
                follow_up_deadline_s=settings.follow_up_deadline_s,
                closing_grace_s=settings.closing_grace_s,
                turn_wait_s=settings.turn_wait_s,
            ),
            log=self._log,
        )

    @cached_property
    def links(self) -> BankLinks:
        """To all banks of the directory."""
        return BankLinks(self._bank)

    @property
    def workers(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What goes on beside the requests, by name, until it is cancelled."""
        return {
            "take over": self._take_over.run,
            "store and forward": self._store_and_forward.run,
            "expiry": self._expiry.run,
            "forgetting": Forgetting(self._store.keys, self._idempotency, self._log).run,
            "directory": self._follow_directory,
        }

    @cached_property
    def _pipeline(self) -> Pipeline:
        return Pipeline(
            journal=self._seat.journal,
            lease=self.lease,
            banks=self.links,
            clock=self._clock,
            patient=self._patient,
            endings=self._endings,
            observer=self._observer,
        )

    @cached_property
    def _store_and_forward(self) -> StoreAndForward:
        return StoreAndForward(
            forwards=self._seat.forwards,
            lease=self.lease,
            replay=self._replay,
            endings=self._endings,
            configuration=self.configuration,
            banks=self.links,
            clock=self._clock,
            answer_within_s=self._settings.follow_up_deadline_s,
            log=self._log,
            poll_s=self._ground.forwards_poll_s,
        )

    @cached_property
    def _take_over(self) -> TakeOver:
        return TakeOver(
            orphans=self._seat.orphans,
            lease=self.lease,
            replay=self._replay,
            clock=self._clock,
            log=self._log,
            poll_s=self._ground.take_over_poll_s,
        )

    @cached_property
    def _expiry(self) -> Expiry:
        return Expiry(
            expiring=self._store.expiring,
            hold_ends=self._hold_ends,
            configuration=self.configuration,
            banks=self.links,
            clock=self._clock,
            poll_s=self._settings.expiry_poll_s,
            log=self._log,
        )

    @cached_property
    def _hold_ends(self) -> HoldEnds:
        return HoldEnds(
            expiring=self._store.expiring,
            records=self._store.records,
            gateway=self.gateway,
            configuration=self.configuration,
            clock=self._clock,
            metrics=self._ground.metrics,
            log=self._log,
        )

    @cached_property
    def _endings(self) -> Endings:
        return Endings(
            forwards=self._seat.forwards,
            patient=self._patient,
            replay=self._replay,
            observer=self._observer,
            clock=self._clock,
            log=self._log,
        )

    @cached_property
    def _idempotency(self) -> Idempotency:
        digests = FieldDigests(self._ground.key_ring)
        life_ms = self._settings.idempotency_ms
        return Idempotency(self._store.records, digests, self._clock, life_ms)

    @cached_property
    def _planner(self) -> Planner:
        hold_day_ms = _DAY_MS
        if self._sandbox:
            hold_day_ms = round(self._settings.sandbox_hold_day_s * 1000)
        return Planner(self._store.identifiers, self._vault, self._clock, hold_day_ms=hold_day_ms)

    @cached_property
    def _references(self) -> References:
        return References(self._store.records, self.configuration, self._vault)

    @cached_property
    def _replay(self) -> Replay:
        return Replay(self._references, self._planner)

    @cached_property
    def _patient(self) -> PatientStore:
        return PatientStore(self._seat.journal, self._store.records, self._log)

    @cached_property
    def _observer(self) -> Observer:
        return Observer(self._ground.metrics, self._log)

    def _bank(self, profile: BankProfile) -> Iso8583Bank:
        settings = self._settings
        return Iso8583Bank(
            profile,
            acquirer_id=settings.acquirer_id,
            connections=settings.bank_connections,
            in_flight_max=settings.bank_in_flight_max,
            echo_s=settings.bank_echo_s,
            reconnect_max_s=settings.bank_reconnect_max_s,
            clock=self._clock,
            metrics=self._ground.metrics,
            require_test_bank=self._sandbox,
            log=self._log,
            jitter=self._ground.jitter,
            on_unmatched=self._hear,
        )

    def _hear(self, answer: Answer) -> None:
        """What no message in flight was waiting for."""
        self._store_and_forward.heard(answer.identity, answer.answered)

    async def _follow_directory(self) -> None:
        """Let the links come, move and go with the directory's banks."""
        version = self.configuration.directory.version
        while True:
            await asyncio.sleep(self._settings.configuration_poll_s)
            directory = self.configuration.directory
            if directory.version != version:
                version = directory.version
                self.links.follow(directory.banks.values())
