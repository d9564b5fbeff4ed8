"""The parts of `docs/bank-link.md` that are made from the layout and by the codec itself."""

from collections.abc import Iterable, Mapping
from typing import Final

from netvalve.banks.iso8583.messages import encode_message, frame
from netvalve.banks.iso8583.requests import encode_request
from netvalve.banks.iso8583.specification import FIELDS, TAGGED_VALUES, Tag
from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import BankOperation, BankRequest, Merchant
from netvalve.domain.card import Card, CardNumber
from netvalve.domain.order import Customer
from netvalve.domain.transaction import MessageIdentity

EXAMPLE_NUMBER: Final = "4012000098765439"
"""A test card; the digits between its first six and last four are not shown."""

_BYTES_IN_LINE = 16


def sections() -> Mapping[str, str]:
    """Markdown by the name of its pair of markers."""
    return {
        "fields": _table(
            ("Field", "Name", "Format"),
            ((field.number, field.name, f"`{field.notation}`") for field in FIELDS),
        ),
        "tags": _table(
            ("Tag", "Value", "At most"),
            ((each.tag, each.name, str(each.length_max)) for each in TAGGED_VALUES),
        ),
        "example": (
            f"The sale:\n\n```text\n{_dump(_sale())}\n```\n\n"
            f"Its answer:\n\n```text\n{_dump(_approval())}\n```"
        ),
    }


def _sale() -> bytes:
    request = BankRequest(
        operation=BankOperation.SALE,
        identity=MessageIdentity("1108123858", "503613", "431312503613", "NV000001"),
        amount_minor=1200,
        currency=currency("USD"),
        merchant=Merchant("M-0001", "NETVALVE SHOP", "5999", "US"),
        card=Card(CardNumber(EXAMPLE_NUMBER), "04", "2029"),
        customer=Customer(address="1 Main Street", zip_code="10001"),
    )
    return frame(encode_request(request, "400001"))


def _approval() -> bytes:
    fields = {
        "t": "0210",
        "3": "000000",
        "4": "000000001200",
        "7": "1108123858",
        "11": "503613",
        "12": "123858",
        "13": "1108",
        "32": "400001",
        "37": "431312503613",
        "38": "TAS390",
        "39": "00",
        "41": "NV000001",
        "42": "M-0001         ",
        "44": "YP",
        "49": "840",
    }
    return frame(encode_message(fields, {Tag.SCHEME_TRANSACTION_ID: "304312123858001"}))


def _dump(data: bytes) -> str:
    begin = data.find(EXAMPLE_NUMBER.encode())
    hidden = range(begin + 6, begin + len(EXAMPLE_NUMBER) - 4) if begin >= 0 else range(0)
    return "\n".join(
        f"{start:04x}  {_line(data, range(start, min(start + _BYTES_IN_LINE, len(data))), hidden)}"
        for start in range(0, len(data), _BYTES_IN_LINE)
    )


def _line(data: bytes, positions: range, hidden: range) -> str:
    octets = " ".join("……" if at in hidden else f"{data[at]:02x}" for at in positions)
    text = "".join("…" if at in hidden else _shown(data[at]) for at in positions)
    return f"{octets:<{3 * _BYTES_IN_LINE}} {text}"


def _shown(octet: int) -> str:
    character = chr(octet)
    return character if character.isascii() and character.isprintable() else "."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
