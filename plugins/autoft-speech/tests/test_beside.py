"""Recordings whose transcripts stand in text files, and the lists of LJ Speech and Kaldi as people write them."""

from __future__ import annotations

import pytest

from autoft.api import ReadOptions
from autoft.testing import ReaderContract
from autoft_speech._beside import BesideReader
from autoft_speech._kaldi import KaldiReader
from autoft_speech._ljspeech import LjspeechReader

NEEDS = ReadOptions(needs=("audio", "transcript"))


@pytest.fixture
def folder(tmp_path):
    """Files with these contents; recordings are empty."""

    def write(files, recordings=()):
        for name in recordings:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return str(tmp_path)

    return write


def said(dataset):
    return {sample.id: (sample.fields["transcript"], sample.split) for sample in dataset.samples}


class TestBesideReader(ReaderContract):
    reader = BesideReader
    options = NEEDS
    targets = ("transcript",)

    def write(self, folder) -> str:
        for number in range(3):
            (folder / "speech").mkdir(exist_ok=True)
            (folder / "speech" / f"{number}.wav").write_bytes(b"RIFF")
            (folder / "speech" / f"{number}.txt").write_text(f"number {number}\n")
        return str(folder / "speech")

    def write_damaged(self, folder) -> str:
        source = self.write(folder)
        (folder / "speech" / "1.txt").unlink()
        (folder / "speech" / "2.txt").write_text("\n")
        return source


def test_librispeech(folder):
    places = [f"{part}/84/1" for part in ("train-clean-100", "dev-clean", "test-other")]
    names = [f"{place}/84-1-{n}.flac" for place in places for n in (0, 1)]
    lists = {f"{place}/84-1.trans.txt": f"84-1-0 {place[:3].upper()} ONE\n84-1-1 TWO\n" for place in places}
    dataset = BesideReader().read(folder({**lists, "SPEAKERS.TXT": "84 | M\n"}, names), NEEDS)
    assert said(dataset)["dev-clean/84/1/84-1-0.flac"] == ("DEV ONE", "val")
    assert [split for _, split in said(dataset).values()] == ["val", "val", "test", "test", "train", "train"]
    assert dataset.recognised == "lists of transcripts: 6 recordings with transcripts (2 test, 2 train, 2 val)"


def test_transcripts_in_folders_of_their_own(folder):
    files = {"txt/p1/p1_001.txt": "Please call.\n", "txt/p1/p1_002.txt": "Ask her.\n", "README.txt": "p1 speaks\n"}
    source = folder(files, ["wav48/p1/p1_001.wav", "wav48/p1/p1_002.wav", "wav48/p1/p1_003.wav"])
    dataset = BesideReader().read(source, NEEDS)
    assert [words for words, _ in said(dataset).values()] == ["Please call.", "Ask her."]
    assert [(i.kind, i.subject) for i in dataset.issues] == [("no_transcript", "wav48/p1/p1_003.wav")]


@pytest.mark.parametrize(
    "line",
    ["a1 well said", "a1\twell said", "wavs/a1.wav|well said|more|1.5", '( a1 "well said" )', "x/mfc/a1 well said"],
)
def test_lines_of_lists(folder, line):
    source = folder({"list.txt": f"{line}\n"}, ["wavs/a1.wav"])
    assert said(BesideReader().read(source, NEEDS)) == {"wavs/a1.wav": ("well said", "")}


def test_a_table_says_more_than_text_files(folder):
    assert not BesideReader().sniff(folder({"a.txt": "x", "train.csv": "path,text\na.wav,x\n"}, ["a.wav"]), NEEDS)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ("a1|One.|one\na2|Two.|two\na3|Six.|six\n", 3),
        ("a1.wav|one|ann\na2.wav|two|ann\na3.wav|six|ann\n", 2),
        ("audio_file|text|speaker_name\nwavs/a1.wav|one|ann\nwavs/a2.wav|two|bob\nwavs/a3.wav|six|cid\n", 2),
        ("wavs/a1.wav|one\nwavs/a2.wav|two\na3|six\n", 2),
    ],
)
def test_what_is_said_in_lists_of_lj_speech(folder, lines, field):
    source = folder({"metadata.csv": lines}, [f"wavs/a{n}.wav" for n in (1, 2, 3)])
    for one in (source, f"{source}/metadata.csv"):
        dataset = LjspeechReader().read(one, NEEDS)
        assert said(dataset) == {"a1": ("one", ""), "a2": ("two", ""), "a3": ("six", "")}
        assert not dataset.issues and f"(field {field}, the first says 'one')" in dataset.recognised


TEXT = [f"{word} is number {number}" for number, word in enumerate("one two three four five six seven".split() * 2)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{name}|{text}|2.{n}37", 2),
        ("{name}|spk{few}|{text}", 3),
        ("{name}|spk{few}|{text}|en", 3),
        ("{name}|{text}|spk{few}|en", 2),
        ("{name}|{text}|{text} so|spk{few}", 3),
        ("{name}|{text}|\u00f0\u0259 kw\u026ak {n}", 2),
        ("{name}|{text}|DH AH0 K W IH1 K {n}", 2),
        ("{name}|{few}|{text}", 3),
        ("{name}|\u4f60\u597d{n}|ni3 hao3 {n}", 2),
        ("{name}|{text}|clips/{n}.mp3", 2),
    ],
)
def test_the_field_that_holds_what_is_said(folder, line, field):
    rows = [line.format(name=f"a{n}", text=text, n=n, few=n % 3) for n, text in enumerate(TEXT)]
    source = folder({"metadata.csv": "\n".join(rows)}, [f"wavs/a{n}.wav" for n in range(len(TEXT))])
    dataset = LjspeechReader().read(source, NEEDS)
    first = "\u4f60\u597d0" if "\u4f60" in line else f"{TEXT[0]} so" if " so" in line else TEXT[0]
    assert said(dataset)["a0"] == (first, "") and f"(field {field}, the first says '{first}')" in dataset.recognised


