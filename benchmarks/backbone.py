"""What the bundled backbone is worth: bundled weights, random weights of the same network, and ImageNet as ceiling.

    python -m benchmarks.backbone --datasets fsdd camvid --parts linear few --seeds 0 1 --json backbone.json

From the repository's root; data and the ImageNet checkpoint are found by AUTOFT_SHARED or in ../shared. Runs in
pieces add to the same JSON file. Values are accuracies, for camvid mean overlap (IoU) of pixels.

* linear: ridge regression on frozen pooled features (camvid: on the features of all strides at 60 pixels an image).
  Each seed draws another split, or nine tenths of the training part where the test part is given, and other random
  weights.
  `random` is the network as a user gets it without weights; `settled` is the same after its normalisation has seen
  the images of the training part, which is the stronger opponent of frozen features.
* few: the same from 5 images of each class (camvid: from 5 images), logistic regression.
* tune: all weights trained, under a head that standardises what it is given. `random` takes as many epochs as the set
  has in EPOCHS; `bundled_half` takes half of them, with a whole schedule of its own; with --whole each arm takes both.
  Each of them has the recipe that is best for it, among the same for all, on a quarter of the training part held out
  by --splits seeds that are not reported; of videos that is stretches in time. --own-part chooses by the validation
  part where the set has one (camvid). The recipes are those of --rates of the trunk and --heads times as much for the
  head, or --recipes RATE,HEAD,DECAY,START,BATCH: the rate of each stage in that of the one behind it, whether the head
  begins at random (plain) or solved on the untrained trunk (probed), and the images of a step. All else is equal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from autoft_torch import _weights
from benchmarks import tuning, wholenet
from tools.pretrain import learner, probes, realdata
from tools.pretrain.__main__ import SHIPPED
from tools.pretrain.realdata import Labelled

DATASETS: dict[str, Callable[[int], Labelled]] = {
    "hymenoptera": lambda side: realdata.folders("imgcls__hymenoptera", side, ("train", "val")),
    "sign_language_digits": lambda side: realdata.folders("imgcls__sign_language_digits", side, None),
    "cifar10_mini": lambda side: realdata.folders("imgcls__cifar10_mini", side, ("train", "test")),
    "camvid": lambda side: realdata.camvid(2 * side),  # scenes need more pixels than things
    "fsdd": realdata.fsdd,
}
#: Sets with a part to choose recipes by. That of camvid shows seven seconds of one of the drives.
TO_CHOOSE_BY: dict[str, Callable[[int], Labelled]] = {"camvid": lambda side: realdata.camvid(2 * side, "val")}
#: Of fine-tuning from random weights: few images need more of them.
EPOCHS = {"hymenoptera": 40, "sign_language_digits": 16, "cifar10_mini": 10, "camvid": 20, "fsdd": 16}
PARTS = ("linear", "few", "tune")
ARMS = ("bundled", "random", "settled", "imagenet")
SHOTS = 5
#: Mirroring changes the meaning of these.
ONE_WAY = ("sign_language_digits", "fsdd")


class Mobile(nn.Module):
    """The ImageNet network, taking images normalised for ours; its maps at strides 4 to 32 beside pooled features."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        import timm

        name = f"local-dir:{folder}"
        self.whole = timm.create_model(name, pretrained=True, num_classes=0).float()
        self.stem = nn.Identity()
        self.parts = timm.create_model(name, pretrained=True, features_only=True, out_indices=(1, 2, 3, 4)).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.whole(x / 2)  # our deviation is 0.25, theirs 0.5

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        return self.parts(x / 2)


def bundled(path: Path) -> nn.Module:
    net = learner.trunk()
    _weights.put(net, _weights.read(path), (), str(path), strict=True)
    return net.eval()


