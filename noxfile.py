"""One session per question. `nox -l` lists them; `nox -s demo` is the first to try.

Sessions that run autoft share one environment, made by `env`, because PyTorch alone takes 5.5 GB of disk.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "imports", "tests"]

ROOT = Path(__file__).parent
PLUGINS = {path.parent.name: f"plugins/{path.parent.name}" for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))}
EXAMPLES = {
    path.parent.name: f"examples/plugins/{path.parent.name}"
    for path in sorted(ROOT.glob("examples/plugins/*/pyproject.toml"))
}
ALONE = PLUGINS | EXAMPLES
LOCAL = [word for folder in PLUGINS.values() for word in ("-e", folder)]
SUITES = ("tests", *PLUGINS.values(), "examples/plugins")
"""Tests that run in one process each: PyTorch and TensorFlow in the same one abort it."""
BIN = ROOT / ".nox" / "env" / ("Scripts" if os.name == "nt" else "bin")
QUIET = {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "TOKENIZERS_PARALLELISM": "false"}

# The wheels of PyTorch are large: a slow connection needs more than uv's 30 seconds.
os.environ.setdefault("UV_HTTP_TIMEOUT", "600")
# Without bytecode every process compiles what it imports; importing PyTorch then takes twice as long.
os.environ.setdefault("UV_COMPILE_BYTECODE", "1")


def install(session: nox.Session, *words: str) -> None:
    """Install at the versions that were tested."""
    session.install("-c", "constraints.txt", *words)


def run(session: nox.Session, program: str, *words: str, codes: Sequence[int] = (0,)) -> None:
    """Run a program of the shared environment, shown as a user would type it."""
    session.log(" ".join((program, *words)))
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))
    environment = {"PATH": path, **QUIET}
    session.run(str(BIN / program), *words, env=environment, external=True, log=False, success_codes=codes)


def suites(session: nox.Session, marks: str) -> None:
    """Run pytest on the paths that were given, else on each suite in a process of its own."""
    if any((ROOT / word.partition("::")[0]).exists() for word in session.posargs):
        run(session, "python", "-m", "pytest", "-m", marks, *session.posargs)
        return
    for folder in SUITES:  # 5: a suite in which `-k` or the marks picked nothing
        run(session, "python", "-m", "pytest", folder, "-m", marks, *session.posargs, codes=(0, 5))


@nox.session
def env(session: nox.Session) -> None:
    """The shared environment: autoft, all its plugins, and the tools for tests and docs."""
    install(session, "-e", ".[all,dev]", *LOCAL)


@nox.session(python=False, requires=["env"])
def demo(session: nox.Session) -> None:
    """Search on real images: handwritten digits from scikit-learn, within three minutes, offline."""
    run(session, "python", "examples/demo/digits.py", "demo-data/digits")
    run(
        session,
        "autoft",
        "search",
        "--task",
        "image-cls",
        "--data",
        "demo-data/digits",
        "--time",
        "3m",
        *session.posargs,
    )


@nox.session(python=False, requires=["env"])
def tests(session: nox.Session) -> None:
    """All tests but the slow ones; `nox -s tests -- -k word` picks some."""
    suites(session, "not slow and not network")


@nox.session(python=False, requires=["env"])
def slow(session: nox.Session) -> None:
    """The slow tests: real searches on real data."""
    suites(session, "slow and not network")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and likely mistakes; `nox -s lint -- --fix` mends what it can."""
    install(session, "ruff")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session(python=False, requires=["env"])
def types(session: nox.Session) -> None:
    """mypy --strict."""
    run(session, "python", "-m", "mypy", *session.posargs)


@nox.session
def imports(session: nox.Session) -> None:
    """The direction of imports: layers in core, plugins through the public API only."""
    install(session, "import-linter")
    path = os.pathsep.join([".", *PLUGINS.values()])
    session.run("lint-imports", *session.posargs, env={"PYTHONPATH": path})


@nox.session
@nox.parametrize("folder", list(ALONE.values()), ids=list(ALONE))
def plugins(session: nox.Session, folder: str) -> None:
    """Each plugin alone beside core, in an environment of its own."""
    install(session, "-e", ".[testing]", "-e", folder)
    session.run("python", "-m", "pytest", folder, "-m", "not slow and not network", *session.posargs, env=QUIET)


@nox.session(python=False, requires=["env"])
def matrix(session: nox.Session) -> None:
    """Which task works on which backend, and why not where it does not."""
    run(session, "autoft", "plugins", "--matrix", *session.posargs)


@nox.session(python=False, requires=["env"])
def bench(session: nox.Session) -> None:
    """What orchestration costs per trial, beside bare Ray Tune."""
    run(session, "python", "benchmarks/overhead.py", *session.posargs)


@nox.session(python=False, requires=["env"])
def docs(session: nox.Session) -> None:
    """Generated parts are up to date and links resolve; `nox -s docs -- -r` writes the generated parts anew."""
    pages = [str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md"))]
    run(session, "python", "-m", "cogapp", *(session.posargs or ["--check", "--diff"]), "-P", "-I", "tools", *pages)
    run(session, "python", "-m", "pytest", "tests/meta/test_docs.py", "-q")
