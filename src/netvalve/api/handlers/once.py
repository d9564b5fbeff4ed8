"""What every operation that moves money shares: a request with a known key is not done again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

from netvalve.api.answers.answer import Answer
from netvalve.api.answers.failures import (
    KEY_BUSY,
    failure_answer,
    invalid_answer,
    mismatch_answer,
)
from netvalve.api.answers.payment import payment_answer
from netvalve.api.call import Call, Handler
from netvalve.api.idempotency import key_of, said_fields
from netvalve.api.models.model import Request
from netvalve.api.validation import read_object
from netvalve.domain.journal import KeyedRequest
from netvalve.domain.refusal import InvalidFields
from netvalve.payments.idempotency import KeyBusy, KeyMismatch, Replayed

Operate = Callable[[Call, KeyedRequest | None], Awaitable[Answer]]
"""Does an operation, under a key where the request has one."""

_REPLAYED: Final = (b"idempotency-status", b"replayed")


def once(model: type[Request], operate: Operate) -> Handler:
    """The operation's handler. The key is looked at before the fields of the body are judged."""

    async def handle(call: Call) -> Answer:
        key = key_of(call.idempotency_keys)
        if key is None:
            return await operate(call, None)
        keyed = key if isinstance(key, InvalidFields) else _keyed(call, model, key)
        if isinstance(keyed, InvalidFields):
            return invalid_answer(keyed)
        idempotency = call.services.gateway.idempotency
        match await idempotency.once(keyed, partial(operate, call, keyed)):
            case Replayed() as first:
                return await _replayed(call, first)
            case KeyBusy():
                return key_busy(call)
            case KeyMismatch(fields=fields):
                return mismatch_answer(fields, call.trace_id, call.now_ms)
            case answer:
                return answer

    return handle


def key_busy(call: Call) -> Answer:
    """The first request with the key is still being answered, here or by another process."""
    return failure_answer(KEY_BUSY, call.trace_id, call.now_ms)


def _keyed(call: Call, model: type[Request], key: str) -> KeyedRequest | InvalidFields:
    raw = read_object(call.body)
    fields = raw if isinstance(raw, InvalidFields) else said_fields(model, raw)
    if isinstance(fields, InvalidFields):
        return fields
    client_id = call.client.client_id
    return call.services.gateway.idempotency.keyed(client_id, key, call.path, fields)


async def _replayed(call: Call, first: Replayed) -> Answer:
    transaction, order = first.transaction, first.order
    next_attempt_at_ms = await call.services.gateway.enquiries.next_attempt_at_ms(transaction)
    directory = call.services.configuration.directory
    answer = payment_answer(directory, transaction, order, call.now_ms, next_attempt_at_ms)
    return replace(answer, headers=(*answer.headers, _REPLAYED))
