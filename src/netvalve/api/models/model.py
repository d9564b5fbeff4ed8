"""The base of every schema: names as on the wire, null and empty text are absent."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from netvalve.domain.refusal import FieldError


class Schema(BaseModel):
    """A schema of the contract. Its fields are named in snake case and read in camel case."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, arbitrary_types_allowed=True
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Shows nothing: what a request says may be a card number or a key."""
        return iter(())


class Request(Schema):
    """The body or the parameters of a request."""

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_said(cls, raw: Any) -> Any:
        return cls.said(raw) if isinstance(raw, dict) else raw

    @classmethod
    def said(cls, raw: dict[str, Any]) -> dict[str, Any]:
        """What counts of what was sent: null and empty text are absent."""
        values = raw.values()
        if None in values or "" in values:
            return {name: value for name, value in raw.items() if value not in (None, "")}
        return raw

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[FieldError]:
        """Finds what is wrong between fields, or missing because of another field.

        `raw` is what was said.
        """
        del raw
        return iter(())


def wire_names(model: type[BaseModel]) -> tuple[str, ...]:
    """The names of a model's fields on the wire, in the model's order."""
    return tuple(field.alias or name for name, field in model.model_fields.items())
