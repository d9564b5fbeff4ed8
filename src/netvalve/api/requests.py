"""From a good request to the command it stands for. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.models.follow_up import (
    CancelInputFieldsDTO,
    CaptureInputFieldsDTO,
    RebillInputFieldsDTO,
    RefundInputFieldsDTO,
)
from netvalve.api.models.three_ds import ThreeDomainsSecureDTO
from netvalve.catalogue.currencies import Currency, currency
from netvalve.domain.card import Card, CardNumber
from netvalve.domain.money import minor_units
from netvalve.domain.order import Customer, Details, ThreeDS
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import (
    AccountSelector,
    ChargeCommand,
    FollowUpCommand,
    RebillCommand,
)

_NO_CARD: Final = Card(CardNumber(""), "", "")
"""What a payment by wallet or token presents; the pipeline looks at its kind first."""


def charge_command(kind: TransactionType, request: BasicInputFieldsDTO) -> ChargeCommand:
    """A sale or an authorize, by `kind`."""
    unit = currency(request.currency)
    return ChargeCommand(
        type=kind,
        account=AccountSelector(request.mid_id, request.netvalve_mid_id, request.site_id),
        amount_minor=_minor_units(request.amount, unit),
        currency=unit,
        card=_card(request),
        card_holder_name=request.card_holder_name,
        client_order_id=request.client_order_id,
        details=_details(request),
        has_payment_token=bool(request.payment_token),
    )


def capture_command(request: CaptureInputFieldsDTO) -> FollowUpCommand:
    """A capture, final where it says so."""
    options = request.capture_options
    return FollowUpCommand(
        type=TransactionType.CAPTURE,
        transaction_id=request.transaction_id,
        amount=request.amount,
        final_capture=options is not None and options.final_capture is True,
    )


def refund_command(request: RefundInputFieldsDTO) -> FollowUpCommand:
    """A refund of an amount, or of all that remains."""
    return FollowUpCommand(TransactionType.REFUND, request.transaction_id, request.amount)


def cancel_command(request: CancelInputFieldsDTO) -> FollowUpCommand:
    """A cancel."""
    return FollowUpCommand(TransactionType.CANCEL, request.transaction_id)


def rebill_command(request: RebillInputFieldsDTO) -> RebillCommand:
    """A charge of an earlier payment's card."""
    data = request.additional_data
    return RebillCommand(
        transaction_id=request.transaction_id,
        amount=request.amount,
        client_order_id=request.client_order_id,
        additional_data=data.as_sent() if data else {},
    )


def _minor_units(amount: Decimal, unit: Currency) -> int:
    amount_minor = minor_units(amount, unit)
    if amount_minor is None:
        raise ValueError("a request with more decimals than its currency was read as good")
    return amount_minor


def _card(request: BasicInputFieldsDTO) -> Card:
    if not (request.card_number and request.card_expire_month and request.card_expire_year):
        return _NO_CARD
    return Card(
        number=request.card_number,
        expiry_month=request.card_expire_month,
        expiry_year=request.card_expire_year,
        security_code=request.card_security_code,
    )


def _details(request: BasicInputFieldsDTO) -> Details:
    additional_data: Mapping[str, object] = {}
    if request.additional_data:
        additional_data = request.additional_data.as_sent()
    return Details(
        customer=_customer(request),
        three_ds=_three_ds(request.three_ds) if request.three_ds else None,
        description=request.order_desc,
        descriptor=request.descriptor,
        payment_type=request.payment_type,
        wallet_type=request.wallet_type,
        additional_data=additional_data,
        additional_parameters=request.additional_parameters or {},
    )


def _customer(request: BasicInputFieldsDTO) -> Customer:
    return Customer(
        first_name=request.customer_name or request.customer_first_name,
        last_name=request.customer_last_name,
        address=request.customer_address,
        zip_code=request.customer_zip_code,
        city=request.customer_city,
        state=request.customer_state,
        country=request.customer_country_code,
        phone=request.customer_phone,
        email=request.customer_email,
        ip=request.customer_ip,
    )


def _three_ds(sent: ThreeDomainsSecureDTO) -> ThreeDS:
    return ThreeDS(
        eci=sent.eci,
        cavv=sent.cavv,
        ds_transaction_id=sent.ds_transaction_id,
        version=sent.version,
        xid=sent.xid,
        status=sent.status,
        cavv_algorithm=sent.cavv_algorithm,
        provider=sent.provider,
        master_card_dsrp=sent.master_card_dsrp,
        verify_transaction_id=sent.verify_transaction_id,
        frictionless=sent.is_friction_less,
    )
