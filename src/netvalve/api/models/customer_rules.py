"""The rules of the fields that name a customer."""

import ipaddress
import re

from email_validator import EmailNotValidError, validate_email

from netvalve.api.models import rules
from netvalve.catalogue.countries import COUNTRIES

_PHONE = re.compile(r"[0-9 +\-().]*[0-9][0-9 +\-().]*")
_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9_+\-]{1,32}(\.[A-Za-z0-9_+\-]{1,31})?"
    r"@([A-Za-z0-9]{1,30}\.){1,2}(com|net|org|io|eu|de|fr|uk|us|bg)"
)
"""Most addresses: what the full check accepts too, thirty times faster."""

_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(\.{_OCTET}){{3}}")
"""Most addresses: what the full check accepts too, ten times faster."""


def country(value: object) -> str:
    """An ISO 3166 country by its two letters."""
    if not isinstance(value, str):
        raise rules.refused("GTW_2030")
    if len(value) != 2:
        raise rules.refused("GTW_2031")
    if value not in COUNTRIES:
        raise rules.refused("GTW_2030")
    return value


def phone(value: object) -> str | None:
    """Digits with the signs people write between them: `800-1234567`, `+1 (800) 123.4567`."""
    written = rules.text(value, length_max=20, too_long="GTW_2016")
    if written and not _PHONE.fullmatch(written):
        raise rules.refused("GTW_2068")
    return written or None


def email(value: object) -> str | None:
    """An address that could exist; no name server is asked."""
    written = rules.text(value, length_max=128, too_long="GTW_2028")
    if not written or _PLAIN_EMAIL.fullmatch(written):
        return written or None
    try:
        validate_email(written, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, ValueError):
        raise rules.refused("GTW_2029") from None
    return written


def ip_address(value: object) -> str:
    """An IPv4 or IPv6 address, without a zone."""
    if not isinstance(value, str) or "%" in value:
        raise rules.refused("GTW_2007")
    if _IPV4.fullmatch(value):
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise rules.refused("GTW_2007") from None
    return value
