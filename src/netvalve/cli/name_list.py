"""Lists of names on the command line: `one,two`, or `none`."""

from enum import StrEnum
from typing import TypeVar

from netvalve.cli.failure import Failure

Name = TypeVar("Name", bound=StrEnum)


def name_list(text: str, kind: type[Name]) -> frozenset[Name]:
    """The members that a comma separated text names, in any case of letters.

    Raises:
        Failure: a name is unknown; the line lists those there are.
    """
    if text.strip().lower() == "none":
        return frozenset()
    known = {member.value.lower(): member for member in kind}
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name.lower() not in known]
    if unknown:
        raise Failure(f"unknown: {', '.join(unknown)}; there are {', '.join(kind)}, and none")
    return frozenset(known[name.lower()] for name in names)
