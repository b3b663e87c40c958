"""Optimizers and image mixing of the numpy backend, as the `Recipe` names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.recipe import Recipe
from autoft.testing.numpy_net import Blocks

Array = np.ndarray[Any, np.dtype[Any]]


class Optimizer:
    """sgd, adam or adamw over the arrays of the blocks that are not frozen."""

    def __init__(self, recipe: Recipe, blocks: Blocks, trained: list[str], pace: float = 1.0) -> None:
        """`pace` is that of the head, as the card has it."""
        self.recipe, self.blocks, self.trained, self.pace = recipe, blocks, trained, pace
        self.step = 0
        self.first: dict[str, Array] = {}
        self.second: dict[str, Array] = {}

    def update(self, gradients: Blocks, lr: float) -> None:
        """Change the arrays in place by one step."""
        self.step += 1
        scale = self._clip(gradients)
        for depth, block in enumerate(reversed(self.trained)):
            pace = lr * self.recipe.layer_decay ** max(0, depth - 1)  # the head and the last block at full pace
            pace *= self.pace if block == "head" else 1.0
            for key, gradient in gradients[block].items():
                self._move(block, key, gradient * scale, pace)

    def _clip(self, gradients: Blocks) -> float:
        if not self.recipe.clip:
            return 1.0
        norm = np.sqrt(sum(float((g**2).sum()) for name in self.trained for g in gradients[name].values()))
        return float(min(1.0, self.recipe.clip / (norm + 1e-12)))

    def _move(self, block: str, key: str, gradient: Array, pace: float) -> None:
        name, recipe = f"{block}/{key}", self.recipe
        array = self.blocks[block][key]
        shrinks = key.endswith("weight")
        if shrinks and recipe.optimizer == "adam":
            gradient = gradient + recipe.weight_decay * array
        elif shrinks:
            array = array * (1 - pace * recipe.weight_decay)
        beta = recipe.momentum if recipe.optimizer == "sgd" else 0.9
        kept = self.first.get(name, np.zeros_like(gradient))
        if recipe.optimizer == "sgd":
            self.first[name] = kept = beta * kept + gradient
            way = gradient + beta * kept if recipe.nesterov else kept
        else:
            self.first[name] = kept = beta * kept + (1 - beta) * gradient
            self.second[name] = 0.999 * self.second.get(name, np.zeros_like(gradient)) + 0.001 * gradient**2
            way = kept / (1 - beta**self.step) / (np.sqrt(self.second[name] / (1 - 0.999**self.step)) + 1e-8)
        moved = array - pace * way
        if block == "head" and shrinks and recipe.l1:
            moved = np.sign(moved) * np.maximum(np.abs(moved) - pace * recipe.l1, 0)
        self.blocks[block][key] = moved.astype(np.float32)


def augment(images: Array, policy: str, rng: np.random.Generator) -> Array:
    """Mirrored at random for `light`; `trivial` and `strong` change the brightness as well."""
    if policy == "none":
        return images
    turned = np.where((rng.random(len(images)) < 0.5)[:, None, None, None], images[:, :, ::-1], images)
    if policy == "light":
        return turned
    reach = 0.2 if policy == "trivial" else 0.4
    factors = rng.uniform(1 - reach, 1 + reach, (len(images), 1, 1, 1))
    return np.clip(turned * factors, 0, 255).astype(np.uint8)


def mix(images: Array, recipe: Recipe, rng: np.random.Generator) -> tuple[Array, Array, float]:
    """Images mixed with partners: (images, order of the partners, share that stays).

    Mixup (Zhang et al., 2018) blends, cutmix (Yun et al., 2019) pastes a box; with both on, a coin decides.
    """
    order = np.arange(len(images))
    if not (recipe.mixup or recipe.cutmix):
        return images, order, 1.0
    order = rng.permutation(order)
    if recipe.mixup and not (recipe.cutmix and rng.random() < 0.5):
        share = float(rng.beta(recipe.mixup, recipe.mixup))
        return (images * share + images[order] * (1 - share)).astype(np.uint8), order, share
    height, width = images.shape[1:3]
    side = np.sqrt(1 - rng.beta(recipe.cutmix, recipe.cutmix))
    top, left = (int(rng.uniform(0, 1 - side) * length) for length in (height, width))
    box = (slice(None), slice(top, top + int(side * height)), slice(left, left + int(side * width)))
    pasted = images.copy()
    pasted[box] = images[order][box]
    return pasted, order, 1 - int(side * height) * int(side * width) / (height * width)
