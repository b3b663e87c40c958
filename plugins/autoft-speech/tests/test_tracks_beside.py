"""Tracks beside data that other readers tell: what these read is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from track_toys import LABELS, WORDS, read, write

from autoft.api import DataError, ReadOptions
from autoft_speech._tracks import TracksReader


def textgrid(*tiers: str) -> str:
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "3", "<exists>", str(len(tiers))]
    for tier in tiers:
        lines += ['"IntervalTier"', f'"{tier}"', "0", "3", "2", "0", "1", '"dog"', "1", "3", '"cat"']
    return "\n".join(lines)


def audacity(first: str = "dog", second: str = "cat") -> str:
    return f"0.500000\t1.250000\t{first}\n1.500000\t2.000000\t{second}\n"


def librispeech() -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for who in (84, 174):
        names = [f"{who}-1-000{n}" for n in range(3)]
        files |= {f"{who}/1/{name}.wav": b"" for name in names}
        files |= {f"{who}/1/{name}.TextGrid": textgrid("words") for name in names}
        files[f"{who}/1/{who}-1.trans.txt"] = "".join(f"{name} GO TO THE HOUSE\n" for name in names)
    return files


def libritts() -> dict[str, str | bytes]:
    names = [f"{who}/1/{who}_1_000{n}" for who in (84, 174) for n in range(3)]
    files: dict[str, str | bytes] = {f"{name}.wav": b"" for name in names}
    files |= {f"{name}.TextGrid": textgrid("words") for name in names}
    return files | {f"{name}.{form}.txt": "Go to the house." for name in names for form in ("normalized", "original")}


def l2_arctic() -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {}
    for who in ("ABA", "SKA"):
        for name in ("a1", "a2", "a3"):
            files |= {f"{who}/wav/{name}.wav": b"", f"{who}/transcript/{name}.txt": "Go to the house"}
            files |= {f"{who}/{folder}/{name}.TextGrid": textgrid("words") for folder in ("textgrid", "annotation")}
    return files


@pytest.mark.parametrize("files", [librispeech(), libritts(), l2_arctic()])
def test_transcribed_recordings_stay_whole(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    write(tmp_path, files)
    assert not TracksReader().sniff(str(tmp_path), WORDS)
    named = ReadOptions(needs=WORDS.needs, columns={"transcript": "words"})
    assert "tier 'words'" in read(tmp_path, named).recognised


def test_an_alignment_is_no_transcript_of_its_own_accord(tmp_path: Path) -> None:
    for number, tiers in enumerate([("words",), ("words", "phones"), ("Bo - words",)]):
        folder = write(tmp_path / str(number), {"a.wav": b"", "a.TextGrid": textgrid(*tiers)})
        with pytest.raises(DataError, match=rf"none is called so: {tiers[0]} \(the first says 'dog'"):
            read(folder, WORDS)
    folder = write(tmp_path / "four", {"a.wav": b"", "a.TextGrid": textgrid("words", "Anna")})
    assert "tier 'Anna'" in read(folder, WORDS).recognised


def test_one_note_does_not_keep_pieces_from_being_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"r{n}.wav": b"" for n in range(12)}
    files |= {f"r{n}.TextGrid": textgrid("Anna") for n in range(12)} | {"r3.txt": "too loud"}
    assert len(read(write(tmp_path, files), WORDS).samples) == 24


def test_tables_below_tell_recordings(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"audio/r{n}.wav": b"" for n in range(4)}
    files |= {f"audio/r{n}.TextGrid": textgrid("event") for n in range(4)}
    table = "".join(f"r{n}.wav,{'dog' if n % 2 else 'cat'}\n" for n in range(4))
    write(tmp_path, files | {"audio/labels.csv": "file,label\n" + table})
    assert not TracksReader().sniff(str(tmp_path), LABELS)


def test_folders_of_the_same_names_belong_together(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"audio/s{n}/rec.wav": b"" for n in range(3)}
    files |= {f"labels/s{n}/rec.txt": audacity(f"dog {n}") for n in range(3)}
    found = read(write(tmp_path, files), ReadOptions(needs=WORDS.needs))
    told = {(Path(sample.fields["audio"]).parent.name, sample.fields["transcript"]) for sample in found.samples}
    assert told == {(f"s{n}", words) for n in range(3) for words in (f"dog {n}", "cat")}


def test_two_recordings_that_could_be_meant(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/rec.wav": b"", "b/rec.wav": b"", "tracks/rec.TextGrid": textgrid("Anna")}
    files |= {"a/other.wav": b"", "a/other.mp3": b"", "a/other.TextGrid": textgrid("Anna")}
    found = read(write(tmp_path, files), WORDS)
    assert {Path(sample.fields["audio"]).stem for sample in found.samples} == {"other"}
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("missing", "tracks/rec.TextGrid")]


@pytest.mark.parametrize("target", ["label", "transcript"])
def test_predictions_are_for_whole_recordings_unless_the_model_learned_pieces(tmp_path: Path, target: str) -> None:
    files: dict[str, str | bytes] = {f"r{n}.wav": b"" for n in range(3)}
    write(tmp_path, files | {f"r{n}.TextGrid": textgrid("Anna", "Bo") for n in range(3)})
    options = ReadOptions(needs=("audio", target), optional=(target,))
    assert not TracksReader().sniff(str(tmp_path), options)
    trained = read(tmp_path, ReadOptions(needs=options.needs, columns={target: "Bo"}))
    found = read(tmp_path, ReadOptions(needs=options.needs, optional=(target,), guessed=trained.columns))
    assert len(found.samples) == 6 and "tier 'Bo'" in found.recognised
    write(tmp_path, {f"more{n}.wav": b"" for n in range(4)})
    assert not TracksReader().sniff(
        str(tmp_path), ReadOptions(needs=options.needs, optional=(target,), guessed=trained.columns)
    )


def test_names_and_few_tracks_leave_recordings_whole(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{name}_{n:02}.wav": b"" for name in ("cat", "dog") for n in range(3)}
    write(tmp_path, files | {"cat_00.TextGrid": textgrid("species")})
    assert not TracksReader().sniff(str(tmp_path), LABELS)
    write(tmp_path, {name.replace(".wav", ".TextGrid"): textgrid("words") for name in files})
    assert not TracksReader().sniff(str(tmp_path), LABELS)
    assert read(tmp_path, ReadOptions(needs=LABELS.needs, columns={"label": "words"})).samples
    write(tmp_path, {name.replace(".wav", ".TextGrid"): textgrid("words", "species") for name in files})
    assert "tier 'species'" in read(tmp_path).recognised


def test_few_tracks_of_many_recordings(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.wav": b"" for name in "abc"} | {"a.txt": audacity()})
    assert not TracksReader().sniff(str(tmp_path), LABELS)
    assert read(tmp_path, ReadOptions(needs=LABELS.needs, columns={"label": "label"})).samples


def test_a_number_counts_parts_of_names(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{who}_{w}_{n}.wav": b"" for who in "ab" for w in ("hum", "hiss") for n in "12"}
    write(tmp_path, files | {name.replace(".wav", ".txt"): audacity() for name in files})
    assert not TracksReader().sniff(str(tmp_path), ReadOptions(needs=LABELS.needs, columns={"label": "2"}))
    assert read(tmp_path).samples
