"""Laws about the files themselves: small, portable, and free of what belongs to one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
MOST_IN_FUNCTION = 60
# Put together from pieces, so that this file does not break its own law.
HOSTS = re.compile("|".join(("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian")))
MACHINE = re.compile(r"(?<![\w./~$}])/(?:" + "|".join(("work", "root", "farm", "home")) + r")/\w")


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows or would take in, or all where there is no git; none of a virtual environment."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        found = [path for pattern in patterns or ("*",) for path in ROOT.rglob(pattern)]
    else:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in found if path.is_file() and not in_environment(path.parent)]


@cache
def in_environment(folder: Path) -> bool:
    if folder == ROOT:
        return False
    return (folder / "pyvenv.cfg").is_file() or in_environment(folder.parent)


def texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        raw = path.read_bytes()
        if b"\0" not in raw:
            yield str(path.relative_to(ROOT)), raw.decode()


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


PYTHON = tracked("*.py")


def test_small_files() -> None:
    counts = {name(path): path.read_text().count("\n") for path in PYTHON}
    assert not {file: count for file, count in counts.items() if count > MOST_LINES}, "split these by purpose"


def test_short_functions() -> None:
    lengths = {
        f"{name(path)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in PYTHON
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not {place: length for place, length in lengths.items() if length > MOST_IN_FUNCTION}, (
        "too long to read at once"
    )


def test_no_machine_paths() -> None:
    assert MACHINE.search("see /wo" + "rk/main")
    found = [f"{name}:{n}: {line.strip()}" for name, text in texts() for n, line in lines(text) if MACHINE.search(line)]
    assert not found


def test_no_registry_hosts() -> None:
    found = [f"{name}:{n}" for name, text in texts() for n, line in lines(text) if HOSTS.search(line)]
    assert not found


def lines(text: str) -> Iterator[tuple[int, str]]:
    return iter(enumerate(text.splitlines(), start=1))


def test_constraints_are_names_and_versions() -> None:
    wanted = re.compile(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+")
    wrong = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not wanted.fullmatch(line)]
    assert not wrong


def test_plugins_use_the_public_interface_alone() -> None:
    """Examples too: import-linter sees only the shipped plugins."""
    allowed = {"autoft.api", "autoft.vocab", "autoft.testing"}
    wrong = []
    for path in tracked("plugins/*.py", "examples/plugins/*.py"):
        for module in imported(path):
            if (
                module.split(".")[0] == "autoft"
                and ".".join(module.split(".")[:2]) not in allowed
                and "tests" not in path.parts
            ):
                wrong.append(f"{name(path)}: {module}")
    assert not wrong


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
