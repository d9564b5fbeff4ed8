"""The six transactional operations: read, command, answer."""

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
from netvalve.domain.refusal import ChannelRefused, InvalidFields, Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.gateway import PaymentAnswer


def charge(kind: TransactionType) -> Handler:
    """The handler of `/sale` or `/authorize`."""

    async def handle(call: Call) -> Answer:
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
        )
        return _answer(call, kind, told)

    return handle


async def capture(call: Call) -> Answer:
    """`/capture`."""
    request = read_body(CaptureInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, capture_command(request))


async def refund(call: Call) -> Answer:
    """`/refund`."""
    request = read_body(RefundInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, refund_command(request))


async def cancel(call: Call) -> Answer:
    """`/cancel`."""
    request = read_body(CancelInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    return await _follow_up(call, cancel_command(request))


async def rebill(call: Call) -> Answer:
    """`/rebill`."""
    request = read_body(RebillInputFieldsDTO, call.body)
    if isinstance(request, InvalidFields):
        return invalid_answer(request)
    told = await call.services.gateway.rebill(
        call.client, rebill_command(request), trace_id=call.trace_id, arrived_s=call.arrived_s
    )
    return _answer(call, TransactionType.REBILL, told)


async def _follow_up(call: Call, command: FollowUpCommand) -> Answer:
    told = await call.services.gateway.follow_up(
        call.client, command, trace_id=call.trace_id, arrived_s=call.arrived_s
    )
    return _answer(call, command.type, told)


def _answer(call: Call, kind: TransactionType, told: PaymentAnswer) -> Answer:
    answer = _encoded(call, told)
    if answer.code is not None:
        call.services.metrics.outcome(kind, answer.code)
    return answer


def _encoded(call: Call, told: PaymentAnswer) -> Answer:
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
