"""Recordings that are too short for what is said in them are named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from autoft.pipeline import crowded
from autoft.records import Dataset, Output, Problem, Sample, Schema


def told(rows: list[list[int]], seconds: list[float], loss: str = "ctc", split: str = "") -> str:
    samples = tuple(
        Sample(id=f"{n}.wav", fields={"audio": f"{n}.wav", "said": row}, split=split) for n, row in enumerate(rows)
    )
    checked = SimpleNamespace(
        dataset=Dataset(samples=samples, reader="", root="", recognised=""),
        schema=Schema(task="any"),
        seconds=np.array(seconds),
    )

    def encode(samples: Any, schema: Schema, problem: Problem) -> dict[str, np.ndarray]:
        found = np.full((len(samples), 40), -1)
        for row, sample in enumerate(samples):
            found[row, : len(sample.fields["said"])] = sample.fields["said"]
        return {"said": found}

    output = Output(name="said", head="sequence", size=4, loss=loss, post="softmax", target="said")
    problem = Problem(name="any", inputs=("audio",), outputs=(output,))
    return crowded.told(SimpleNamespace(encode=encode), checked, {"net": {"any": problem}})  # type: ignore[arg-type]


def test_a_transcript_needs_a_frame_for_each_sign_and_one_between_equal_ones() -> None:
    fits = [1, 2] * 12
    assert told([fits, fits], [1.0, 0.96]) == ""
    found = told([fits, [*fits, 1, 2], [1] * 14, fits], [1.0, 1.0, 1.0, 0.9])
    assert found.startswith("3 of 4 recordings are too short for their transcripts, which say more than 25 signs")
    assert "'1.wav', '2.wav', '3.wav'" in found


def test_other_losses_and_other_parts_are_not_looked_at() -> None:
    assert told([[1] * 30], [0.1], loss="mse") == "" and told([[1] * 30], [0.1], split="test") == ""
    assert told([[1] * 30], [0.0]) == "", "how long it is is not known"
