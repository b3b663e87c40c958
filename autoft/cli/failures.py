"""How an error looks to the user: one line and a hint on stderr, or JSON on stdout with `--json`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from autoft.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, AutoftError
from autoft.report.words import clean
from autoft.version import VERSION
from autoft.vocab import did_you_mean


class Style(NamedTuple):
    """How errors are told. Read from the raw words, as the error may be in the words themselves."""

    json: bool = False
    verbose: bool = False

    @classmethod
    def of(cls, words: Sequence[str]) -> Style:
        given = set(words)
        return cls("--json" in given, bool(given & {"-v", "--verbose"}))


def known(error: AutoftError, style: Style) -> int:
    """An error whose words are meant for the user."""
    _tell(error.message, error.hint, error.exit_code, style)
    if style.verbose:
        traceback.print_exception(error, file=sys.stderr)
    return error.exit_code


def usage(error: typer.TyperException, style: Style) -> int:
    """A wrong option or command, found while the command line was read."""
    message = error.message if hasattr(error, "possibilities") else error.format_message()
    context = getattr(error, "ctx", None)
    near = _nearest_option(error, context)
    hint = f"Try: {context.command_path} --help" if context else ""
    _tell(message[:1].lower() + message[1:].rstrip(".") + near, hint, error.exit_code, style)
    return error.exit_code


def _nearest_option(error: typer.TyperException, context: typer.Context | None) -> str:
    wrong = getattr(error, "option_name", "")
    if not wrong or not context:
        return ""
    known = [name for param in context.command.get_params(context) for name in param.opts if name.startswith("--")]
    near = did_you_mean(wrong, known)
    return f".{near}" if near else ""


def interrupted(style: Style) -> int:
    """Ctrl-C before a run existed (a running search ends by itself and keeps its best model)."""
    _tell("interrupted.", "", EXIT_INTERRUPTED, style)
    return EXIT_INTERRUPTED


def internal(error: Exception, style: Style) -> int:
    """A bug: one line for the user, the traceback in a file."""
    story = "".join(traceback.format_exception(error))
    path = _keep(story)
    _tell(
        f"internal error: {type(error).__name__}: {_first_line(error)}",
        f"This is a bug of autoft or of a plugin. The details are in {path}",
        EXIT_INTERNAL,
        style,
        prefix="",
    )
    if style.verbose:
        sys.stderr.write(story)
    return EXIT_INTERNAL


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["(no message)"])[0]


def _tell(message: str, hint: str, code: int, style: Style, prefix: str = "error: ") -> None:
    sys.stdout.flush()
    print(f"{prefix}{clean(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {clean(hint)}", file=sys.stderr)
    if style.json:
        print(json.dumps({"error": message, "hint": hint, "code": code}, ensure_ascii=False))


def _keep(story: str) -> Path:
    """Write `story` where the user can find it. A read-only home must not hide the first error."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"autoft-error-{stamp}-{os.getpid()}.log"
    text = f"autoft {VERSION}\n{' '.join(sys.argv)}\n{story}"
    for folder in (_log_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
            return folder / name
        except OSError:
            continue
    return Path(os.devnull)


def _log_folder() -> Path:
    from autoft.data.cache import cache_root

    try:
        return cache_root() / "logs"
    except Exception:  # nothing may go wrong while an error is being told
        return Path(tempfile.gettempdir())
