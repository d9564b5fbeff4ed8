"""Network management: the messages about the connection itself, 0800 and 0810."""

from datetime import UTC, datetime

from netvalve.banks.iso8583.fields import TYPE
from netvalve.banks.iso8583.messages import Message, encode_message
from netvalve.banks.iso8583.specification import MessageType, Tag, answer_type

NETWORK_ANSWER = answer_type(MessageType.NETWORK)
ACCEPTED = "00"


def network_request(code: str, acquirer_id: str, now_ms: int, stan: str) -> bytes:
    """Sign-on, echo or sign-off, by its code of field 70; without its length header."""
    fields = {
        TYPE: MessageType.NETWORK,
        "7": datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%m%d%H%M%S"),
        "11": stan,
        "32": acquirer_id,
        "70": code,
    }
    return encode_message(fields, {})


def answers_network_request(message: Message, code: str, stan: str) -> bool:
    """Whether a message answers the one with this code and STAN."""
    fields = message.fields
    return (message.type, fields.get("70"), fields.get("11")) == (NETWORK_ANSWER, code, stan)


def sign_on_refusal(answer: Message, *, require_test_bank: bool) -> str | None:
    """Why the answer to a sign-on does not open the connection; None where it does."""
    response_code = answer.fields.get("39")
    if response_code != ACCEPTED:
        return f"the bank refuses the sign-on with {response_code}"
    if require_test_bank and answer.tags.get(Tag.TEST_BANK) != "1":
        return "the bank does not say that it is a test bank"
    return None
