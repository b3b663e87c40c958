"""Rows that are pieces of longer recordings are read as such, whatever their columns are called, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from autoft.data import audio, cuts, forms, longer, pieces, quiet, readers, splits, twins
from autoft.data.feed import DecodedFeed
from autoft.data.inspect import inspect
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.records import Dataset, Decoding, Fold, Sample, Splits, from_json, to_json
from autoft.registry import load

RATE = 8000
LABELS = ("dog", "cat", "bird")
TASK: Any = SimpleNamespace(inputs=("audio",), targets=("label",))


def steps(path: Path, seconds: int = 6) -> Path:
    """A twentieth of full scale louder from second to second; files of other names differ a little."""
    soundfile.write(path, 0.05 * (1 + np.arange(seconds * RATE) // RATE) + 1e-5 * ord(path.stem[0]), RATE)
    return path


def opened(path: Path, *, labelled: bool = True) -> Dataset:
    return readers.open_dataset(load(), DataOptions(data=str(path)), TASK, labelled=labelled)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Dataset]:
    """Four recordings of 6 s with three rows each, of seconds 0 to 2, 2 to 4 and 4 to 6, by these columns."""

    def read(columns: str, row: Callable[[int, int], str], files: int = 4, rows: int = 3) -> Dataset:
        for number in range(files):
            steps(tmp_path / f"{number}.wav")
        lines = [f"{n}.wav,{row(2 * k, 2 * k + 2)},{LABELS[(n + k) % 3]}" for n in range(files) for k in range(rows)]
        (tmp_path / "data.csv").write_text("\n".join([f"file,{columns},label", *lines]))
        return opened(tmp_path)

    return read


def spans(dataset: Dataset) -> list[tuple[float, float]]:
    return [tuple(sample.fields["piece"]) for sample in dataset.samples[:3]]


@pytest.mark.parametrize(
    "columns",
    [
        *("start_sec,end_sec", "start_s,end_s", "t_start,t_end", "start,stop", "segment_start,segment_end"),
        *("onset,offset", "begin_time,end_time", "xmin,xmax", "Begin Time (s),End Time (s)", "startTime,endTime"),
    ],
)
def test_columns_of_times_cut_recordings(table: Callable[..., Dataset], columns: str) -> None:
    dataset = table(columns, lambda begin, end: f"{begin},{end}")
    assert spans(dataset) == [(0, 2), (2, 4), (4, 6)] and dataset.samples[1].id == "0.wav@2-4s"
    assert [sample.fields["label"] for sample in dataset.samples[:3]] == list(LABELS)
    assert "(seconds)" in dataset.recognised
    assert dataset.recognised.endswith("12 pieces of 4 recordings, those of one stay in one part")
    assert len({(sample.group, sample.fields["audio"]) for sample in dataset.samples}) == 4


@pytest.mark.parametrize("columns", ["start,duration", "offset,duration", "Start_Time,dur"])
def test_a_duration_in_place_of_the_end(table: Callable[..., Dataset], columns: str) -> None:
    assert spans(table(columns, lambda begin, end: f"{begin},{end - begin}")) == [(0, 2), (2, 4), (4, 6)]


@pytest.mark.parametrize("columns", ["start,end", "start_ms,end_ms"])
def test_milliseconds_are_told_by_the_recordings(table: Callable[..., Dataset], columns: str) -> None:
    dataset = table(columns, lambda begin, end: f"{1000 * begin},{1000 * end}")
    assert spans(dataset) == [(0, 2), (2, 4), (4, 6)] and "(milliseconds)" in dataset.recognised


def test_times_of_a_clock(table: Callable[..., Dataset]) -> None:
    assert spans(table("start,end", lambda begin, end: f"0:00:0{begin}.5,00:0{end}")) == [(0.5, 2), (2.5, 4), (4.5, 6)]


def test_times_that_fit_no_recording_are_refused(table: Callable[..., Dataset]) -> None:
    for far in (90000, 10):
        with pytest.raises(DataError, match="in seconds or milliseconds"):
            table("start,end", lambda begin, end, far=far: f"{far * begin},{far * end}")


def test_times_of_whole_files_are_no_pieces_but_of_a_part_they_are(table: Callable[..., Dataset]) -> None:
    assert "piece" not in table("start,end", lambda begin, end: "0,6", rows=1).samples[0].fields
    assert "piece" not in table("start,end", lambda begin, end: "60,66", rows=1).samples[0].fields
    assert spans(table("offset,duration", lambda begin, end: "1.5,2", rows=1))[0] == (1.5, 3.5)


def test_columns_of_other_things_are_no_times() -> None:
    made = cuts.Table("t.csv", ("start_date", "end_of_life", "from_user", "to", "file"), (("1", "2", "3", "4", "a"),),
                      (1,), "", ())  # fmt: skip
    assert cuts.pair(made, ()) is None


def test_pieces_are_decoded_alone_and_known_apart(table: Callable[..., Dataset]) -> None:
    dataset = table("start,end", lambda begin, end: f"{begin + 0.25},{end}")
    assert from_json(to_json(dataset), Dataset).samples[0].fields["piece"] == [0.25, 2]
    found = inspect(dataset, ("audio",))
    assert not found.issues[len(dataset.issues) :] and np.allclose(found.seconds, 1.75)
    feed = DecodedFeed(found.dataset.samples[:3], forms.inputs("audio", ["audio"], Decoding(seconds=2.0)))
    batch = feed.batch(np.arange(3))
    assert batch["length"].tolist() == [28000] * 3
    heard = [np.round(row[[100, 27900]] / 32768, 2).tolist() for row in batch["audio"]]
    assert np.allclose(heard, [[0.05, 0.1], [0.15, 0.2], [0.25, 0.3]], atol=0.02)
    assert len({*found.digests[:3]}) == 3, "pieces of one file are not the same"


def test_further_parts_end_with_their_piece(tmp_path: Path) -> None:
    path = str(steps(tmp_path / "a.wav"))
    span = pieces.Span(1.0, 4.0)
    assert [round(np.median(wave) / 32768, 2) for wave in audio.further(path, 1.0, 5, span)] == [0.15, 0.2]
    assert sum(map(len, quiet.parts(path, 1.0, span))) == 3 * audio.RATE
    sample = Sample(id="a", fields={"audio": path, "piece": span})
    dataset = Dataset(samples=(sample,), reader="", root="", recognised="")
    divided = Splits(seed=0, kind="given", sentence="", folds=(Fold(train=("a",), val=()),), test=())
    long = longer.extend(dataset, ("x",), np.array([3.0]), divided, Decoding(seconds=1.0, windows=5))
    assert long is not None and [part.fields.get("start") for part in long.dataset.samples] == [None, 1.0, 2.0]
    form = forms.inputs("audio", ["audio"], Decoding(seconds=1.0))[0]
    assert round(np.median(form.row(2, long.dataset.samples[2]).arrays[0]) / 32768, 2) == 0.2


def test_pieces_outside_their_recording_are_left_out(table: Callable[..., Dataset], tmp_path: Path) -> None:
    dataset = table("start,end", lambda begin, end: f"{begin},{end}")
    steps(tmp_path / "0.wav", 3)
    found = inspect(dataset, ("audio",))
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("no_piece", "0.wav@4-6s")]
    assert found.seconds[1] == 1.0, "half of it is there"


# ---- which pieces stay together ---------------------------------------------------------------------------


def sample(file: str, number: int, told: Mapping[str, Any] = {}, **more: Any) -> Sample:
    return Sample(id=f"{file}{number}", fields={"audio": file, "piece": (number, number + 1), **told}, **more)


def test_speakers_and_recordings_both_stay_whole() -> None:
    pairs = [("a", "ann"), ("a", "bob"), ("b", "bob"), ("c", "cid"), ("d", "dan"), ("c", "cid")]
    found, said = pieces.together([sample(file, n, group=who) for n, (file, who) in enumerate(pairs)])
    groups = [one.group for one in found[:5]]
    assert groups[0] == groups[1] == groups[2] and len({*groups}) == 3
    assert "stay in one part" in said
    assert {one.group for one in found[3:5]} == {"cid", "dan"}


def test_few_recordings_are_divided_and_given_parts_stay() -> None:
    found, said = pieces.together([sample("a", n) for n in range(9)])
    assert not any(one.group for one in found) and "look better than they are" in said
    given = [sample("a", n, split=("train", "test")[n % 2]) for n in range(9)]
    found, said = pieces.together(given)
    assert found == given and said == "9 pieces of 1 recording, of which some lie in several of the given parts"


@pytest.mark.parametrize("classes", [("a", "b", "c"), ("a", "b", "c", "d"), ("a", "a", "b", "b")])
@pytest.mark.parametrize("field", ["label", "labels"])
def test_classes_with_a_recording_or_two_are_divided(classes: tuple[str, ...], field: str) -> None:
    told = [[name] if field == "labels" else name for name in classes]
    own = [sample(f"{n}-", k, told={field: label}) for n, label in enumerate(told) for k in range(30)]
    found, said = pieces.together(own)
    assert found == own and "look better than they are" in said
    strata = {one.id: str(one.fields[field]) for one in found}
    dataset = Dataset(samples=tuple(found), reader="table", root="", recognised="")
    divided = splits.make(dataset, [*strata.values()], [*strata], 0)
    for part in (divided.folds[0].train, divided.folds[0].val, divided.test):
        assert {strata[name] for name in part} == {*strata.values()}


def test_each_class_with_three_recordings_keeps_them_whole() -> None:
    own = [sample(f"{n}-", k, told={"label": "ab"[n % 2]}) for n in range(6) for k in range(30)]
    rare = [sample("0-", 30 + k, told={"label": "c"}) for k in range(9)]
    found, said = pieces.together([*own, *rare])
    assert len({one.group for one in found}) == 6 and "stay in one part" in said


# ---- what is refused --------------------------------------------------------------------------------------


def test_rows_that_say_different_things_of_one_file_are_refused(table: Callable[..., Dataset]) -> None:
    dataset = table("alku,loppu", lambda begin, end: f"{begin},{end}")
    with pytest.raises(DataError, match=r"12 of 12 rows .* name only 4 different files .* '0\.wav'"):
        twins.refuse_if_one_file_says_many_things(dataset.samples, dataset.root)


def test_rows_that_agree_and_pieces_are_not_refused(table: Callable[..., Dataset]) -> None:
    dataset = table("start,end", lambda begin, end: f"{begin},{end}")
    twins.refuse_if_one_file_says_many_things(dataset.samples, dataset.root)
    assert len(dataset.samples) == 12, "four recordings with three pieces each"
    same = [Sample(id=str(n), fields={"audio": "a", "label": "x"}) for n in range(20)]
    twins.refuse_if_one_file_says_many_things(same, "")


@pytest.mark.parametrize("field", ["label", "labels", "transcript"])
def test_several_classes_and_words_of_one_recording_are_refused(field: str) -> None:
    told = [[f"{n % 2}"] if field == "labels" else f"{n % 2}" for n in range(20)]
    samples = [Sample(id=f"{n}", fields={"audio": f"{n // 2}", field: label}) for n, label in enumerate(told)]
    with pytest.raises(DataError, match="20 of 20 rows"):
        twins.refuse_if_one_file_says_many_things(samples, "")


@pytest.mark.parametrize(
    "columns", ["Anfang;Ende", "Beginn (s);Ende (s)", "Début;Fin", "Inicio;Fin", "von;bis", "start;end"]
)
def test_decimal_commas_and_other_languages(tmp_path: Path, columns: str) -> None:
    for number in range(4):
        steps(tmp_path / f"{number}.wav")
    lines = [f"{n}.wav;{2 * k},5;{2 * k + 1},75;{LABELS[(n + k) % 3]}" for n in range(4) for k in range(3)]
    (tmp_path / "data.csv").write_text("\n".join([f"file;{columns};label", *lines]), "utf-8")
    dataset = opened(tmp_path)
    assert spans(dataset) == [(0.5, 1.75), (2.5, 3.75), (4.5, 5.75)] and "(seconds)" in dataset.recognised


@pytest.mark.parametrize(
    ("row", "cut"),
    [
        ("events\t\t00:00:0{}.500\t00:00:0{}.750\t00:00:01.250\t{}\t{}.wav", True),
        ("{3}.wav\t{0}.500\t{1}.750\t1.250\t{2}", True),
        ("{3}.wav\t{0}.500\t{1}.750\t1.500\t{2}", False),
        ("{3}.wav\t{0}.500\t{1}.750\t{2}", False),
        ("{3}.wav\t9{0}.500\t9{1}.750\t1.250\t{2}", False),
    ],
)
def test_times_in_a_table_without_names(tmp_path: Path, row: str, cut: bool) -> None:
    for number in range(4):
        steps(tmp_path / f"{number}.wav")
    lines = [row.format(2 * k, 2 * k + 1, LABELS[(n + k) % 3], n) for n in range(4) for k in range(3)]
    (tmp_path / "export.tsv").write_text("\n".join(lines))
    dataset = opened(tmp_path)
    assert [sample.fields["label"] for sample in dataset.samples[:3]] == list(LABELS)
    assert (spans(dataset) if cut else []) == ([(0.5, 1.75), (2.5, 3.75), (4.5, 5.75)] if cut else [])
    assert ("piece" in dataset.samples[0].fields) is cut
    table = (tmp_path / "export.tsv").rename(tmp_path / "export.txt")  # ELAN's suffix: no list of paths
    again = opened(table, labelled=False)
    assert [sample.id for sample in again.samples] == [sample.id for sample in dataset.samples]


@pytest.mark.parametrize("row", ["{0}.wav\t0.{0}1\t2.{0}1\t{1}", "{0}.wav\t0.{0}1\t2.{0}1\t2.0\t{1}"])
@pytest.mark.parametrize("times", [1, 2])
def test_two_scores_of_a_recording_cut_nothing(tmp_path: Path, row: str, times: int) -> None:
    for number in range(12):
        steps(tmp_path / f"{number}.wav")
    (tmp_path / "scores.tsv").write_text(
        "\n".join(row.format(n, LABELS[n % 3]) for n in range(12) for _ in range(times))
    )
    dataset = opened(tmp_path)
    assert {sample.fields["label"] for sample in dataset.samples} == {*LABELS}
    assert not any("piece" in sample.fields for sample in dataset.samples)
