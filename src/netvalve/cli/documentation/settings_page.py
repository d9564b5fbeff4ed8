"""The page of settings, made from the class that reads them."""

from netvalve.cli.documentation.markdown import code, table
from netvalve.config import ENVIRONMENT_PREFIX, FILE_VARIABLE, Settings


def settings_page() -> str:
    """Every setting with its variable, its default and what it is for."""
    rows = (
        (code(name), code(f"{ENVIRONMENT_PREFIX}{name.upper()}"), _default(field.default), purpose)
        for name, field in Settings.model_fields.items()
        for purpose in [field.description or ""]
    )
    return f"""# Settings

Made from `src/netvalve/config.py` by `make docs`.

A setting comes from the environment, else from the TOML file that `{FILE_VARIABLE}` names (without
it: `netvalve.toml` in the current folder), else it has its default. A wrong value or an unknown
name in the file ends the command with one line that names the setting. `netvalve settings` shows
what is in force and where it is from. Names that end in `_s` are seconds.

{table(("Name", "Environment variable", "Default", "What for"), rows)}"""


def _default(value: object) -> str:
    return "" if value in {None, ""} else code(str(value))
