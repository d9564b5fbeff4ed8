"""Requests that run as they stand against the sandbox: the reference page offers them."""

from collections.abc import Mapping
from typing import Any, Final

_CHARGE: Final[Mapping[str, Any]] = {
    "midId": 1,
    "amount": 12.5,
    "currency": "USD",
    "paymentType": "CARD",
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
    "cardSecurityCode": "999",
    "cardHolderName": "Jane Doe",
}

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "saleOperation": _CHARGE,
    "authorizeOperation": _CHARGE,
    "captureOperation": {"transactionID": 1, "amount": 12.5},
    "cancelOperation": {"transactionID": 1},
    "refundOperation": {"transactionID": 1, "amount": 5},
    "rebillOperation": {"transactionID": 1, "amount": 12.5},
    "inquiryByBody": {"transactionId": 1},
    "exportOrders": {"filters": {}, "page": 0, "pageSize": 20},
    "exportTransactions": {"filters": {}, "page": 0, "pageSize": 20},
}
"""By operationId: a body, or query parameters."""
