"""`key=value` words of the user: a value fixes a parameter, several or a range search it.

    lr=1e-3   lr=1e-5..1e-2:log   batch_size=16..64   freeze=0,0.5,1   nesterov=true   model=a,b

YAML values (numbers, lists, booleans) mean the same as their text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_type_hints

from msgspec.structs import replace

from autoft import recipe
from autoft.errors import UsageError
from autoft.records import Param, Scalar
from autoft.search import space as spaces
from autoft.vocab import did_you_mean

ALIASES: Final = {
    "batch": "batch_size",
    "wd": "weight_decay",
    "learning_rate": "lr",
    "aug": "augment",
    "size": "image_size",
    "imgsz": "image_size",
    "optim": "optimizer",
}
WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
NAMES: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
RANGE: Final = re.compile(rf"\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*(:\s*log)?\s*")
TYPES: Final[Mapping[str, type]] = {key: kind for key, kind in get_type_hints(recipe.Recipe).items() if key != "extra"}


def parse_assignments(args: Sequence[str]) -> dict[str, str]:
    """`["lr=1e-3", "freeze=0,1"]` as names and texts.

    Raises:
        UsageError: a word without `=`, without a name or a value, or a name given twice.
    """
    found: dict[str, str] = {}
    for word in args:
        key, sign, value = (part.strip() for part in word.partition("="))
        if not (sign and key and value):
            raise UsageError(
                f"an override must look like key=value, but got '{word}'.", "For example: lr=1e-3 freeze=0,0.5,1"
            )
        if key in found:
            raise UsageError(
                f"a key must be given once, but '{key}' is given twice: {found[key]} and {value}.",
                f"To search both: {key}={found[key]},{value}",
            )
        found[key] = value
    return found


def parse(overrides: Mapping[str, Any], space: Sequence[Param]) -> tuple[Param, ...]:
    """Parameters to put in the place of those of `space` (see `space.edit`), without conditions.

    Trial 0 takes the fixed value; where a range or several values are given, what it had before if that is among
    them, else the recipe's default, else the number of a list that is nearest to what it had, else the first value or
    the middle of the range.

    Raises:
        UsageError: an unknown key or word, a value of another type or out of its range.
    """
    drafts: dict[str, Param] = {}
    for given, value in overrides.items():
        key = _key(given, space)
        if key in drafts:
            raise UsageError(f"a key must be given once, but '{given}' stands for '{key}', which is given too.")
        drafts[key] = _param(key, value, space)
    return tuple(_with_default(param, list(drafts.values()), space) for param in drafts.values())


def full_name(given: str) -> str:
    """A name of a parameter with short forms written out."""
    word = given.strip().replace("-", "_")
    return ALIASES.get(word, word)


def _key(given: str, space: Sequence[Param]) -> str:
    key = full_name(given)
    known = list(dict.fromkeys([*TYPES, *(param.key for param in space)]))
    if key not in known:
        near = did_you_mean(key, [*known, *ALIASES])
        raise UsageError(f"there is no parameter '{given}'.{near}", f"The parameters are: {', '.join(known)}")
    return key


def _param(key: str, value: Any, space: Sequence[Param]) -> Param:
    if isinstance(value, str) and ".." in value and _type(key, space) in (int, float):
        return _range(key, value, space)
    pieces = value if isinstance(value, (list, tuple)) else value.split(",") if isinstance(value, str) else [value]
    if not pieces:
        raise UsageError(f"{key} must have at least one value, but got an empty list.")
    return Param(key=key, choices=tuple(_value(key, piece, space) for piece in pieces))


def _range(key: str, words: str, space: Sequence[Param]) -> Param:
    match = RANGE.fullmatch(words)
    if not match:
        raise UsageError(
            f"a range must look like low..high or low..high:log, but got {key}={words}.", f"For example: {key}=1..2"
        )
    low, high = (_value(key, end, space) for end in match.group(1, 2))
    assert isinstance(low, (int, float)) and isinstance(high, (int, float))
    log = bool(match.group(3))
    if low > high:
        raise UsageError(
            f"low <= high must hold, but got {key}={words}.",
            f"Did you mean {key}={match.group(2)}..{match.group(1)}{':log' if log else ''}?",
        )
    if log and low <= 0:
        raise UsageError(f"a log scale needs low > 0, but got {key}={words}.")
    if low == high:
        return Param(key=key, choices=(low,))
    return Param(key=key, kind="int" if _type(key, space) is int else "float", low=low, high=high, log=log)


def _type(key: str, space: Sequence[Param]) -> type:
    """Type of a key's values: the recipe's, else that of the plugin's own parameter."""
    if key in TYPES:
        return TYPES[key]
    params = [param for param in space if param.key == key]
    if any(param.kind != "choice" for param in params):
        return float if any(param.kind == "float" for param in params) else int
    kinds = {type(choice) for param in params for choice in param.choices}
    return float if kinds == {int, float} else kinds.pop() if len(kinds) == 1 else str


def _value(key: str, piece: Any, space: Sequence[Param]) -> Scalar:
    """One value in its type, checked against the vocabulary and the ranges of `Recipe`. How it goes with the values of
    other keys shows when a whole recipe is made."""
    kind = _type(key, space)
    value = _converted(piece.strip() if isinstance(piece, str) else piece, kind)
    if value is None:
        shown = spaces.text(piece) if isinstance(piece, (str, int, float)) else repr(piece)
        raise UsageError(f"{key} must be {NAMES[kind]}, but got '{shown}'.")
    known = [text for param in space if param.key == key for text in param.choices if isinstance(text, str)]
    listed = key == "model" or key not in TYPES
    if listed and isinstance(value, str) and known and value not in known:
        hint = f"To search another network as well: --models {value}" if key == "model" else ""
        raise UsageError(
            f"{key} must be one of {', '.join(dict.fromkeys(known))}, but got '{value}'.{did_you_mean(value, known)}",
            hint,
        )
    recipe.check(key, value)
    return value


def _converted(piece: Any, kind: type) -> Scalar:
    """The value, or None when it is not of that type."""
    if kind is bool:
        return WORDS.get(spaces.text(piece).lower()) if isinstance(piece, (bool, str)) else None
    if kind is str:
        return piece if isinstance(piece, str) and piece else None
    if isinstance(piece, bool) or not isinstance(piece, (str, int, float)):
        return None
    try:
        number = float(piece)
    except ValueError:
        return None
    if kind is int:
        return int(number) if number.is_integer() else None
    return number


def _with_default(param: Param, drafts: Sequence[Param], space: Sequence[Param]) -> Param:
    """The parameter with the value of trial 0, which may depend on what the other overrides say."""
    others = [other for other in drafts if other.key != param.key]
    before = spaces.baseline(spaces.edit(space, others)).get(param.key)
    if before is not None and spaces.contains(param, before):
        return replace(param, default=before)
    return replace(param, default=_nearest(param, before))


def _nearest(param: Param, before: Scalar) -> Scalar:
    """Of listed numbers the one nearest to `before`, by their ratio where all are positive."""
    numbers = [value for value in param.choices if isinstance(value, (int, float)) and not isinstance(value, bool)]
    plain = spaces.default_of(param)
    if plain == spaces.DEFAULTS.get(param.key) or not numbers or len(numbers) != len(param.choices):
        return plain
    if isinstance(before, bool) or not isinstance(before, (int, float)):
        return plain
    if min(*numbers, before) > 0:
        return min(numbers, key=lambda value: abs(math.log(value / before)))
    return min(numbers, key=lambda value: abs(value - before))
