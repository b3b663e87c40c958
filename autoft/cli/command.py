"""The shape of a verb: options in named groups, and examples under every help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

Examples = tuple[tuple[str, str], ...]
"""Command and what it does, in words."""


def examples_text(examples: Examples) -> str:
    """The examples as the last part of a help page."""
    return "\nExamples:\n" + "".join(f"  # {words}\n  {command}\n" for command, words in examples)


def verb(function: Callable[..., Any], examples: Examples) -> typer.Typer:
    """A Typer with one command, whose help is the function's docstring and ends with `examples`."""

    class Verb(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            take_as_written(self, ctx)
            return super().parse_args(ctx, args)

        def format_options(self, ctx: Any, formatter: Any) -> None:
            for title, rows in _grouped(self, ctx).items():
                with formatter.section(title):
                    formatter.write_dl(rows)

        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            formatter.write(examples_text(examples))

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
    app.command(cls=Verb, context_settings=settings)(function)
    return app


class _AsWritten:
    """What Typer asks to convert a value, for texts and flags: they are right as they are."""

    def coerce(self, value: Any, **_: Any) -> Any:
        return value


def take_as_written(command: Any, ctx: Any) -> None:
    """Typer loads pydantic to turn a text into a text, which takes longer than all of `autoft ls`.

    Where a later Typer works in another way, this does nothing, and Typer converts.
    """
    for param in command.get_params(ctx):
        described = getattr(param, "type_descriptor", None)
        if getattr(described, "annotation", None) in (str, bool) and hasattr(param, "get_runtime_param"):
            param.get_runtime_param = _AsWritten


def _grouped(command: TyperCommand, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Help rows by the title of their group, in the order of the signature."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        row = param.get_help_record(ctx)
        if row is not None:
            fallback = "Options"
            if param.param_type_name == "argument":
                fallback, row = "Arguments", (row[0].partition(" <")[0], row[1])  # the Python type helps nobody
            groups.setdefault(getattr(param, "rich_help_panel", None) or fallback, []).append(row)
    return groups


def given(ctx: typer.Context) -> set[str]:
    """Names of the parameters that stand on the command line, not those that took their default."""
    return {name for name in ctx.params if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"}
