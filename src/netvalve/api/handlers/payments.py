"""The six transactional operations: read, command, answer."""

from typing import Final

from netvalve.api.account_fields import with_account_fields
from netvalve.api.answers.answer import Answer
from netvalve.api.answers.failures import (
    CHANNEL_REFUSED,
    failure_answer,
    invalid_answer,
    refusal_answer,
)
from netvalve.api.answers.payment import payment_answer
from netvalve.api.call import Call, Handler
from netvalve.api.handlers.once import key_busy, once
from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.models.follow_up import (
    CancelInputFieldsDTO,
    CaptureInputFieldsDTO,
    RebillInputFieldsDTO,
    RefundInputFieldsDTO,
)
from netvalve.api.requests import (
    cancel_command,
    capture_command,
    charge_command,
    rebill_command,
    refund_command,
)
from netvalve.api.validation import read_body
from netvalve.domain.journal import KeyedRequest
from netvalve.domain.refusal import ChannelRefused, InvalidFields, Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.gateway import PaymentAnswer
from netvalve.payments.idempotency import KeyBusy
from netvalve.payments.ports import TransactionOnOrder


def charge(kind: TransactionType) -> Handler:
    """The handler of `/sale` or `/authorize`."""

    async def operate(call: Call, keyed: KeyedRequest | None) -> Answer:
        request = read_body(BasicInputFieldsDTO, call.body)
        if isinstance(request, InvalidFields):
            directory = call.services.configuration.directory
            return invalid_answer(
                with_account_fields(request, call.body, directory, call.client.client_id)
            )
        told = await call.services.gateway.charge(
            call.client,
            charge_command(kind, request),
            trace_id=call.trace_id,
            arrived_s=call.arrived_s,
            keyed=keyed,
        )
        return _answer(call, kind, told)

    return once(BasicInputFieldsDTO, operate)


async def _capture(call: Call, keyed: KeyedRequest | None) -> Answer:
    request = read_body(CaptureInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, capture_command(request), keyed)


async def _refund(call: Call, keyed: KeyedRequest | None) -> Answer:
    request = read_body(RefundInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, refund_command(request), keyed)


async def _cancel(call: Call, keyed: KeyedRequest | None) -> Answer:
    request = read_body(CancelInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, cancel_command(request), keyed)


async def _rebill(call: Call, keyed: KeyedRequest | None) -> Answer:
    request = read_body(RebillInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    told = await call.services.gateway.rebill(
        call.client,
        rebill_command(request),
        trace_id=call.trace_id,
        arrived_s=call.arrived_s,
        keyed=keyed,
    )
    return _answer(call, TransactionType.REBILL, told)


async def _follow_up(call: Call, command: FollowUpCommand, keyed: KeyedRequest | None) -> Answer:
    told = await call.services.gateway.follow_up(
        call.client, command, trace_id=call.trace_id, arrived_s=call.arrived_s, keyed=keyed
    )
    return _answer(call, command.type, told)


def _answer(call: Call, kind: TransactionType, told: PaymentAnswer) -> Answer:
    if isinstance(told, KeyBusy):
        return key_busy(call)
    answer = _encoded(call, told)
    if answer.code is not None:
        call.services.metrics.outcome(kind, answer.code)
    return answer


def _encoded(
    call: Call, told: Refusal | InvalidFields | ChannelRefused | TransactionOnOrder
) -> Answer:
    match told:
        case Refusal(code=code):
            return refusal_answer(code, call.trace_id, call.now_ms)
        case InvalidFields():
            return invalid_answer(told)
        case ChannelRefused():
            return failure_answer(CHANNEL_REFUSED, call.trace_id, call.now_ms)
        case (transaction, order):
            directory = call.services.configuration.directory
            return payment_answer(directory, transaction, order, call.now_ms)


capture: Final = once(CaptureInputFieldsDTO, _capture)
refund: Final = once(RefundInputFieldsDTO, _refund)
cancel: Final = once(CancelInputFieldsDTO, _cancel)
rebill: Final = once(RebillInputFieldsDTO, _rebill)
