"""What answers show of the customer and of an authentication."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from netvalve.api.answers.answer import known
from netvalve.domain.order import Customer, ThreeDS

_BILLING: Final = (
    ("billingAddress", "address"),
    ("billingZipCode", "zip_code"),
    ("billingCity", "city"),
    ("billingState", "state"),
    ("billingCountryCode", "country"),
)
"""BillingAddressDTO's names and ours."""


def customer_fields(customer: Customer) -> dict[str, object]:
    """The customer as `/transaction` and `/order` show it."""
    names = (customer.first_name, customer.last_name)
    return {
        "name": " ".join(name for name in names if name) or None,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "ip": customer.ip,
        "ipAddress": customer.ip,
        "email": customer.email,
        "customerEmail": customer.email,
        "address": customer.address,
        "phone": customer.phone,
        "city": customer.city,
        "state": customer.state,
        "countryCode": customer.country,
        "zipCode": customer.zip_code,
    }


def billing_details(customer: Customer) -> dict[str, object] | None:
    """BillingAddressDTO; None where nothing of it was sent."""
    return billing_fields(asdict(customer))


def billing_fields(customer: Mapping[str, object]) -> dict[str, object] | None:
    """The same of a customer by the names of `Customer`; what was not sent may be absent."""
    fields = {name: customer.get(field) for name, field in _BILLING}
    return known(fields) or None


def three_ds_data(three_ds: ThreeDS | None) -> dict[str, object] | None:
    """ThreeDomainsSecureDTO as it came with the payment."""
    if three_ds is None:
        return None
    return known(
        {
            "cavv": three_ds.cavv,
            "dsTransactionId": three_ds.ds_transaction_id,
            "xid": three_ds.xid,
            "eci": three_ds.eci,
            "status": three_ds.status,
            "version": three_ds.version,
            "masterCardDSRP": three_ds.master_card_dsrp,
            "cavvAlgorithm": three_ds.cavv_algorithm,
            "provider": three_ds.provider,
            "verifyTransactionId": three_ds.verify_transaction_id,
            "isFrictionLess": three_ds.frictionless,
        }
    )
