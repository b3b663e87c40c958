"""How quick small networks are on a CPU: images per second forward, and forward plus backward.

    python -m benchmarks.networks --json networks.json

From the repository's root. What the choice of the bundled backbone rests on: `resnet-s` beside plain residual networks
of other shapes, a stack of inverted residuals, and the small networks of timm that users know. Random weights, batches
of 32, single precision, channels last. The networks take turns for several rounds and each value is that of the best
round, since other work on the machine can only slow them. `share` is the part of the wall time of all threads in which
this process had a core: far below 1, wall times say little, and --cpu-time with one thread says what a core can do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from autoft_torch import _resnet

Work = Callable[[nn.Module, torch.Tensor], None]
BATCH = 32
SIDES = (64, 96, 128, 160)
PLAIN = {
    "resnet-s": _resnet.PLANS["resnet-s"],
    "plain, wider and shallower": _resnet.Plan(stem=32, stages=((48, 1), (96, 1), (192, 1), (192, 1))),
    "plain, narrower and deeper": _resnet.Plan(stem=16, stages=((24, 3), (48, 3), (96, 3), (160, 2))),
}
TIMM = ("mobilenetv3_small_050", "mobilenetv2_050", "lcnet_050", "regnetx_002", "resnet10t", "resnet18")


class Inverted(nn.Module):
    """Expansion, depthwise convolution, projection (Sandler et al., MobileNetV2, 2018)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        middle = 4 * inputs
        self.same = stride == 1 and inputs == outputs
        depthwise = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, middle, 1, bias=False), nn.BatchNorm2d(middle), nn.ReLU()),
            *(depthwise, nn.BatchNorm2d(middle), nn.ReLU()),
            *(nn.Conv2d(middle, outputs, 1, bias=False), nn.BatchNorm2d(outputs)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.same else self.body(x)


def inverted() -> nn.Module:
    """As many parameters as resnet-s, at the same strides."""
    parts: list[nn.Module] = [_resnet.Stem(24, 32)]
    width = 32
    for number, (outputs, depth) in enumerate(((32, 2), (64, 3), (128, 4), (192, 3))):
        for place in range(depth):
            parts.append(Inverted(width, outputs, 2 if place == 0 and number > 0 else 1))
            width = outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def candidates(names: list[str] | None) -> dict[str, nn.Module]:
    makers: dict[str, Callable[[], nn.Module]] = {
        name: lambda plan=plan: _resnet.ResNet(plan)  # type: ignore[misc]
        for name, plan in PLAIN.items()
    }
    makers["inverted residuals"] = inverted
    try:
        import timm
    except ImportError:
        print("timm is not installed: its networks are left out.", file=sys.stderr)
    else:
        for name in TIMM:
            makers[name] = lambda name=name: timm.create_model(name, num_classes=0)  # type: ignore[misc]
    wanted = {name: make for name, make in makers.items() if not names or name in names}
    return {name: make().to(memory_format=torch.channels_last) for name, make in wanted.items()}


def forward(net: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        net.eval()(images)


def both(net: nn.Module, images: torch.Tensor) -> None:
    net.train()(images).sum().backward()


def rate(work: Work, net: nn.Module, images: torch.Tensor, clock: Callable[[], float]) -> float:
    start = clock()
    work(net, images)
    return len(images) / (clock() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", help="only these")
    parser.add_argument("--sides", nargs="+", type=int, default=list(SIDES), help="of the images, in pixels")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cpu-time", action="store_true", help="images per second of CPU time, for one thread")
    parser.add_argument("--json", type=Path, help="write the numbers here, too")
    options = parser.parse_args()
    if options.cpu_time and options.threads != 1:
        parser.error("--cpu-time needs --threads 1: threads that wait for each other use CPU time, too.")
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    nets = candidates(options.networks)
    kinds = {"forward": forward, "both": both}
    seen: dict[tuple[str, int, str], list[float]] = {}
    start = time.perf_counter(), time.process_time()
    for side in options.sides:
        images = torch.randn(BATCH, 3, side, side).contiguous(memory_format=torch.channels_last)
        for turn in range(options.rounds + 1):
            for name, net in nets.items():
                for kind, work in kinds.items():
                    value = rate(work, net, images, clock)
                    if turn:  # the first makes buffers and kernels
                        seen.setdefault((name, side, kind), []).append(value)
    share = (time.process_time() - start[1]) / (time.perf_counter() - start[0]) / options.threads
    rows: dict[str, Any] = {}
    for name, net in nets.items():
        parameters = sum(p.numel() for p in net.parameters())
        rows[name] = {"parameters": parameters}
        for kind in kinds:
            rows[name][kind] = {side: round(max(seen[name, side, kind])) for side in options.sides}
    machine = {"threads": options.threads, "python": platform.python_version(), "torch": torch.__version__}
    told = {
        "benchmark": "networks",
        "machine": {**machine, "share": round(share, 2), "cpu_time": options.cpu_time},
        "rows": rows,
    }
    text = json.dumps(told, indent=1)
    if options.json:
        options.json.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
