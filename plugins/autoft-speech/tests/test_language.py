"""The language model: what is learned, when validation chooses it, and what a model keeps."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.api import Dataset, Sample, Schema
from autoft.records import from_json, to_json
from autoft_speech import _beam, _language
from autoft_speech._asr import SpeechRecognition
from autoft_speech._search import Vote

TASK = SpeechRecognition()
TRAIN = ("yes no no", "no yes", "yes yes no", "no no", "yes no") * 2


def schema_of(*texts: str) -> Schema:
    samples = tuple(Sample(id=f"s{n}", fields={"transcript": text}) for n, text in enumerate(texts))
    return TASK.schema(Dataset(samples=samples, reader="here", root="here", recognised="a list"))


SCHEMA = schema_of(*TRAIN)
(PROBLEM,) = TASK.formulations(SCHEMA)


def said(*texts: str, schema: Schema = SCHEMA) -> dict[str, Any]:
    samples = [Sample(id=text, fields={"transcript": text}) for text in texts]
    return dict(TASK.encode(samples, schema, PROBLEM))


def frames(*texts: str, schema: Schema = SCHEMA, doubt: float = 0.45) -> dict[str, Any]:
    """Frames that say these texts, a blank after each letter, where `*` stands for what is nearly as likely as e."""
    letters = ["", *schema.extra["characters"]]
    chances = np.full((len(texts), 2 * max(map(len, texts)), len(letters)), 1e-4)
    chances[:, :, 0] = 1
    for row, text in enumerate(texts):
        for place, letter in enumerate(text):
            chances[row, 2 * place, 0] = 1e-4
            if letter == "*":
                chances[row, 2 * place, letters.index("o")], chances[row, 2 * place, letters.index("e")] = 1, doubt
            else:
                chances[row, 2 * place, letters.index(letter)] = 1
    return {"transcript": (chances / chances.sum(-1, keepdims=True)).astype(np.float32)}


def texts(decoded: Any, schema: Schema) -> list[object]:
    return [row["prediction"] for row in TASK.rows(TASK.settled(decoded, schema), schema)]


HEARD = ("y*s no", "no y*s", "y*s y*s no", "no no")
MEANT = tuple(text.replace("*", "e") for text in HEARD)


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Schema:
    monkeypatch.setattr(_beam, "available", lambda: False)
    return TASK.learn(said(*TRAIN), SCHEMA)


# ---- what is learned ------------------------------------------------------------------------------------


def test_what_is_learned_is_added_and_tells_how_many_words_will_be_new(taught: Schema) -> None:
    assert {key: value for key, value in taught.extra.items() if key != "lm"} == SCHEMA.extra
    assert taught.extra["lm"]["new"] == 0
    assert _language.learned(["the one and", "the other word"])["new"] == round(4 / 6, 4)
    assert _language.learned([])["new"] == 1


def test_a_model_that_was_chosen_without_it_learns_none_again(taught: Schema) -> None:
    for calibrated, wanted in (({"beam": 1, "lm": 0.0}, False), ({"beam": 12}, False), (None, True)):
        extra = {**SCHEMA.extra, **({"calibrated": calibrated} if calibrated else {})}
        again = TASK.learn(said(*TRAIN), msgspec.structs.replace(SCHEMA, extra=extra))
        assert ("lm" in again.extra) is wanted
    chosen = {**taught.extra, "calibrated": _language.named(Vote(0.4, 0.4))}
    again = TASK.learn(said("no no", "no"), msgspec.structs.replace(SCHEMA, extra=chosen))
    assert again.extra["lm"] != taught.extra["lm"] and again.extra["calibrated"] == chosen["calibrated"]


# ---- what is chosen -------------------------------------------------------------------------------------


def test_validation_chooses_it_where_it_makes_clearly_fewer_errors(taught: Schema) -> None:
    decoded = TASK.decode(frames(*HEARD), taught, PROBLEM)
    assert texts(decoded, SCHEMA) == [text.replace("*", "o") for text in HEARD]
    chosen = TASK.calibrate(decoded, said(*MEANT), taught)
    assert chosen.extra["calibrated"]["lm"] > 0 and chosen.extra["lm"] == taught.extra["lm"]
    assert texts(decoded, chosen) == list(MEANT)
    again = TASK.decode(frames(*HEARD), from_json(to_json(chosen), Schema), PROBLEM)
    assert texts(again, chosen) == list(MEANT) and not any(key.startswith("votes_") for key in again)


@pytest.mark.parametrize("truth", ["heard", "one"])
def test_without_a_clear_gain_nothing_of_it_is_kept(taught: Schema, truth: str) -> None:
    heard = [text.replace("*", "o") for text in HEARD]
    right = heard if truth == "heard" else [MEANT[0], *heard[1:]]  # a single recording would be better
    open_words = msgspec.structs.replace(taught, extra={**taught.extra, "lm": {**taught.extra["lm"], "new": 0.4}})
    decoded = TASK.decode(frames(*HEARD), open_words, PROBLEM)
    kept = TASK.calibrate(decoded, said(*right), open_words)
    assert kept.extra["calibrated"] == {"beam": 1, "lm": 0.0} and "lm" not in kept.extra
    assert texts(decoded, kept) == heard
    assert sorted(TASK.decode(frames(*HEARD), kept, PROBLEM)) == ["confidence", "index"], "it is not searched for"


def test_where_all_words_are_known_it_need_not_be_proved_to_help(taught: Schema) -> None:
    certain = frames("yes no", "no no")
    decoded = TASK.decode(certain, taught, PROBLEM)
    chosen = TASK.calibrate(decoded, said("yes no", "no no"), taught)
    assert _language.vote(chosen.extra["calibrated"]) == _language.VOTES[_language.USUAL], "level: the usual one"
    assert texts(TASK.decode(frames("y*s no"), chosen, PROBLEM), chosen) == ["yes no"]
    worse = TASK.calibrate(
        TASK.decode(frames(*HEARD), taught, PROBLEM), said(*(t.replace("*", "o") for t in HEARD)), taught
    )
    assert worse.extra["calibrated"]["lm"] == 0, "it makes more errors"


def test_fewer_wrong_words_are_not_bought_by_leaving_out_characters() -> None:
    def tally(rows: Any) -> dict[str, Any]:
        words, characters = rows[:, 0], rows[:, 1]
        length = np.full(len(rows), 10)
        told = {"edits_words": words, "edits_characters": characters}
        return {**told, "length_words": length, "length_characters": 5 * length}

    plain, votes = np.array([[9, 20]] * 5), np.tile([9, 20], (5, len(_language.VOTES), 1))
    votes[:, 3] = [4, 25]  # fewest words, but more characters
    assert _language.chosen(votes, plain, tally, 0.4) is None
    votes[:, 5] = [6, 18]
    assert _language.chosen(votes, plain, tally, 0.4) == _language.VOTES[5]
    assert _language.chosen(votes[:0], plain[:0], tally, 0.4) is None


def test_what_says_nothing_and_no_rows_at_all(taught: Schema) -> None:
    silent = frames("no", "no")["transcript"]
    silent[:] = np.eye(silent.shape[2])[0]
    chosen = msgspec.structs.replace(taught, extra={**taught.extra, "calibrated": _language.named(Vote(0.4, 0.4))})
    for rows in (silent, silent[:0]):
        assert not any(key.startswith("votes_") for key in TASK.decode({"transcript": rows}, taught, PROBLEM))
        decoded = TASK.decode({"transcript": rows}, chosen, PROBLEM)
        assert texts(decoded, chosen) == [""] * len(rows)
        kept = TASK.calibrate(TASK.decode({"transcript": rows}, taught, PROBLEM), said(*["no"] * len(rows)), taught)
        assert kept.extra["calibrated"] == {"beam": 1, "lm": 0.0}
    mixed = np.concatenate([silent[:1], frames("no", "no")["transcript"][:1]])
    assert texts(TASK.decode({"transcript": mixed}, chosen, PROBLEM), chosen) == ["", "no"]


def test_parts_of_a_long_recording_are_joined(taught: Schema) -> None:
    extra = {**taught.extra, "calibrated": _language.named(Vote(0.7, 0.7))}
    chosen = msgspec.structs.replace(taught, extra=extra)
    whole = TASK.decode(frames("y*s", "no"), chosen, PROBLEM)
    parts = TASK.decode(frames("y*s", "no no"), chosen, PROBLEM)
    joined = TASK.joined(whole, parts, np.array([0, 0]), chosen)
    assert texts(joined, chosen) == ["yes no no", "no"]
