"""What is particular to speech: characters, decoding, rates, and lists."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from autoft.api import DataError, Dataset, ReadOptions, Sample
from autoft_speech import _characters
from autoft_speech._asr import SpeechRecognition
from autoft_speech._kaldi import KaldiReader

TASK = SpeechRecognition()


def dataset(train: list[str], test: list[str] = ()) -> Dataset:
    said = [("train", text) for text in train] + [("test", text) for text in test]
    samples = tuple(
        Sample(id=f"s{n}", fields={"transcript": text}, split=split) for n, (split, text) in enumerate(said)
    )
    return Dataset(samples=samples, reader="here", root="here", recognised="a list")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Don\u2019t stop\u2014now!", "don't stop now"),
        ("  \u201cUp\u201d, he  said. ", "up he said"),
        ("Stra\u00dfe \ufb01ve 12", "stra\u00dfe five 12"),
        ("'quoted'", "quoted"),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947"),
        ("...", ""),
        ("<unk> [laughter] yeah", "yeah"),
        ("++Noise++ hello (cough)", "hello cough"),
        ("so <SIL> yes {breath} [LAUGHTER-no]", "so yes no"),
        ("2 < 3 and 5 > 4", "2 3 and 5 4"),
    ],
)
def test_the_rules(text: str, normal: str) -> None:
    assert _characters.normalise(text) == normal
    assert _characters.normalise(normal) == normal


def test_dropped_characters_are_counted_and_told() -> None:
    dropped: Counter[str] = Counter()
    _characters.normalise("a, b, c!", dropped)
    assert dropped == {",": 2, "!": 1}
    schema = TASK.schema(dataset(["a, b", "c!"]))
    assert schema.extra["characters"] == [" ", "a", "b", "c", "\ufffd"]
    assert "3 characters and the space" in schema.extra["warnings"][0]
    assert ", (1) ! (1)" in schema.extra["warnings"][0]


def test_marks_of_noises_are_counted_and_told() -> None:
    said = TASK.schema(dataset(["a [noise] b", "[noise] <unk> c (cough)"])).extra
    assert said["characters"] == [" ", *"abcghou", "\ufffd"]
    assert "marks of noises are left out of transcripts: [noise] (2) <unk> (1)." in said["warnings"]
    assert "these are learned as words, though they look like noises: (cough) (1)." in said["warnings"]


def test_characters_too_rare_to_learn_are_named() -> None:
    said = TASK.schema(dataset(["abab abc", "baba \u00e9ab", "abba c"], ["\u00e9\u00e9\u00e9\u00e9\u00e9"])).extra[
        "warnings"
    ]
    assert said[1] == (
        "2 characters are too rare to learn, in training transcripts fewer than 5 times, the first in 's0': "
        "c (2) \u00e9 (1)."
    )
    assert len(TASK.schema(dataset(["ababab", "baba"])).extra["warnings"]) == 1


def test_unknown_characters_are_named_and_count_as_errors() -> None:
    data = dataset(["ab", "ba"], ["abc"])
    schema = TASK.schema(data)
    assert "'s2': c (1)" in schema.extra["warnings"][2]
    targets = TASK.encode(data.samples[2:], schema, TASK.formulations(schema)[0])
    assert targets["transcript"].tolist() == [[1, 2, 3]]
    decoded = {"index": np.array([[1, 2, 0]]), "confidence": np.ones(1, np.float32)}
    assert math.isclose(TASK.score(decoded, targets, schema, ["cer"])["cer"], 1 / 3)


def test_greedy_decoding_merges_and_drops_blanks() -> None:
    schema = TASK.schema(dataset(["ab", "ba"]))
    frames = np.array([[1, 1, 0, 1, 2, 2, 0, 0], [0] * 8])
    decoded = TASK.decode({"transcript": np.eye(4)[frames]}, schema, TASK.formulations(schema)[0])
    assert [row["prediction"] for row in TASK.rows(decoded, schema)] == ["aab", ""]


def test_rates_are_of_the_whole_set() -> None:
    data = dataset(["a b c d e f g h", "ab"])
    schema = TASK.schema(data)
    targets = TASK.encode(data.samples, schema, TASK.formulations(schema)[0])
    wrong = np.where(targets["transcript"] > 0, targets["transcript"], 0)
    wrong[1, 0] = wrong[1, 1]
    scores = TASK.score({"index": wrong}, targets, schema, ["wer", "cer"])
    assert math.isclose(scores["wer"], 1 / 9) and math.isclose(scores["cer"], 1 / 17)


def test_nothing_said_and_something_heard() -> None:
    schema = TASK.schema(dataset(["a b", "", "b"]))
    assert "1 transcripts are empty" in schema.extra["warnings"][-1]
    targets = {"transcript": np.full((1, 3), -1)}
    tallies = TASK.tally({"index": np.array([[2, 1, 3]])}, targets, schema)
    assert {key: values.tolist() for key, values in tallies.items()} == {
        "edits_words": [2], "length_words": [0], "edits_characters": [3], "length_characters": [0],
    }  # fmt: skip
    assert math.isnan(TASK.score(tallies, {}, schema, ["wer"])["wer"])


def test_a_missing_transcript_names_its_sample() -> None:
    with pytest.raises(DataError, match="'x' has none"):
        TASK.schema(Dataset(samples=(Sample(id="x", fields={}),), reader="", root="", recognised=""))


def test_kaldi_speakers_are_groups(tmp_path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "wav.scp").write_text("u1 a.wav\n")
    (tmp_path / "text").write_text("u1 yes  no\n")
    (tmp_path / "utt2spk").write_text("u1 ann\n")
    options = ReadOptions(needs=("audio", "transcript"))
    (sample,) = KaldiReader().read(str(tmp_path), options).samples
    assert (sample.group, sample.fields["transcript"]) == ("ann", "yes  no")


def test_segments_of_kaldi_are_pieces(tmp_path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "wav.scp").write_text("r1 a.wav\n")
    (tmp_path / "text").write_text("u1 yes\nu2 no\nu3 none\nu4 never\n")
    (tmp_path / "segments").write_text("u1 r1 0.0 1.25\nu2 r1 1.25 3\nu3 r1 3 3\nu4 r2 0 1\n")
    dataset = KaldiReader().read(str(tmp_path), ReadOptions(needs=("audio", "transcript")))
    found = [(sample.id, sample.fields["transcript"], sample.fields["piece"]) for sample in dataset.samples]
    assert found == [("u1", "yes", (0.0, 1.25)), ("u2", "no", (1.25, 3.0))]
    assert [(issue.kind, issue.subject) for issue in dataset.issues] == [("no_piece", "u3"), ("no_piece", "u4")]
    assert "2 utterances, 2 pieces of 1 recording, too few" in dataset.recognised


def test_words_are_what_a_score_counts() -> None:
    assert TASK.counts(dataset(["one two", "-", "don't, three"])) == [2, 0, 2]


def test_what_is_heard_has_spaces_between_words_alone() -> None:
    characters = (" ", "a", "b")
    assert _characters.spell([1, 2, 1, 1, 3, 1, 0, 0], characters) == "a b"
    assert _characters.spell([1, 0], characters) == ""
