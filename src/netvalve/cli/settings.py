"""`netvalve settings`: every setting with its value and where the value comes from."""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netvalve.cli.failure import Failure
from netvalve.cli.output import AsJson, show_rows

if TYPE_CHECKING:
    from pydantic import ValidationError

    from netvalve.config import Settings


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as it stands."""

    name: str
    variable: str
    value: str
    source: str
    """`default`, `environment`, or the path of the settings file."""
    purpose: str


def settings(*, as_json: AsJson = False) -> None:
    """List every setting: its environment variable, its value, where that is from, what it is for.

    Passwords in URLs are shown as stars.
    """
    rows = [asdict(row) for row in setting_rows(load_settings())]
    show_rows(rows, as_json=as_json)


def load_settings(**given: object) -> "Settings":
    """The settings of this process, `given` winning over the environment and the file.

    Raises:
        Failure: a value is wrong; the line names each wrong setting.
    """
    from pydantic import ValidationError

    from netvalve.config import Settings

    try:
        return (
            Settings.model_validate({**Settings().model_dump(), **given}) if given else Settings()
        )
    except ValidationError as error:
        raise Failure(_explained(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{settings_file()} is not valid TOML: {error}") from None


def settings_file() -> Path:
    """The settings file of this process, whether it exists or not."""
    from netvalve.config import FILE_VARIABLE

    return Path(os.environ.get(FILE_VARIABLE, "netvalve.toml"))


def variable_of(name: str) -> str:
    """The environment variable of a setting: `NETVALVE_PORT` of `port`."""
    from netvalve.config import ENVIRONMENT_PREFIX

    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def setting_rows(loaded: "Settings") -> Iterator[SettingRow]:
    """Every setting in the order of its class."""
    in_file = _names_in_file()
    in_environment = {name.upper() for name in os.environ}
    for name, field in type(loaded).model_fields.items():
        variable = variable_of(name)
        source = "default"
        if name in in_file:
            source = str(settings_file())
        if variable in in_environment:
            source = "environment"
        value = getattr(loaded, name)
        shown = "" if value is None else _without_password(str(value))
        yield SettingRow(name, variable, shown, source, field.description or "")


def unknown_variables() -> list[str]:
    """Variables that begin like a setting's and belong to none: spelling mistakes."""
    from netvalve.config import ENVIRONMENT_PREFIX, FILE_VARIABLE, Settings

    known = {variable_of(name) for name in Settings.model_fields} | {FILE_VARIABLE}
    return sorted(
        name
        for name in os.environ
        if name.upper().startswith(ENVIRONMENT_PREFIX) and name.upper() not in known
    )


def _names_in_file() -> frozenset[str]:
    file = settings_file()
    if not file.is_file():
        return frozenset()
    return frozenset(tomllib.loads(file.read_text("utf-8")))


def _without_password(text: str) -> str:
    """A database URL may carry a password: `scheme://user:password@host`."""
    scheme, separator, rest = text.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not (separator and at and ":" in credentials):
        return text
    user = credentials.partition(":")[0]
    return f"{scheme}://{user}:***@{place}"


def _explained(error: "ValidationError") -> str:
    lines = []
    for each in error.errors(include_input=False, include_url=False):
        name = str(each["loc"][0]) if each["loc"] else "settings"
        if each["type"] == "extra_forbidden":
            lines.append(f"{settings_file()} has an unknown setting: {name}")
        else:
            lines.append(f"setting {name} ({variable_of(name)}): {each['msg']}")
    return "; ".join(lines)
