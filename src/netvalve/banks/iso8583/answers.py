"""What a bank answers, as payments read it, and what ties it to the message it answers."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from netvalve.banks.iso8583.fields import MalformedMessage
from netvalve.banks.iso8583.messages import Message
from netvalve.banks.iso8583.requests import FORMS
from netvalve.banks.iso8583.specification import Tag, answer_type
from netvalve.domain.bank_message import Answered, BankOperation
from netvalve.domain.transaction import MessageIdentity

ANSWER_TYPES: Final = frozenset(answer_type(form.message_type) for form in FORMS.values())


class MatchKey(NamedTuple):
    """What an answer must say to be the answer: its own type and its request's identity."""

    answer_type: str
    terminal_id: str
    stan: str
    rrn: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the identity of the message it answers."""

    message_type: str
    identity: MessageIdentity
    """`transmitted_at` is empty where the bank left field 7 out."""
    answered: Answered

    @property
    def key(self) -> MatchKey:
        """What it is matched on."""
        return _key(self.message_type, self.identity)


def match_key(operation: BankOperation, identity: MessageIdentity) -> MatchKey:
    """The key of the answer that a message waits for; a repeat waits for the same one."""
    return _key(answer_type(FORMS[operation].message_type), identity)


def decode_answer(message: Message) -> Answer:
    """The answer in a message.

    Raises:
        MalformedMessage: it lacks a field that an answer must have.
    """
    fields, checks = message.fields, message.fields.get("44", "")
    identity = MessageIdentity(
        transmitted_at=fields.get("7", ""),
        stan=_required(message, "11"),
        rrn=_required(message, "37"),
        terminal_id=_required(message, "41"),
    )
    answered = Answered(
        response_code=_required(message, "39"),
        amount_minor=int(fields["4"]) if "4" in fields else None,
        currency_number=fields.get("49"),
        auth_code=_filled(fields.get("38", "")),
        rrn=identity.rrn,
        scheme_transaction_id=_filled(message.tags.get(Tag.SCHEME_TRANSACTION_ID, "")),
        avs_result=_filled(checks[0:1]),
        cvv2_result=_filled(checks[1:2]),
    )
    return Answer(message.type, identity, answered)


def _key(message_type: str, identity: MessageIdentity) -> MatchKey:
    return MatchKey(message_type, f"{identity.terminal_id:<8}", identity.stan, identity.rrn)


def _required(message: Message, number: str) -> str:
    try:
        return message.fields[number]
    except KeyError:
        raise MalformedMessage(f"an answer lacks field {number}") from None


def _filled(text: str) -> str | None:
    return text.strip() or None