def random(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return learner.trunk().eval()


def few(data: Labelled, parts: probes.Split, seed: int) -> probes.Split:
    rows = np.random.default_rng(seed).permutation(parts[0])
    if data.dense:
        return rows[:SHOTS], parts[1]
    return np.concatenate([rows[data.labels[rows] == c][:SHOTS] for c in np.unique(data.labels)]), parts[1]


def values(name: str, data: Labelled, seeds: list[int], weights: Path) -> Iterator[tuple[int, float, float]]:
    """Linear and few-shot value of one arm for each seed. Only random networks differ from seed to seed."""
    found: Any = None
    for seed in seeds:
        parts = probes.split(data, seed)
        if found is None or name in ("random", "settled"):
            net = arm(name, weights, seed)
            if name == "settled":
                wholenet.settle(net, data, parts[0])
            found = probes.pixels(net, data) if data.dense else (probes.pooled(net, data), data.labels)
        some = few(data, parts, seed)
        if data.dense:
            yield seed, probes.overlap(*found, parts, data.void), probes.overlap(*found, some, data.void)
        else:
            yield seed, probes.accuracy(*found, parts), probes.accuracy(*found, some, "logistic")


class Table:
    """Values by data set, part and arm, kept in a JSON file so that runs in pieces add up."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[str, Any] = json.loads(path.read_text()) if path and path.is_file() else {}

    def note(self, dataset: str, part: str, arm: str, facts: dict[str, Any]) -> None:
        self.rows.setdefault(dataset, {}).setdefault(part, {}).setdefault(arm, {"values": {}}).update(facts)

    def add(self, dataset: str, part: str, arm: str, seed: int, value: float) -> None:
        cell = self.rows.setdefault(dataset, {}).setdefault(part, {}).setdefault(arm, {"values": {}})
        cell["values"][str(seed)] = round(value, 4)
        known = list(cell["values"].values())
        cell["mean"] = round(statistics.fmean(known), 4)
        cell["spread"] = round(statistics.stdev(known), 4) if len(known) > 1 else 0.0
        print(f"{dataset} {part} {arm} seed {seed}: {value:.4f}", file=sys.stderr, flush=True)
        if self.path:
            self.path.write_text(json.dumps(self.rows, indent=1) + "\n")


def arm(name: str, weights: Path, seed: int) -> nn.Module:
    if name == "imagenet":
        return Mobile(realdata.shared() / "weights/mobilenet_v2_1.0_imagenet/timm")
    return bundled(weights) if name == "bundled" else random(seed)


def run(options: argparse.Namespace, table: Table) -> None:
    for dataset in options.datasets:
        make = DATASETS[dataset]
        for name in options.arms if {"linear", "few"} & {*options.parts} else ():
            side = options.ceiling_side if name == "imagenet" else options.side
            data = make(side)
            for seed, *both in values(name, data, options.seeds, options.weights):
                for part, value in zip(PARTS, both, strict=False):
                    table.add(dataset, part, name, seed, value)
        if "tune" in options.parts:
            tuned(dataset, make(options.side), options, table)


def tuned(dataset: str, data: Labelled, options: argparse.Namespace, table: Table) -> None:
    epochs = max(2, round(EPOCHS[dataset] * options.effort))
    choices = options.recipes or tuning.grid(options.rates, options.heads)
    if options.own_part and dataset in TO_CHOOSE_BY:
        trials = tuning.given(TO_CHOOSE_BY[dataset](options.side), options.splits)
    else:
        trials = tuning.held_out(data, options.splits)
    for name in [a for a in options.arms if a in ("random", "bundled")]:
        for label, length in tunings(name, epochs, whole=options.whole):
            how: dict[str, Any] = {"mirror": dataset not in ONE_WAY, "epochs": length}
            recipe, value = tuning.fitting(
                lambda seed, name=name: arm(name, options.weights, seed), trials, choices, **how
            )
            facts = {"epochs": length, "recipe": str(recipe), "held_out": round(value, 4)}
            table.note(dataset, "tune", label, {**facts, "side": data.images.shape[1]})
            for seed in options.seeds:
                net = arm(name, options.weights, seed)
                score = tuning.tune(net, data, probes.split(data, seed), seed=seed, recipe=recipe, **how)
                table.add(dataset, "tune", label, seed, score)


def tunings(name: str, epochs: int, *, whole: bool) -> list[tuple[str, int]]:
    half, all_of_them = (name + "_half", epochs // 2), (name, epochs)
    if whole:
        return [half, all_of_them]
    return [all_of_them if name == "random" else half]


def selection(weights: Path) -> dict[str, float]:
    """Mean over ten seeds of the probes that weights are chosen by, on data of which nothing else is reported."""
    net = bundled(weights)
    found = {name: statistics.fmean(probes.score(net, data, range(10))) for name, data in probes.selection().items()}
    return {**found, "mean": statistics.fmean(found.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--side", type=int, default=64, help="of the images, in pixels")
    parser.add_argument("--ceiling-side", type=int, default=224, help="of the images for the ImageNet network")
    parser.add_argument("--effort", type=float, default=1.0, help="of fine-tuning: times EPOCHS")
    parser.add_argument("--rates", nargs="+", type=float, default=[2e-3, 4e-3, 8e-3], help="of the trunk, to choose")
    parser.add_argument("--heads", nargs="+", type=float, default=[1.0, 4.0], help="the head's rate, in the trunk's")
    parser.add_argument("--recipes", nargs="+", type=tuning.recipe, help="to choose, in place of --rates and --heads")
    parser.add_argument("--splits", type=int, default=1, help="of the training part, by which recipes are chosen")
    parser.add_argument("--own-part", action="store_true", help="choose recipes by the set's validation part, if any")
    parser.add_argument("--whole", action="store_true", help="fine-tune both arms for half and for all epochs")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--weights", type=Path, default=SHIPPED / "resnet_s.safetensors")
    parser.add_argument("--selection", action="store_true", help="only the probes by which --weights are chosen")
    parser.add_argument("--json", type=Path, help="write the numbers here too, beside those already there")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.selection:
        print(json.dumps(selection(options.weights), indent=1))
        return
    start = time.perf_counter()
    table = Table(options.json)
    run(options, table)
    print(json.dumps({**table.rows, "minutes": round((time.perf_counter() - start) / 60, 1)}, indent=1))


if __name__ == "__main__":
    main()
