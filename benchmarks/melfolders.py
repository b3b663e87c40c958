"""A data set of sounds as class folders of pictures, so that benchmarks on images take it: log energies in mel bands.

    python -m benchmarks.melfolders ../shared/data/audcls__fsdd OUT --side 96

SOURCE is a folder of class folders of WAV files, or of parts (`train`, `test`) that hold such folders, which OUT keeps.
The pictures are grey, one per sound, the whole sound on `side` columns, as in `tools/pretrain/realdata.py`. Speakers
are not kept apart: where a data set has no test part, a divided set holds the same voices on both sides.
"""

from __future__ import annotations

import argparse
import wave
from pathlib import Path

import numpy as np
from PIL import Image

from tools.pretrain.realdata import log_mel


def convert(source: Path, out: Path, side: int) -> int:
    """Write all pictures; gives their number."""
    files = sorted(source.rglob("*.wav"))
    for path in files:
        target = (out / path.relative_to(source)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path)) as sound:
            if sound.getsampwidth() != 2:
                raise SystemExit(f"sounds must have 16 bits, but '{path}' has {8 * sound.getsampwidth()}.")
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
            picture = log_mel(samples.reshape(-1, sound.getnchannels()).mean(1), sound.getframerate(), side)
        Image.fromarray(picture).save(target)
    return len(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, default=96)
    options = parser.parse_args()
    print(f"{convert(options.source, options.out, options.side)} pictures in {options.out}")


if __name__ == "__main__":
    main()
