"""Collections of speech as they lie: several lists, speakers by their folders, several microphones, Kaldi's pipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.api import DataError, Dataset, ReadOptions
from autoft_speech._beside import BesideReader
from autoft_speech._kaldi import KaldiReader

NEEDS = ReadOptions(needs=("audio", "transcript"))
SEGMENT = "\thttps://www.archive.org/download/x/book_01_64kb.mp3\t12.30\t26.51"


def read(folder: Path, files: dict[str, str], recordings: list[str]) -> Dataset:
    for name in recordings:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return BesideReader().read(str(folder), NEEDS)


def said(dataset: Dataset) -> list[str]:
    return [str(sample.fields["transcript"]) for sample in dataset.samples]


def groups(dataset: Dataset) -> list[str]:
    return [sample.group for sample in dataset.samples]


# ---- what is said -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["segments.txt", "a.txt", "z.txt"])
def test_addresses_are_nothing_that_is_said(tmp_path: Path, name: str) -> None:
    names = ["10_20_1", "11_21_1"]
    files = {"transcripts.txt": "", name: ""}
    for number, one in enumerate(names):
        files["transcripts.txt"] += f"{one}\tsaid {number}\n"
        files[name] += f"{one}{SEGMENT}\n"
    dataset = read(tmp_path, files, [f"audio/{one}.flac" for one in names])
    assert said(dataset) == ["said 0", "said 1"]


@pytest.mark.parametrize("other", ["a1 clips/a1.mp3\n", "a1 0.0 3.75\n", f"a1{SEGMENT}\n"])
def test_a_list_without_words_is_none(tmp_path: Path, other: str) -> None:
    with pytest.raises(DataError, match="must hold recordings and text files"):
        read(tmp_path, {"list.txt": other}, ["a1.wav"])


@pytest.mark.parametrize("other", ["lengths.txt", "zz.txt"])
def test_numbers_are_said_only_where_nothing_else_is(tmp_path: Path, other: str) -> None:
    names = ["a1.wav", "a2.wav"]
    assert said(read(tmp_path / "two", {"list.txt": "a1 one\na2 two\n", other: "a1 160\na2 170\n"}, names)) == [
        "one",
        "two",
    ]
    assert said(read(tmp_path / "one", {other: "a1 7 3\na2 5\n"}, names)) == ["7 3", "5"]


def test_of_two_lists_the_one_called_so_is_believed_or_none(tmp_path: Path) -> None:
    files = {"etc/txt.done.data": '( a1 "well said" )\n', "lab/a1.lab": "0.1 125 pau\n0.2 125 w\n", "b.txt": "a1 no\n"}
    assert said(read(tmp_path / "festvox", files, ["wav/a1.wav"])) == ["well said"]
    assert said(read(tmp_path / "alike", {"a.txt": "a1 Yes.\n", "b.txt": "a1 yes\n"}, ["a1.wav"])) == ["Yes."]
    with pytest.raises(DataError, match=r"'a\.txt' and 'b\.txt' differ about 'a1\.wav'"):
        read(tmp_path / "differ", {"a.txt": "a1 yes\n", "b.txt": "a1 no\n"}, ["a1.wav"])


def test_lists_of_sphinx_end_in_names(tmp_path: Path) -> None:
    files = {
        "etc/an4_train.transcription": "<s> YES NO </s> (an1-x-b)\n<s> NO (SIR) </s> (an2-x-b)\n",
        "etc/an4_test.transcription": "GO (an3-y-b)\n",
        "etc/an4_train.fileids": "clstk/x/an1-x-b\nclstk/x/an2-x-b\n",
    }
    names = ["wav/clstk/x/an1-x-b.sph", "wav/clstk/x/an2-x-b.sph", "wav/test_clstk/y/an3-y-b.sph"]
    found = read(tmp_path, files, names)
    assert said(found) == ["YES NO", "NO (SIR)", "GO"]
    assert [sample.split for sample in found.samples] == ["train", "train", "test"]


def test_a_text_that_names_another_file_is_followed(tmp_path: Path) -> None:
    files = {"data/A1_0.wav.trn": "one two\nw ah n\n", "train/A1_0.wav.trn": "../data/A1_0.wav.trn\n"}
    assert said(read(tmp_path / "there", files, ["train/A1_0.wav"])) == ["one two"]
    lost = read(tmp_path / "lost", {**files, "train/A1_1.wav.trn": "../A1_1.wav.trn"}, ["train/A1_1.wav"])
    assert [issue.kind for issue in lost.issues] == ["no_transcript"]


# ---- who says it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("dev-clean/{0}/{1}/{0}-{1}-0001.flac", ["84", "174", "251"]),
        ("audio/{0}/{1}/{0}_{1}_000001.flac", ["84", "174", "251"]),
        ("wav48/{0}/{0}_00{1}.wav", ["p225", "p226", "s5"]),
        ("wav/{0}/BAC009{0}W012{1}.wav", ["S0002", "S0003", "S0764"]),
        ("DR1/{0}/SX{0}{1}.WAV", ["FCJF0", "MDAB0", "MWBT0"]),
        ("{0}-20080318-kd{1}/wav/{0}a000{1}.wav", ["Aaron", "zoe", "k"]),
        ("speaker_{0}/x{0}{1}.wav", ["1", "2", "3"]),
    ],
)
def test_speakers_are_groups(tmp_path: Path, folder: str, names: list[str]) -> None:
    files = {folder.format(name, number).rsplit(".", 1)[0]: (name, number) for name in names for number in (1, 2)}
    dataset = read(tmp_path, {f"{path}.txt": f"said {path}" for path in files}, [f"{path}.wav" for path in files])
    wanted = {name: {group for group, sample in zip(groups(dataset), dataset.samples, strict=True)
                     if files[sample.id.removesuffix(".wav")][0] == name} for name in names}  # fmt: skip
    assert all(len(found) == 1 and "" not in found for found in wanted.values())
    assert len(set(groups(dataset))) == 3
    assert dataset.recognised.endswith("; 3 speakers by their folders, each stays in one part")


def test_anonymous_speakers_are_as_many_as_their_folders(tmp_path: Path) -> None:
    places = [f"anonymous-2008031{number}-abc/wav/a{number}" for number in range(3)]
    dataset = read(tmp_path, {f"{path}.txt": "x" for path in places}, [f"{path}.wav" for path in places])
    assert groups(dataset) == [path.split("/")[0] for path in places]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["p1/p1_1", "p2/p2_1"], "2 speakers by their folders, too few or too uneven for parts of their own"),
        (["p1/p1_1", "p1/p1_2", "p1/p1_3", "p2/p2_1", "p3/p3_1"], "too few or too uneven"),
        (["train/p1/p1_1", "train/p2/p2_1", "test/p1/p1_2", "test/p3/p3_1"], "some in several of the given parts"),
        (["a/x1", "b/x2", "c/x3"], "3 recordings with transcripts"),
        (["1/a", "2/b", "3/c"], "3 recordings with transcripts"),
    ],
)
def test_where_speakers_are_not_kept_apart_it_is_said(tmp_path: Path, paths: list[str], words: str) -> None:
    dataset = read(tmp_path, {f"{path}.txt": "x" for path in paths}, [f"{path}.wav" for path in paths])
    assert words in dataset.recognised and not any(groups(dataset))


# ---- microphones and pipes ----------------------------------------------------------------------------------


def test_of_several_microphones_the_first_is_heard(tmp_path: Path) -> None:
    names = [f"wav48/p{speaker}/p{speaker}_001_mic{number}.flac" for speaker in (225, 226, 227) for number in (1, 2)]
    files = {f"txt/p{speaker}/p{speaker}_001.txt": f"I am {speaker}." for speaker in (225, 226, 227)}
    dataset = read(tmp_path / "vctk", files, names[1:])
    assert [sample.id for sample in dataset.samples] == [names[1], names[2], names[4]]
    assert said(dataset) == ["I am 225.", "I am 226.", "I am 227."] and groups(dataset) == ["p225", "p226", "p227"]
    assert "of several microphones the first (2 recordings left out)" in dataset.recognised
    own = {"a_mic1.txt": "one", "a_mic2.txt": "two"}
    assert said(read(tmp_path / "own", own, ["a_mic1.wav", "a_mic2.wav"])) == ["one", "two"]


@pytest.mark.parametrize(
    ("pipe", "kind"),
    [
        ("flac -c -d -s a.flac |", ""),
        ("/usr/bin/flac -cds a.flac|", ""),
        ("flac -c -d -s --skip=0:10 a.flac |", "piped"),
        ("flac -c -d -s a.flac | sox - -t wav - |", "piped"),
        ("sph2pipe -f wav -c 1 a.sph |", "piped"),
        ("sox /corpora/of/others/a.flac -t wav -r 16000 - |", ""),
        ("flac -c -d -s lost.flac |", "missing"),
    ],
)
def test_pipes_of_kaldi_that_decode_a_file(tmp_path: Path, pipe: str, kind: str) -> None:
    (tmp_path / "a.flac").touch()
    (tmp_path / "wav.scp").write_text(f"u1 {pipe}\n")
    (tmp_path / "text").write_text("u1 yes\n")
    dataset = KaldiReader().read(str(tmp_path), NEEDS)
    assert [issue.kind for issue in dataset.issues] == ([kind] if kind else [])
    assert [sample.fields["audio"] for sample in dataset.samples] == ([] if kind else [str(tmp_path / "a.flac")])
