"""The page of commands, made from the commands themselves."""

from collections.abc import Iterator
from inspect import cleandoc

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from netvalve.cli.documentation.markdown import code, table


def command_page(app: typer.Typer) -> str:
    """Every command with its help and its options."""
    root = typer.main.get_command(app)
    sections = "\n".join(_sections("netvalve", root))
    return f"""# Command line

Made from the commands in `src/netvalve/cli/` by `make docs`. In a clone that `make` has set up the
program is `.venv/bin/netvalve`. `--json` prints the same facts for a program to read.

Status 0: done. Status 1: could not be done; one line on standard error says what to do. Status 2:
the command was not understood.

{sections}"""


def _sections(path: str, command: object) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from _sections(f"{path} {name}", each)
    elif isinstance(command, TyperCommand):
        yield _section(path, command)


def _section(path: str, command: TyperCommand) -> str:
    rows = [row for each in command.params for row in _rows(each)]
    options = f"\n{table(('Parameter', 'Default', 'What for'), rows)}" if rows else ""
    return f"## {path}\n\n{cleandoc(command.help or '')}\n{options}"


def _rows(parameter: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(parameter, TyperArgument):
        yield code((parameter.name or "").upper()), "required", parameter.help or ""
    elif isinstance(parameter, TyperOption) and parameter.name != "help":
        names = ", ".join(map(code, (*parameter.opts, *parameter.secondary_opts)))
        yield names, _default(parameter), parameter.help or ""


def _default(option: TyperOption) -> str:
    if option.required:
        return "required"
    given = option.default
    return "" if given in (None, False, (), []) or callable(given) else code(str(given))
