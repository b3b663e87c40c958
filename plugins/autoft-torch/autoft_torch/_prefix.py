"""The frozen beginning of a trunk: finds where it can end, picks up what stands there, and goes on from there.

A trunk that was entered at a cut takes rows of what stands there in place of images. The module at the cut gives the
rows; those before it give zeros without memory, so that whatever code stands between them runs and costs nothing.
Only `forward` of single modules is covered up: arrays, their names and what is saved stay as they are.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import torch
from torch import nn
from torch.utils import _pytree as pytree

from autoft.api import Cut, Job, to_json
from autoft_torch import _cuts, _pyramid
from autoft_torch._cuts import SAMPLES, Form, Output, Point
from autoft_torch._net import Net
from autoft_torch._precision import Precision, layout, once

Place = tuple[int, tuple[int, ...]]
"""Of a point (`Point.place`)."""
#: By how much features may differ when a cut is tried, in shares of the largest one.
TOLERANCE = 1e-3


class _Known(NamedTuple):
    """What was found out about the networks of one architecture, size and precision."""

    points: tuple[Point, ...]
    sound: dict[int, bool]
    """Whether the point at this depth was tried with success."""
    wide: Point
    """Where the features of all levels stand."""


#: Cuts hang on the architecture alone, so a process that runs many trials of one network looks for them once.
_known: dict[tuple[str, int, str, str], _Known] = {}


class _Reached(Exception):
    """The deepest cut is reached; nothing after it needs to be computed."""


class Prefix:
    """The cuts of one net's trunk."""

    def __init__(self, net: Net, job: Job, precision: Precision) -> None:
        self.net, self.size, self.precision = net, job.image_size, precision
        card = to_json(msgspec.structs.replace(job.card, weights="", offline=False))
        self.key = (card, job.image_size, precision.word, precision.device.type)
        self.entered: Entered | None = None
        self.pooling = job.recipe.pooling

    def cuts(self) -> tuple[Cut, ...]:
        return tuple(Cut(depth=point.depth, shape=point.shape) for point in self._facts().points)

    def levels(self) -> Cut:
        wide = self._facts().wide
        return Cut(depth=wide.depth, shape=wide.shape)

    def point(self, cut: Cut) -> Point:
        points = (*self._facts().points, self._facts().wide)
        for point in points:
            if (point.depth, point.shape) == (cut.depth, cut.shape):
                return point
        known = ", ".join(f"{point.depth} {point.shape}" for point in points)
        raise ValueError(f"a cut must be one of the network's ({known}), but got {cut.depth} {cut.shape}.")

    def rest(self) -> None:
        """Put what stands before the deepest cut of the frozen part in evaluation mode, also what has no arrays
        (dropout after an embedding), so that the frozen part is a function of the image."""
        if 0 < self.net.frozen < len(self.net.blocks):
            allowed = [point for point in self._facts().points if point.depth <= self.net.frozen]
            for name in (allowed[-1].module, *allowed[-1].before) if allowed else ():
                self.net.trunk.get_submodule(name).eval()

    def pick(self, images: torch.Tensor, points: Sequence[Point]) -> dict[Place, torch.Tensor]:
        """Rows at each of the points, by place, for normalised images. Not to be called while entered."""
        with self.precision.cast():
            return pick(self.net.trunk, images, points)

    def enter(self, point: Point | None) -> None:
        """Take rows of what stands at the point, or images again.

        Raises:
            ValueError: the trunk does not give the same features from there.
        """
        if self.entered:
            self.entered.leave()
            self.entered = None
        wide = bool(point and point.levels)
        if point and wide != (self.pooling == "levels") and self._facts().wide.levels:
            raise ValueError(
                f"a head with pooling={self.pooling} must not stand on a cut of the shape {point.shape}: heads on all "
                "levels stand on these alone, and only they do."
            )
        self.net.entered = wide
        if point is None or wide:
            return
        sound = self._facts().sound
        if point.depth not in sound:
            with torch.no_grad(), self.precision.cast(), once():
                sound[point.depth] = agrees(self._copy(), point, self._noise(1))
        if not sound[point.depth]:
            raise ValueError(
                f"a cut must be all that later blocks need of earlier ones, but after block {point.depth} "
                f"('{point.module}') the network gives other features without its images."
            )
        self.entered = Entered(self.net.trunk, point)

    def _facts(self) -> _Known:
        if self.key not in _known:
            wanted = self.net.blocks, self._noise(0), self.precision.cast
            with once():
                try:
                    points = _cuts.find(self._copy(), *wanted)
                except RuntimeError:  # autograd cannot record this trunk; its features can be had all the same
                    points = _cuts.find(self._copy(), *wanted, record=False)
            with once():
                _known[self.key] = _Known(points, {}, self._wide(points[-1]))
        return _known[self.key]

    def _wide(self, last: Point) -> Point:
        """Where the features of all levels stand, given where the last ones do."""
        levels = _pyramid.find(self._copy(), self.size)
        width = last.shape[0] + _pyramid.width(levels)
        given = Output((Form((SAMPLES, width), torch.float32),), pytree.tree_structure(0))
        return Point(last.depth, "", given, False, {}, last.images, levels)

    def _copy(self) -> nn.Module:
        """To be tried out: some networks keep what they computed in evaluation mode."""
        return copy.deepcopy(self.net.trunk).eval()

    def _noise(self, seed: int) -> torch.Tensor:
        draws = torch.Generator().manual_seed(seed)  # not the global generator, which training draws from
        noise = torch.randn((SAMPLES, 3, self.size, self.size), generator=draws)
        return noise.to(self.precision.device).contiguous(memory_format=layout(self.precision.device))


