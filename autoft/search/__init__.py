"""The search: space, searchers and the scheduling of trials.

`autoft.search` is both this package and the function of the Python interface: importing any module from here
would otherwise hide the function behind the package.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """See `autoft.python.search`."""
        from autoft.python import search

        return search(*args, **options)


sys.modules[__name__].__class__ = _CallablePackage
