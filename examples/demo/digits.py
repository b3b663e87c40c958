"""Write scikit-learn's handwritten digits as class folders of PNG files: `python digits.py FOLDER`.

The 1797 images are scans of digits written by 43 people, reduced to 8 x 8 pixels with 17 grey levels (E. Alpaydin and
C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998). They come with
scikit-learn, so nothing is downloaded. They are written as they are, 8 x 8; autoft enlarges them when it decodes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

LEVELS = 16


def write(folder: Path) -> int:
    """Write `folder/<digit>/<number>.png` for every scan; returns how many."""
    scans = load_digits()
    for number, (pixels, digit) in enumerate(zip(scans.images, scans.target, strict=True)):
        place = folder / str(digit)
        place.mkdir(parents=True, exist_ok=True)
        grey = np.rint(pixels * (255 / LEVELS)).astype(np.uint8)
        Image.fromarray(grey).save(place / f"{number:04d}.png")
    return len(scans.target)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-data/digits")
    print(f"{write(target)} scans of handwritten digits, 8 x 8 pixels, in {target}/<digit>/")
