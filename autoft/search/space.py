"""The space of configurations: a tuple of `Param`, walked from the parameters that decide to those that depend.

Several `Param` may share a key when their conditions exclude each other (an image size per model, a range of
learning rates per optimizer). A parameter whose condition does not hold is left out: the recipe's default holds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from autoft.errors import UsageError
from autoft.recipe import FIELDS, Recipe
from autoft.records import Param, Scalar
from autoft.vocab import did_you_mean

Space = tuple[Param, ...]
Values = dict[str, Scalar]

DEFAULTS: Final[Mapping[str, Scalar]] = Recipe().flat()
"""What holds for a key that the space leaves out."""


def edit(space: Sequence[Param], params: Iterable[Param]) -> Space:
    """The space with every `Param` of the given keys replaced, each where the old one stood; new keys come last."""
    fresh: dict[str, list[Param]] = defaultdict(list)
    for param in params:
        fresh[param.key].append(param)
    edited: list[Param] = []
    for param in space:
        if param.key not in fresh:
            edited.append(param)
        elif all(param.key != done.key for done in edited):
            edited.extend(fresh[param.key])
    old = {param.key for param in space}
    return (*edited, *(param for key, new in fresh.items() if key not in old for param in new))


def active(param: Param, params: Mapping[str, Scalar]) -> bool:
    """Whether the condition of `param` holds. A key that `params` leaves out has the recipe's default."""
    return all(params.get(key, DEFAULTS.get(key)) in values for key, values in param.when.items())


def walk(space: Sequence[Param], draw: Callable[[Param], Scalar]) -> Values:
    """One configuration: `draw` is asked for every active parameter, after those that its condition names."""
    params: Values = {}
    for variants in ordered(space).values():
        param = _chosen(variants, params)
        if param is not None:
            params[param.key] = draw(param)
    return params


def baseline(space: Sequence[Param]) -> Values:
    """The configuration of trial 0: all defaults, inactive parameters left out."""
    return walk(space, default_of)


def resolve(space: Sequence[Param], drawn: Mapping[str, Scalar]) -> Values:
    """`drawn` made complete: defaults where a value is missing, inactive parameters left out.

    Raises:
        UsageError: `drawn` has a key that the space does not have.
    """
    keys = list(dict.fromkeys(param.key for param in space))
    for key in drawn:
        if key not in keys:
            raise UsageError(f"the space has no parameter '{key}'.{did_you_mean(key, keys)}")
    return walk(space, lambda param: drawn[param.key] if param.key in drawn else default_of(param))


def points(space: Sequence[Param]) -> Iterator[Values]:
    """Every configuration of a space without ranges, the last parameter changing fastest."""
    rest = list(ordered(space).values())

    def grow(params: Values, depth: int) -> Iterator[Values]:
        if depth == len(rest):
            yield params
            return
        param = _chosen(rest[depth], params)
        if param is None:
            yield from grow(params, depth + 1)
            return
        for value in listed(param) or ():
            yield from grow({**params, param.key: value}, depth + 1)

    return grow({}, 0)


def size(space: Sequence[Param]) -> float:
    """Number of different configurations, or infinity when a range of real numbers can be active."""
    needed = {key for param in space for key in param.when}
    counts: dict[tuple[tuple[str, Scalar], ...], float] = {(): 1}
    for key, variants in ordered(space).items():
        grown: dict[tuple[tuple[str, Scalar], ...], float] = defaultdict(float)
        for state, count in counts.items():
            param = _chosen(variants, dict(state))
            values = listed(param) if param is not None else ()
            if values is None:
                return math.inf
            if param is None or key not in needed:
                grown[state] += count * (len(values) if param is not None else 1)
                continue
            for value in values:  # only values that conditions ask for are told apart: the count stays cheap
                grown[(*state, (key, value))] += count
        counts = grown
    return sum(counts.values())


def listed(param: Param) -> tuple[Scalar, ...] | None:
    """The different values of a parameter, or None when they are not countable."""
    if param.kind == "choice":
        return tuple(dict.fromkeys(param.choices))
    if param.kind == "int":
        return tuple(range(int(param.low), int(param.high) + 1))
    return (float(param.low),) if param.fixed else None


def contains(param: Param, value: Scalar) -> bool:
    """Whether `value` is one that the parameter can take."""
    if param.kind == "choice":
        return value in param.choices
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and param.low <= float(value or 0) <= param.high


