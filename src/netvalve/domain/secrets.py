"""Values that must never be seen: they cannot be printed, formatted, logged or pickled."""

from typing import NoReturn


class Secret:
    """A string that shows itself only to who calls `reveal`.

    `repr`, `str` and formatting give a constant; pickling and copying by state raise TypeError.
    Equality compares the contents, hashing is refused, so that a secret is never a key in a table
    that something else prints.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # a secret is not a dictionary key

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The contents, for the one place that must have them."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied")

    __getstate__ = __reduce__
