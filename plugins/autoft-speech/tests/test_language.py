"""The language model: what is learned, when validation chooses it, what a model keeps, and what it needs."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.api import Dataset, Sample, Schema, UsageError
from autoft.records import from_json, to_json
from autoft_speech import _beam, _language, _nbest
from autoft_speech._asr import SpeechRecognition

TASK = SpeechRecognition()
TRAIN = ("yes no no", "no yes", "yes yes no", "no no", "yes no") * 2
needs = pytest.mark.skipif(not _nbest.available(), reason="flashlight-text is not installed")


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


@needs
def test_words_are_a_list_where_these_are_nearly_all_that_is_said(taught: Schema) -> None:
    assert taught.extra["lm"]["words"] == ["no", "yes"]
    assert {key: value for key, value in taught.extra.items() if key != "lm"} == SCHEMA.extra
    assert "words" not in _language.learned(["the one and", "only word"]), "others will be said as well"
    assert "words" not in _language.learned(["你好 你好"] * 9), "signs are no words of an alphabet"
    assert _language.learned(["yes", "no"] * 50)["words"] == ["no", "yes"], "one word for each recording"


@needs
def test_a_model_that_was_chosen_without_it_learns_none_again(taught: Schema) -> None:
    for calibrated, wanted in (({"beam": 1, "lm": 0.0}, False), ({"beam": 12}, False), (None, True)):
        extra = {**SCHEMA.extra, **({"calibrated": calibrated} if calibrated else {})}
        again = TASK.learn(said(*TRAIN), msgspec.structs.replace(SCHEMA, extra=extra))
        assert ("lm" in again.extra) is wanted
    chosen = {**taught.extra, "calibrated": _language.Choice(0.4, 1.0, 0).named()}
    again = TASK.learn(said("no no", "no"), msgspec.structs.replace(SCHEMA, extra=chosen))
    assert again.extra["lm"] != taught.extra["lm"] and again.extra["calibrated"] == chosen["calibrated"]


# ---- what is chosen -------------------------------------------------------------------------------------


@needs
def test_validation_chooses_it_where_it_makes_clearly_fewer_errors(taught: Schema) -> None:
    decoded = TASK.decode(frames(*HEARD), taught, PROBLEM)
    assert texts(decoded, SCHEMA) == [text.replace("*", "o") for text in HEARD]
    chosen = TASK.calibrate(decoded, said(*MEANT), taught)
    assert chosen.extra["calibrated"]["lm"] > 0 and chosen.extra["lm"] == taught.extra["lm"]
    assert texts(decoded, chosen) == list(MEANT)
    again = TASK.decode(frames(*HEARD), from_json(to_json(chosen), Schema), PROBLEM)
    assert texts(again, chosen) == list(MEANT) and not any(key.startswith("lists_") for key in again)


@needs
@pytest.mark.parametrize("truth", ["heard", "one"])
def test_without_a_clear_gain_nothing_of_it_is_kept(taught: Schema, truth: str) -> None:
    heard = [text.replace("*", "o") for text in HEARD]
    right = heard if truth == "heard" else [MEANT[0], *heard[1:]]  # a single recording would be better
    decoded = TASK.decode(frames(*HEARD), taught, PROBLEM)
    kept = TASK.calibrate(decoded, said(*right), taught)
    assert kept.extra["calibrated"] == {"beam": 1, "lm": 0.0} and "lm" not in kept.extra
    assert texts(decoded, kept) == heard
    assert sorted(TASK.decode(frames(*HEARD), kept, PROBLEM)) == ["confidence", "index"], "it is not searched for"


@needs
def test_a_list_of_words_hears_words_alone(taught: Schema) -> None:
    chances = frames("yesno", "ye no", "yos")["transcript"]
    found = _language.heard(chances, taught.extra, _language.Choice(0.2, 0.0, 1))
    told = [row["prediction"] for row in TASK.rows({"index": found[0], "confidence": found[1]}, taught)]
    assert all({*str(text).split()} <= {"yes", "no"} for text in told) and told[0] == "yes no"
    single = TASK.learn(said(*["yes", "no"] * 9, schema=(one := schema_of("yes", "no"))), one)
    heard = frames("yos", "n*", schema=one)["transcript"]
    index, _ = _language.heard(heard, single.extra, _language.Choice(0.2, 0.0, 1))
    assert [row["prediction"] for row in TASK.rows({"index": index, "confidence": np.ones(2)}, one)] == ["yes", "no"]


# ---- candidates -----------------------------------------------------------------------------------------


@needs
def test_candidates_are_the_likeliest_first_and_the_same_each_time() -> None:
    chances = np.random.default_rng(0).dirichlet([0.2] * 6, (3, 20)).astype(np.float32)
    found, again = list(_nbest.heard(chances)), list(_nbest.heard(chances))
    assert found == again and all(len({one.row for one in some}) == len(some) > 10 for some in found)
    assert all(one.score >= other.score for some in found for one, other in pairwise(some))
    assert all(0 < one.sure <= 1 for some in found for one in some)
    alone = [next(_nbest.heard(chances[number : number + 1])) for number in range(3)]
    assert alone == found, "neighbours change nothing"


@needs
def test_what_says_nothing_and_no_rows_at_all(taught: Schema) -> None:
    silent = frames("no", "no")["transcript"]
    silent[:] = np.eye(silent.shape[2])[0]
    chosen = msgspec.structs.replace(
        taught, extra={**taught.extra, "calibrated": _language.Choice(0.4, 1.0, 1).named()}
    )
    for rows in (silent, silent[:0]):
        assert not any(key.startswith("lists_") for key in TASK.decode({"transcript": rows}, taught, PROBLEM))
        decoded = TASK.decode({"transcript": rows}, chosen, PROBLEM)
        assert texts(decoded, chosen) == [""] * len(rows)
        kept = TASK.calibrate(TASK.decode({"transcript": rows}, taught, PROBLEM), said(*["no"] * len(rows)), taught)
        assert kept.extra["calibrated"] == {"beam": 1, "lm": 0.0}
    mixed = np.concatenate([silent[:1], frames("no", "no")["transcript"][:1]])
    assert texts(TASK.decode({"transcript": mixed}, chosen, PROBLEM), chosen) == ["", "no"]


@needs
def test_parts_of_a_long_recording_are_joined(taught: Schema) -> None:
    extra = {**taught.extra, "calibrated": _language.Choice(1.0, 1.0, 0).named()}
    chosen = msgspec.structs.replace(taught, extra=extra)
    whole = TASK.decode(frames("y*s", "no"), chosen, PROBLEM)
    parts = TASK.decode(frames("y*s", "no no"), chosen, PROBLEM)
    joined = TASK.joined(whole, parts, np.array([0, 0]), chosen)
    assert texts(joined, chosen) == ["yes no no", "no"]


# ---- without the library --------------------------------------------------------------------------------


def test_without_the_library_nothing_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_nbest, "available", lambda: False)
    assert TASK.learn(said(*TRAIN), SCHEMA) == SCHEMA


def test_a_model_with_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flashlight.lib.text", None)
    extra = {**SCHEMA.extra, "lm": _language.learned(TRAIN), "calibrated": _language.Choice(0.4, 1.0, 0).named()}
    with pytest.raises(UsageError, match="chosen with a language model, which needs flashlight-text") as caught:
        TASK.decode(frames("no"), msgspec.structs.replace(SCHEMA, extra=extra), PROBLEM)
    assert "autoft-speech[lm]" in str(caught.value.hint)