def default_of(param: Param) -> Scalar:
    """The stated default; else the recipe's where it fits; else the first choice or the middle of the range."""
    if param.default is not None:
        return param.default
    usual = DEFAULTS.get(param.key)
    if usual is not None and contains(param, usual):
        return usual
    if param.kind == "choice":
        return param.choices[0]
    middle = math.sqrt(param.low * param.high) if param.log else (param.low + param.high) / 2
    return round(middle) if param.kind == "int" else float(f"{middle:.4g}")


def ordered(space: Sequence[Param]) -> dict[str, tuple[Param, ...]]:
    """Parameters by key; a key comes after all keys that its conditions name, else in the order given.

    Raises:
        UsageError: conditions go round in a circle.
    """
    waiting: dict[str, list[Param]] = defaultdict(list)
    for param in space:
        waiting[param.key].append(param)
    done: dict[str, tuple[Param, ...]] = {}
    while waiting:
        ready = (key for key, variants in waiting.items() if not any(w in waiting for p in variants for w in p.when))
        key = next(ready, None)
        if key is None:
            raise UsageError(f"conditions must not go round in a circle, but these do: {', '.join(sorted(waiting))}.")
        done[key] = tuple(waiting.pop(key))
    return done


def _chosen(variants: Sequence[Param], params: Mapping[str, Scalar]) -> Param | None:
    return next((param for param in variants if active(param, params)), None)


# ---- checks ---------------------------------------------------------------------------------------------


def validate(space: Sequence[Param]) -> None:
    """Check every parameter by itself, then that variants of one key exclude each other and no circle is there.

    Raises:
        UsageError: names the parameter, the law and the value that breaks it.
    """
    keys = list(dict.fromkeys([*(param.key for param in space), *FIELDS]))
    for param in space:
        _check_values(param)
        for key in param.when:
            if key not in keys:
                near = did_you_mean(key, keys)
                raise UsageError(f"a condition must name a parameter, but that of {param.key} names '{key}'.{near}")
    for key, variants in ordered(space).items():
        for index, one in enumerate(variants):
            for other in variants[index + 1 :]:
                if not any(set(one.when[k]).isdisjoint(other.when[k]) for k in one.when.keys() & other.when.keys()):
                    raise UsageError(
                        f"parameters that share a key must exclude each other, but {key} is given for "
                        f"'{condition_text(one) or 'always'}' and for '{condition_text(other) or 'always'}'."
                    )


def _check_values(param: Param) -> None:
    span = f"{param.low:g}..{param.high:g}"
    if param.kind == "choice":
        if not param.choices:
            raise UsageError(f"{param.key} must have at least one choice.")
    elif not (math.isfinite(param.low) and math.isfinite(param.high) and param.low <= param.high):
        raise UsageError(f"low <= high must hold for {param.key}, but got {span}.")
    elif param.log and param.low <= 0:
        raise UsageError(f"a log scale needs low > 0 for {param.key}, but got {span}.")
    elif param.kind == "int" and not (float(param.low).is_integer() and float(param.high).is_integer()):
        raise UsageError(f"the ends of {param.key} must be whole numbers, but got {span}.")
    if param.default is not None and not contains(param, param.default):
        raise UsageError(
            f"the default of {param.key} must be one of its values, {values_text(param)}, but is {text(param.default)}."
        )


# ---- words for people -----------------------------------------------------------------------------------


class Row(NamedTuple):
    """One parameter for `--dry-run`. `values` is in the syntax that `key=value` accepts."""

    key: str
    values: str
    condition: str
    default: str


def describe(space: Sequence[Param]) -> list[Row]:
    """One row per parameter, in the order of the walk."""
    return [
        Row(param.key, values_text(param), condition_text(param), text(default_of(param)))
        for variants in ordered(space).values()
        for param in variants
    ]


def values_text(param: Param) -> str:
    """`16,32,64`, `1e-05..0.01:log`."""
    if param.kind == "choice":
        return ",".join(text(choice) for choice in param.choices)
    ends = (int(param.low), int(param.high)) if param.kind == "int" else (float(param.low), float(param.high))
    return f"{text(ends[0])}..{text(ends[1])}{':log' if param.log else ''}"


def condition_text(param: Param) -> str:
    """`optimizer=adamw,adam and model=a`; empty when the parameter is always there."""
    return " and ".join(f"{key}={','.join(text(v) for v in values)}" for key, values in param.when.items())


def text(value: Scalar) -> str:
    """A value as it is typed on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
