"""The entry point: runs one command and turns whatever happens into an exit code and words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import typer

from autoft.cli import failures
from autoft.cli.group import build
from autoft.errors import EXIT_INTERRUPTED, EXIT_OK, AutoftError

_LOADED = time.time()


def main() -> None:
    """What the installed `autoft` script calls."""
    sys.exit(run(sys.argv[1:], _LOADED))


def run(words: Sequence[str], began: float = 0.0) -> int:
    """The exit code of `autoft WORDS`. Prints, but never raises and never exits.

    `began` is the Unix time from which a budget counts; 0 is now.
    """
    style = failures.Style.of(words)
    try:
        code = build().main(list(words), prog_name="autoft", standalone_mode=False, obj=began or time.time())
        sys.stdout.flush()
        return code if isinstance(code, int) else EXIT_OK
    except AutoftError as error:
        return failures.known(error, style)
    except typer.TyperException as error:
        return failures.usage(error, style)
    except (KeyboardInterrupt, typer.Abort):
        return failures.interrupted(style)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        from autoft import full

        return (
            failures.known(full.refused(error), style) if full.says_no_room(error) else failures.internal(error, style)
        )
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_INTERRUPTED
    except Exception as error:  # the last resort: a bug of ours or of a plugin, kept in a file, never shown raw
        return failures.internal(error, style)


if __name__ == "__main__":
    main()
