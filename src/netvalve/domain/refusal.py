"""Refusals: what the gateway answers when a request is understood and may not be done.

A refusal is a value. It is given before anything is opened, so it changes nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A business refusal: one object with this code and no transactionID.

    Source: wire contract, section 2.
    """

    code: str
    detail: str = ""
    """For the log alone; clients compare the code's message to the letter."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field that is missing or invalid, by its name in the request."""

    field: str
    code: str


@dataclass(frozen=True, slots=True)
class InvalidFields:
    """All failed fields of a request, in the order of the request's model."""

    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    """The account is not enabled for what was asked: GTW_9003. Source: wire contract, section 2."""

    detail: str = ""
    """For the log alone."""
