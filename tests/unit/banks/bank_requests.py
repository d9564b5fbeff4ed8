"""Whole requests to a bank, one for each operation, to be changed where a test needs it."""

from dataclasses import replace
from typing import Any

from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import (
    BankOperation,
    BankRequest,
    Merchant,
    OriginalMessage,
    StoredCredential,
)
from netvalve.domain.card import Card, CardNumber, SecurityCode
from netvalve.domain.order import Customer, ThreeDS
from netvalve.domain.transaction import MessageIdentity

ACQUIRER_ID = "400001"
NUMBER = "4012000098765439"
CHARGES = (BankOperation.AUTHORIZE, BankOperation.SALE, BankOperation.REBILL)
FOLLOW_UPS = tuple(operation for operation in BankOperation if operation not in CHARGES)


def identity(stan: int = 7, terminal_id: str = "NV000001") -> MessageIdentity:
    return MessageIdentity("1109123858", f"{stan:06d}", f"631312{stan:06d}", terminal_id)


ORIGINAL = OriginalMessage(BankOperation.AUTHORIZE, identity(stan=3), auth_code="TAS390")


def bank_request(operation: BankOperation = BankOperation.SALE, **changes: Any) -> BankRequest:
    """A request with everything that its operation may carry."""
    request = BankRequest(
        operation=operation,
        identity=identity(),
        amount_minor=1200,
        currency=currency("USD"),
        merchant=Merchant("M-0001", "NETVALVE SHOP", "5999", "US"),
        card=Card(CardNumber(NUMBER), "04", "2029", SecurityCode("987")),
        original=None if operation in CHARGES else ORIGINAL,
        customer=Customer(address="1 Main Street", zip_code="10001"),
        three_ds=ThreeDS(eci="05", cavv="Y2F2dg==", ds_transaction_id="d5", version="2.2", xid="x"),
        stored_credential=StoredCredential("CIT", "COF", "RECURRING", "Initial", "30123"),
        final_capture=operation is BankOperation.CAPTURE,
    )
    return replace(request, **changes)