@pytest.mark.parametrize(
    "names", [("train.txt", "val.txt"), ("filelists/x_train_list.txt", "filelists/x_val_list.txt")]
)
def test_lists_with_speakers_give_transcripts_and_parts(folder, names):
    rows = [f"wavs/a{n}.wav|{n % 3}|{text}" for n, text in enumerate(TEXT)]
    files = {names[0]: "\n".join(rows[:10]), names[1]: "\n".join(rows[10:])}
    dataset = BesideReader().read(folder(files, [f"wavs/a{n}.wav" for n in range(len(TEXT))]), NEEDS)
    assert sorted(said(dataset).values()) == sorted((text, "train" if n < 10 else "val") for n, text in enumerate(TEXT))
    assert f"(field 3, the first says '{TEXT[0]}') (10 train, 4 val)" in dataset.recognised
    assert "; parts by the names of the lists" in dataset.recognised


def test_a_list_for_training_alone_is_no_part(folder):
    dataset = BesideReader().read(folder({"list.txt": "a1 one\n", "val.txt": "a2 two\n"}, ["a1.wav", "a2.wav"]), NEEDS)
    assert [split for _, split in said(dataset).values()] == ["", ""]


def test_times_of_audacity_are_left_out_line_by_line(folder):
    files = {f"{n}.txt": f"0.000000\t1.200000\t{n} one\n1.300000\t2.4\ttwo\n" for n in (1, 2)}
    dataset = BesideReader().read(folder(files, ["1.wav", "2.wav"]), NEEDS)
    assert [words for words, _ in said(dataset).values()] == ["1 one two", "2 one two"]
    assert "the two numbers before each line are places" in dataset.recognised


def test_libritts_has_two_versions_of_each_transcript(folder):
    places = [f"train-clean-100/{s}/{s}9/{s}_{s}9_0" for s in (101, 102, 103)]
    files = {f"{place}.normalized.txt": f"said {n}" for n, place in enumerate(places)}
    files |= {f"{place}.original.txt": f"Said, {n}." for n, place in enumerate(places)}
    files |= {"speakers.tsv": "READER\tGENDER\n101\tF\n", "about.json": '{"name": "LibriTTS"}'}
    dataset = BesideReader().read(folder(files, [f"{place}.wav" for place in places]), NEEDS)
    assert sorted(words for words, _ in said(dataset).values()) == ["said 0", "said 1", "said 2"]


@pytest.mark.parametrize("table", ["path,text\nx/a1.wav,one\n", "id,text\na1,one\n", '[{"audio": "a1.wav"}]'])
def test_a_table_of_the_recordings_wins(folder, table):
    source = folder(
        {"list.txt": "a1 one\na2 two\n", "t.json" if "{" in table else "t.csv": table}, ["a1.wav", "a2.wav"]
    )
    assert not BesideReader().sniff(source, NEEDS)


@pytest.mark.parametrize("other", ["0 61748 She had your dark suit.", "Nothing."])
def test_numbers_before_all_transcripts_are_places(folder, other):
    files = {"TRAIN/DR1/FCJF0/SA1.TXT": "0 46797 She had 2 suits.\n", "TRAIN/DR1/FCJF0/SA2.TXT": other}
    dataset = BesideReader().read(folder(files, [f"TRAIN/DR1/FCJF0/SA{n}.WAV" for n in (1, 2)]), NEEDS)
    first = said(dataset)["TRAIN/DR1/FCJF0/SA1.WAV"][0]
    assert first == ("0 46797 She had 2 suits." if other == "Nothing." else "She had 2 suits.")
    assert ("places in the recording" in dataset.recognised) == (other != "Nothing.")


def test_lj_speech_in_the_folder_of_its_archive(folder):
    files = {"LJSpeech-1.1/metadata.csv": "a1|One.|one\na2|Two.|two\n"}
    source = folder(files, [f"LJSpeech-1.1/wavs/a{n}.wav" for n in (1, 2)])
    assert LjspeechReader().sniff(source, NEEDS)
    assert said(LjspeechReader().read(source, NEEDS)) == {"a1": ("one", ""), "a2": ("two", "")}


def test_kaldi_with_tabs_below_a_folder_data(folder):
    files = {}
    for part in ("train_clean_5", "dev_clean_2"):
        files |= {f"data/{part}/wav.scp": f"{part}1\twav/1.wav\n", f"data/{part}/text": f"{part}1\tone  two\n"}
    dataset = KaldiReader().read(folder(files, ["wav/1.wav"]), NEEDS)
    assert said(dataset) == {
        "dev_clean_2/dev_clean_21": ("one  two", "val"),
        "train_clean_5/train_clean_51": ("one  two", "train"),
    }