class Entered:
    """A trunk that takes what stands at a cut in place of images, until `leave`."""

    def __init__(self, trunk: nn.Module, point: Point) -> None:
        self.point = point
        self.trunk = weakref.ref(trunk)  # it refers to this object: a cycle would keep its arrays for a while
        self.whole = type(trunk).forward
        self.values = torch.empty(0)
        for name, output in point.before.items():
            trunk.get_submodule(name).forward = self._blanks(output)
        trunk.get_submodule(point.module).forward = self._give
        if point.module:
            trunk.forward = self._run

    def leave(self) -> None:
        if (trunk := self.trunk()) is not None:
            for name in {"", self.point.module, *self.point.before}:
                del trunk.get_submodule(name).forward

    def _run(self, values: torch.Tensor) -> torch.Tensor:
        self.values = values
        features: torch.Tensor = self.whole(self.trunk(), self._blank(self.point.images))
        self.values = torch.empty(0)  # a batch is not kept longer than needed
        return features

    def _give(self, *args: torch.Tensor, **options: object) -> object:
        values = self.values if self.point.module else args[0]
        return self.point.output.filled(lambda form: values)

    def _blanks(self, output: Output) -> Callable[..., object]:
        return lambda *args, **options: output.filled(self._blank)

    def _blank(self, form: Form) -> torch.Tensor:
        return form.blank(len(self.values), self.values.device)


def pick(trunk: nn.Module, images: torch.Tensor, points: Sequence[Point]) -> dict[Place, torch.Tensor]:
    """Rows at each of the points, by place. The trunk is run as far as the deepest one."""
    wide = next((point for point in points if point.levels), None)
    points = [point for point in points if not point.levels]
    if wide:
        with _pyramid.heard(trunk, wide.levels) as join:
            found, features = _heard(trunk, images, points, whole=True)
            return {**found, wide.place: wide.rows(join(features))}
    return _heard(trunk, images, points, whole=False)[0]


def _heard(
    trunk: nn.Module, images: torch.Tensor, points: Sequence[Point], *, whole: bool
) -> tuple[dict[Place, torch.Tensor], torch.Tensor]:
    """What stands at single modules, and, with `whole`, what the trunk gives."""
    found: dict[Place, torch.Tensor] = {}
    deepest = max((point.depth for point in points), default=-1)
    features = images

    def hear(point: Point) -> Callable[..., None]:
        def hook(module: nn.Module, args: object, output: object) -> None:
            leaves = pytree.tree_leaves(output)
            # Copied at once: what comes next may change it in place.
            found[point.place] = point.rows(next(leaf for leaf in leaves if isinstance(leaf, torch.Tensor)))
            if point.depth == deepest and not whole:
                raise _Reached

        return hook

    handles = [trunk.get_submodule(point.module).register_forward_hook(hear(point)) for point in points]
    try:
        features = trunk(images)
    except _Reached:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return found, features


def agrees(trunk: nn.Module, point: Point, images: torch.Tensor) -> bool:
    """Whether the trunk gives the same features from what stands at the point as from the images, which it then
    does not see."""
    features = trunk(images)
    rows = pick(trunk, images, [point])[point.place].to(images.device)
    entered = Entered(trunk, point)
    try:
        found = trunk(point.tensor(rows))
    except Exception:  # code between the modules before the cut cannot do with blanks, in whatever way it says so
        return False
    finally:
        entered.leave()
    return bool((found - features).abs().max() <= TOLERANCE * features.abs().max())
