"""Real data sets as arrays of small images, for probes alone: no network here ever learns its features from them."""

from __future__ import annotations

import io
import json
import os
import wave
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]
SIDE = 64


@dataclass(frozen=True)
class Labelled:
    """Images (n, s, s, 3); labels (n,), or (n, s, s) for dense sets; where the test part is given, which rows it has;
    groups that a split must not tear apart. Dense labels from `void` on are left out. Frames of videos say which clip
    they are of, and follow time in it."""

    images: Bytes
    labels: NDArray[np.int64]
    test: NDArray[np.bool_] | None = None
    groups: NDArray[np.int64] | None = None
    void: int = 255
    clips: NDArray[np.int64] | None = None

    @property
    def dense(self) -> bool:
        return self.labels.ndim == 3


def shared() -> Path:
    """The folder of data and weights, by AUTOFT_SHARED or beside the repository."""
    return Path(os.environ.get("AUTOFT_SHARED") or Path(__file__).parents[2] / "../shared")


def _fit(image: Image.Image, side: int) -> Bytes:
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))


def _open(path: Path, side: int) -> Bytes:
    with Image.open(path) as image:
        return _fit(image, side)


def _codes(names: list[str]) -> NDArray[np.int64]:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def folders(name: str, side: int, parts: tuple[str, str] | None) -> Labelled:
    """Images in folders named by class, under a folder for each part where there are parts."""
    root = shared() / "data" / name
    files = sorted(p for p in root.rglob("*.*") if p.suffix.lower() in (".jpg", ".png"))
    images = np.stack([_open(p, side) for p in files])
    test = np.array([p.relative_to(root).parts[0] == parts[1] for p in files]) if parts else None
    return Labelled(images, _codes([p.parent.name for p in files]), test)


def camvid(side: int, test: str = "test") -> Labelled:
    parts = ("train", test)
    names = [p.stem for part in parts for p in sorted((shared() / f"data/semseg__camvid/{part}/images").glob("*.jpg"))]
    drives = _codes([name.rpartition("_")[0] for name in names])
    return replace(_masks("semseg__camvid", side, 11, parts), clips=drives)


def _masks(name: str, side: int, void: int, parts: tuple[str, ...]) -> Labelled:
    root = shared() / "data" / name
    images, masks, test = [], [], []
    for part in parts:
        for path in sorted((root / part / "images").glob("*.jpg")):
            mask = Image.open(root / part / "masks" / (path.stem + ".png"))
            images.append(_open(path, side))
            masks.append(np.asarray(mask.convert("L").resize((side, side), Image.Resampling.NEAREST)))
            test.append(part != parts[0])
    labels = np.stack(masks).astype(np.int64)
    given = np.array(test) if len(parts) > 1 else None
    return Labelled(np.stack(images), labels if len(parts) > 1 else (labels > 127).astype(np.int64), given, None, void)


def nuclei_masks(side: int) -> Labelled:
    return _masks("semseg__nuclei", side, 2, (".",))


def nuclei_count(side: int) -> Labelled:
    """How many nuclei, in four classes of equal size."""
    root = shared() / "data/imgreg__nuclei_count"
    rows = [line.split(",") for line in (root / "labels.csv").read_text().split()[1:]]
    counts = np.array([float(row[1]) for row in rows])
    bins = np.digitize(counts, np.quantile(counts, (0.25, 0.5, 0.75)))
    return Labelled(np.stack([_open(root / row[0], side) for row in rows]), bins.astype(np.int64))


def digits(side: int) -> Labelled:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = [_fit(Image.fromarray((i * 15.9).astype(np.uint8)), side) for i in found.images]
    return Labelled(np.stack(images), found.target.astype(np.int64))


def crops(side: int) -> Labelled:
    """Boxes of three detection sets cut out, and pieces of the same pictures beside them; groups are the pictures."""
    rng = np.random.default_rng(0)
    images, names, groups = [], [], []
    for number, (path, boxes) in enumerate([*_kangaroos(), *_cells(), *_cards()]):
        with Image.open(path) as picture:
            width, height = picture.size
            wanted = [(name, box) for name, box in boxes if min(box[2] - box[0], box[3] - box[1]) > 12]
            keep = rng.permutation(len(wanted))[:3]
            pieces = [wanted[k] for k in keep]
            if wanted:
                extent = min(width, height) * rng.uniform(0.15, 0.4)
                x, y = rng.uniform(0, width - extent), rng.uniform(0, height - extent)
                if not any(x < b[2] and b[0] < x + extent and y < b[3] and b[1] < y + extent for _, b in boxes):
                    pieces.append((f"beside {path.parts[-3]}", (x, y, x + extent, y + extent)))
            for name, box in pieces:
                images.append(_fit(picture.crop(tuple(round(v) for v in box)), side))
                names.append(name)
                groups.append(number)
    return Labelled(np.stack(images), _codes(names), None, np.array(groups))


