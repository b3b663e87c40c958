"""The compact residual networks that autoft itself brings. Needs torch alone.

Plain parts only (3x3 and 1x1 convolutions, batch normalisation, ReLU, addition), so that the same network can be
written in any framework and weights carry over array by array.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Plan:
    """Channels of the stem, then channels and blocks of each stage. Strides are 4, 8, 16 and 32."""

    stem: int
    stages: tuple[tuple[int, int], ...]


PLANS = {"resnet-s": Plan(stem=24, stages=((32, 2), (64, 2), (128, 2), (160, 1)))}


def convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., 2015, basic block)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 3, 1)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class Stem(nn.Module):
    """Two 3x3 convolutions of stride 2: to a quarter of the side."""

    def __init__(self, middle: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = convolution(3, middle, 3, 2)
        self.norm1 = nn.BatchNorm2d(middle)
        self.conv2 = convolution(middle, outputs, 3, 2)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(x)))


class ResNet(nn.Module):
    """Images (n, 3, h, w) to pooled features (n, channels of the last stage)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        channels = plan.stages[0][0]
        self.stem = Stem(plan.stem, channels)
        self.stages = nn.ModuleList()
        for number, (width, depth) in enumerate(plan.stages):
            first = Residual(channels, width, 1 if number == 0 else 2)
            self.stages.append(nn.Sequential(first, *(Residual(width, width, 1) for _ in range(depth - 1))))
            channels = width
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.levels(x)[-1].mean((2, 3))

    def levels(self, x: torch.Tensor) -> list[torch.Tensor]:
        """What each stage gives: (n, channels, h, w) at strides 4, 8, 16, 32."""
        x = self.stem(x)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


def initialise(module: nn.Module) -> None:
    """He initialisation; the last normalisation of each block starts at 0, so that blocks start as identities."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, Residual):
        nn.init.zeros_(module.norm2.weight)


def build(architecture: str) -> nn.Module:
    return ResNet(PLANS[architecture])
