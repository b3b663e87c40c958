"""The benchmark that says what a CPU gains by bf16 and by layout."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from benchmarks import precision


@pytest.fixture
def thread() -> Iterator[None]:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_it_measures_each_layout_in_both_precisions(thread: None, capsys: pytest.CaptureFixture[str]) -> None:
    precision.main(["--networks", "resnet-s-64", "--batch", "2", "--rounds", "1"])
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["threads"] == 1
    assert [row["layout"] for row in told["rows"]] == ["channels_last", "channels_first"]
    for row in told["rows"]:
        for kind in precision.KINDS:
            assert set(row[f"{kind}_ms"]) == set(precision.PRECISIONS) and row[f"{kind}_gain"] > 0


def test_the_quickest_round_counts_and_the_first_does_not() -> None:
    def case() -> precision.Case:
        nothing = {"features": lambda: None, "step": lambda: None}
        return precision.Case("", {"fp32": nothing, "bf16": nothing})

    took = iter([9.0, 9.0, 9.0, 9.0, 4.0, 3.0, 1.0, 2.0, 5.0, 6.0, 2.0, 1.0])
    now, half = [0.0], [False]

    def clock() -> float:
        if half[0]:
            now[0] += next(took)
        half[0] = not half[0]
        return now[0]

    row = precision.measured(case(), 2, clock)
    assert row["features_ms"] == {"fp32": 4000.0, "bf16": 1000.0} and row["features_gain"] == 4.0
    assert row["step_ms"] == {"fp32": 3000.0, "bf16": 1000.0} and row["step_gain"] == 3.0