Box = tuple[float, float, float, float]
Boxes = list[tuple[Path, list[tuple[str, Box]]]]


def _kangaroos() -> Boxes:
    found: Boxes = []
    for path in sorted((shared() / "data/objdet__kangaroo_yolo/images").rglob("*.jpg")):
        label = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
        width, height = Image.open(path).size
        boxes = []
        for line in label.read_text().splitlines() if label.exists() else ():
            x, y, w, h = (float(v) for v in line.split()[1:5])
            boxes.append(("kangaroo", _box((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)))
        found.append((path, boxes))
    return found


def _cells() -> Boxes:
    root = shared() / "data/objdet__bccd_voc"
    found: Boxes = []
    for note in sorted((root / "Annotations").glob("*.xml")):
        boxes = []
        for thing in ET.parse(note).getroot().iter("object"):
            a, b, c, d = (float(thing.findtext(f"bndbox/{k}", "0")) for k in ("xmin", "ymin", "xmax", "ymax"))
            boxes.append((thing.findtext("name", ""), (a, b, c, d)))
        found.append((root / "JPEGImages" / (note.stem + ".jpg"), boxes))
    return found


def _cards() -> Boxes:
    root = shared() / "data/objdet__playing_cards_coco"
    found: Boxes = []
    for part in ("train", "test"):
        notes = json.loads((root / f"annotations/instances_{part}.json").read_text())
        names = {c["id"]: c["name"] for c in notes["categories"]}
        boxes: dict[int, list[tuple[str, Box]]] = {i["id"]: [] for i in notes["images"]}
        for mark in notes["annotations"]:
            boxes[mark["image_id"]].append((names[mark["category_id"]], _box(*mark["bbox"])))
        found += [(root / part / i["file_name"], boxes[i["id"]]) for i in notes["images"]]
    return found


def _box(x: float, y: float, w: float, h: float) -> Box:
    return (x, y, x + w, y + h)


def log_mel(sound: NDArray[np.float64], rate: int, side: int) -> Bytes:
    """A picture of a sound: log energies in `side` mel bands over time, the whole clip on `side` columns."""
    window = rate // 32
    hop = window // 3
    sound = np.pad(sound, (0, max(0, window + hop * 16 - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, 1024 if window <= 1024 else window)) ** 2
    top = 2595 * np.log10(1 + min(rate / 2, 8000) / 700)
    edges = 700 * (10 ** (np.linspace(60, top, side + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(2 * (power.shape[1] - 1), 1 / rate)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bands = power @ np.clip(np.minimum(rise, fall), 0, None).T
    loud = np.log10(bands + 1e-6 * bands.max() + 1e-10).T[::-1]
    low, high = loud.min(), loud.max()
    return _fit(Image.fromarray(((loud - low) / max(high - low, 1e-6) * 255).astype(np.uint8)), side)


def fsdd(side: int) -> Labelled:
    root = shared() / "data/audcls__fsdd"
    files = sorted(root.rglob("*.wav"))
    pictures = []
    for path in files:
        with wave.open(str(path)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
            pictures.append(log_mel(samples.reshape(-1, sound.getnchannels()).mean(1), sound.getframerate(), side))
    labels = _codes([p.parent.name for p in files])
    return Labelled(np.stack(pictures), labels, np.array([p.parts[-3] == "test" for p in files]))


def emodb(side: int) -> Labelled:
    import soundfile

    root = shared() / "data/audcls__emodb"
    rows = [line.split(",") for line in (root / "metadata.csv").read_text().split()[1:]]
    pictures = []
    for row in rows:
        sound, rate = soundfile.read(io.BytesIO((root / row[0]).read_bytes()))
        pictures.append(log_mel(sound, rate, side))
    return Labelled(np.stack(pictures), _codes([r[1] for r in rows]), None, _codes([r[2] for r in rows]))
