"""A class that the test part lacks is named: no score says anything of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from autoft.events import Note
from autoft.pipeline.search import run_search
from tests.pipeline.conftest import Heard, options


def test_a_class_without_a_sample_in_the_test_part_is_named(images: Path, tmp_path: Path) -> None:
    data = tmp_path / "imgs"
    for part, places in (("train", slice(0, 10)), ("val", slice(10, 14)), ("test", slice(14, 20))):
        for kind in sorted(images.iterdir()):
            if (part, kind.name) != ("test", "red_disc"):
                (data / part / kind.name).mkdir(parents=True)
                for file in sorted(kind.iterdir())[places]:
                    shutil.copy(file, data / part / kind.name)
    heard = Heard()
    run_search(options(data, tmp_path / "runs", scheduler="", refit=False, trials=1), heard)
    assert "the test part has no sample of 'red_disc': its scores say nothing of that" in [
        note.text for note in heard.of(Note) if note.level == "warning"
    ]
