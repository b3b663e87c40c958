"""Linear probes on frozen features: how much a network's features tell, without training it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from tools.pretrain import learner, realdata, views
from tools.pretrain.realdata import Labelled

Floats = NDArray[np.float32]
Split = tuple[NDArray[np.int64], NDArray[np.int64]]
#: Sets by which steps and recipes are chosen. Nothing here is reported.
SELECTION: dict[str, Callable[[int], Labelled]] = {
    "digits": realdata.digits,
    "crops": realdata.crops,
    "nuclei_count": realdata.nuclei_count,
    "nuclei_masks": realdata.nuclei_masks,
    "emodb": realdata.emodb,
}
#: Pixels of each picture that a dense probe learns from and is tested on.
PIXELS = 60


def normal(images: NDArray[np.uint8]) -> torch.Tensor:
    """Images (n, h, w, 3) to what the network takes."""
    return (torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255 - views.MEAN) / views.STD


def pooled(net: nn.Module, data: Labelled, batch: int = 128) -> Floats:
    """What the trunk gives for each image (n, width)."""
    net.eval()
    with torch.no_grad():
        parts = [net(normal(data.images[k : k + batch])) for k in range(0, len(data.images), batch)]
    features: Floats = torch.cat(parts).float().numpy()
    return features


def pixels(net: nn.Module, data: Labelled, seed: int = 0, batch: int = 32) -> tuple[Floats, NDArray[np.int64]]:
    """Features of all strides at some pixels (n, PIXELS, width), and the pixels' labels (n, PIXELS)."""
    net.eval()
    n, height, width = data.labels.shape
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, height, (n, PIXELS)), rng.integers(0, width, (n, PIXELS))
    place = np.stack([(columns + 0.5) / width, (rows + 0.5) / height], -1) * 2 - 1
    points = torch.from_numpy(place.astype(np.float32))[:, None]
    found = []
    with torch.no_grad():
        for k in range(0, n, batch):
            some = learner.maps(net, normal(data.images[k : k + batch]))
            here = points[k : k + batch]
            found.append(torch.cat([F.grid_sample(m, here, align_corners=False)[:, :, 0] for m in some], 1))
    labels = data.labels[np.arange(n)[:, None], rows, columns]
    return torch.cat(found).transpose(1, 2).numpy(), labels


def split(data: Labelled, seed: int) -> Split:
    """The given test part with nine tenths of the rest to learn from, else a fifth or more of the groups as test."""
    from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

    rows = np.arange(len(data.images))
    if data.test is not None:
        rest = np.random.default_rng(seed).permutation(rows[~data.test])
        return rest[: int(len(rest) * 0.9)], rows[data.test]
    if data.groups is not None:
        return _pair(GroupShuffleSplit(1, test_size=0.3, random_state=seed).split(rows, groups=data.groups))
    if data.dense:
        half = np.random.default_rng(seed).permutation(rows)
        return half[: len(rows) // 2], half[len(rows) // 2 :]
    return _pair(StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(rows, data.labels))


def _pair(splits: Iterator[Any]) -> Split:
    learn, test = next(splits)
    return learn, test


def classifier(kind: str = "ridge") -> Any:
    """Standardised features to classes; the strength of the penalty is chosen by leaving one out."""
    from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "ridge":
        return make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-1, 4, 6)))
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))


def accuracy(features: Floats, labels: NDArray[np.int64], parts: Split, kind: str = "ridge") -> float:
    model = classifier(kind).fit(features[parts[0]], labels[parts[0]])
    return float((model.predict(features[parts[1]]) == labels[parts[1]]).mean())


def overlap(features: Floats, labels: NDArray[np.int64], parts: Split, void: int) -> float:
    """Mean over the classes of intersection over union of the pixels, by a linear probe."""
    width = features.shape[-1]
    known = [labels[rows].ravel() < void for rows in parts]
    x = [features[rows].reshape(-1, width)[k] for rows, k in zip(parts, known, strict=True)]
    y = [labels[rows].ravel()[k] for rows, k in zip(parts, known, strict=True)]
    said = classifier().fit(x[0], y[0]).predict(x[1])
    values = [((said == c) & (y[1] == c)).sum() / max(1, ((said == c) | (y[1] == c)).sum()) for c in np.unique(y[1])]
    return float(np.mean(values))


def score(net: nn.Module, data: Labelled, seeds: range) -> list[float]:
    """One value for each seed: accuracy, or mean overlap for a dense set."""
    if data.dense:
        found, labels = pixels(net, data)
        return [overlap(found, labels, split(data, seed), data.void) for seed in seeds]
    features = pooled(net, data)
    return [accuracy(features, data.labels, split(data, seed)) for seed in seeds]


def selection() -> dict[str, Labelled]:
    """The sets to choose by, as far as they are on this machine."""
    if not (realdata.shared() / "data").is_dir():
        return {"digits": realdata.digits(realdata.SIDE)}
    return {name: make(realdata.SIDE) for name, make in SELECTION.items()}
