"""What a transaction can be."""

from enum import StrEnum


class TransactionType(StrEnum):
    """What a transaction is. Source: the API's transactionType."""

    AUTHORIZATION = "AUTHORIZATION"
    CAPTURE = "CAPTURE"
    SALE = "SALE"
    REFUND = "REFUND"
    CANCEL = "CANCEL"
    REBILL = "REBILL"
    INQUIRY = "INQUIRY"


CHARGES = frozenset({TransactionType.SALE, TransactionType.REBILL, TransactionType.CAPTURE})
"""The types that hold captured money."""

OPENERS = frozenset({TransactionType.AUTHORIZATION, TransactionType.SALE, TransactionType.REBILL})
"""The types that open an order. A lost answer to one of them is reversed, not repeated."""
