"""Every module of core stands on its own: it imports first, alone, and without a warning of ours."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import autoft

MODULES = sorted(module.name for module in pkgutil.walk_packages(autoft.__path__, "autoft."))

PROGRAM = """
import importlib, sys, warnings
warnings.filterwarnings("error", module=r"autoft(\\.|$)")
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", MODULES)
def test_imports_alone(module: str) -> None:
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", PROGRAM, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
