"""What the parameters of a recipe mean, as the strings below their fields say."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

from autoft.recipe import Recipe


@cache
def meanings() -> Mapping[str, str]:
    """Key -> its first sentence; empty where the source is not at hand."""
    try:
        notes = dict(field_notes(Recipe))
    except (OSError, SyntaxError):  # an installation without sources: a table does without these words
        return {}
    return {name: " ".join(note.partition(". ")[0].rstrip(".").split()) for name, note in notes.items()}


def field_notes(kind: type) -> Iterator[tuple[str, str]]:
    """Each field of a class with the string that stands below it in the source.

    Raises:
        OSError: there is no source.
    """
    tree = ast.parse(inspect.getsource(kind)).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for node, after in pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.AnnAssign):
            note = after.value if isinstance(after, ast.Expr) else None
            yield ast.unparse(node.target), str(note.value) if isinstance(note, ast.Constant) else ""
