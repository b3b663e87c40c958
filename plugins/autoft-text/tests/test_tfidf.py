"""The linear model without a network: what it reads, what it is judged by, and that it ends in time."""

from __future__ import annotations

import itertools
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from autoft.api import Dataset, Sample, Schema
from autoft_text import _tfidf, _weights
from autoft_text._classes import TextClassification
from autoft_text._labels import TextMultiLabel
from autoft_text._numbers import TextRegression

WORDS = {"good": "a fine and lovely day", "bad": "an awful and dull night"}


def texts() -> Dataset:
    """16 texts of two classes, with numbers beside."""
    samples = tuple(
        Sample(id=f"row {n}", fields={"text": f"{words} {n}", "label": label, "value": float(n)})
        for n, (label, words) in enumerate(sorted(WORDS.items()) * 8)
    )
    return Dataset(samples=samples, reader="test", root="here", recognised="16 texts")


def test_the_plain_method_learns_what_words_say() -> None:
    task, data = TextClassification(), texts()
    schema = task.schema(data)
    name, decoded = task.plain(data.samples[:12], data.samples[12:], schema, 60.0)
    assert name == "logistic regression on TF-IDF"
    assert [schema.classes[i] for i in decoded["index"]] == [s.fields["label"] for s in data.samples[12:]]
    assert np.allclose(decoded["probability"].sum(1), 1, atol=1e-5)


def test_the_plain_method_for_numbers_is_scored_like_a_network() -> None:
    task = TextRegression()
    samples = tuple(
        Sample(id=str(n), fields={"text": list(WORDS.values())[n % 2], "value": float(n % 2)}) for n in range(20)
    )
    data = Dataset(samples=samples, reader="test", root="here", recognised="20 texts")
    schema = task.schema(data)
    problem = task.formulations(schema)[0]
    _, decoded = task.plain(samples[:14], samples[14:], schema, 60.0)
    targets = task.encode(samples[14:], schema, problem)
    assert task.score(decoded, targets, schema, ["r2"])["r2"] > 0.8


def test_the_plain_method_learns_each_label_alone() -> None:
    task = TextMultiLabel()
    samples = tuple(
        Sample(
            id=str(n),
            fields={
                "text": " and ".join(name for place, name in enumerate(("cat", "dog", "bird")) if n >> place & 1)
                or "no",
                "labels": [name for place, name in enumerate(("cat", "dog", "bird")) if n >> place & 1]
                + ["rare"] * (n == 45)
                + ["all"],
            },
        )
        for n in range(48)
    )
    schema = task.schema(Dataset(samples=samples, reader="test", root="here", recognised="48 texts"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        name, decoded = task.plain(samples[:40], samples[40:], schema, 60.0)
    assert name.startswith("logistic regression for each label on TF-IDF")
    targets = task.encode(samples[40:], schema, task.formulations(schema)[0])
    known = [schema.classes.index(name) for name in ("all", "bird", "cat", "dog")]
    assert (decoded["chosen"][:, known] == targets["labels"][:, known]).all()
    assert not decoded["chosen"][:, schema.classes.index("rare")].any()


def test_the_plain_method_sees_what_two_texts_share() -> None:
    task, rng = TextClassification(), np.random.default_rng(0)
    rows = [" ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 6, replace=False)) for _ in range(200)]
    samples = tuple(
        Sample(id=str(n), fields={"text": [row, row[::-1] if n % 2 else rows[n - 1]], "label": "no yes".split()[n % 2]})
        for n, row in enumerate(rows)
    )
    schema = task.schema(Dataset(samples=samples, reader="test", root="here", recognised="200 pairs"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        name, decoded = task.plain(samples[:150], samples[150:], schema, 60.0)
    assert name == "logistic regression on TF-IDF and on what the texts share"
    right = [schema.classes[i] == s.fields["label"] for i, s in zip(decoded["index"], samples[150:], strict=True)]
    assert np.mean(right) > 0.9


def test_languages_without_spaces_are_read_by_characters() -> None:
    task = TextClassification()
    rows = [("很好的酒店服务" if n % 2 else "房间又脏又小", str(n % 2)) for n in range(16)]
    samples = tuple(Sample(id=str(n), fields={"text": t, "label": y}) for n, (t, y) in enumerate(rows))
    data = Dataset(samples=samples, reader="test", root="here", recognised="16 texts")
    _, decoded = task.plain(samples[:12], samples[12:], task.schema(data), 60.0)
    assert decoded["index"].tolist() == [int(y) for _, y in rows[12:]]


@pytest.mark.parametrize("task", [TextClassification(), TextRegression()])
def test_the_plain_method_ends_in_time_and_says_so(
    task: TextClassification | TextRegression, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = texts()
    schema, clock = task.schema(data), itertools.count()
    monkeypatch.setattr(_tfidf, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    monkeypatch.setattr(_tfidf, "FEW", 2)
    name, decoded = task.plain(data.samples, data.samples[:2], schema, 21.0)
    assert "cut short to end in time: 1 of 5 strengths" in name
    assert len(next(iter(decoded.values()))) == 2
    name, _ = task.plain(data.samples, data.samples[:2], schema, 13.0)
    assert "its strength was not chosen" in name
    with pytest.raises(TimeoutError, match="no time was left"):
        task.plain(data.samples, data.samples[:2], schema, 5.0)


def rare(count: int = 300) -> tuple[Sample, ...]:
    """One of ten is of a class that a doubtful word tells."""
    rng = np.random.default_rng(0)
    found = []
    for n in range(count):
        label = "rare" if n % 10 == 0 else "usual"
        odd = rng.random() < (0.8 if label == "rare" else 0.15)
        words = " ".join(rng.choice(list("abcdefgh"), 4))
        found.append(Sample(id=str(n), fields={"text": f"{words} {'odd' if odd else 'even'}", "label": label}))
    return tuple(found)


def test_the_metric_of_the_search_decides() -> None:
    """A rare class is chosen where all classes count alike."""
    task, samples = TextClassification(), rare()
    schema = task.schema(Dataset(samples=samples, reader="test", root="here", recognised="300 texts"))

    def chosen(schema: Schema) -> int:
        _, decoded = task.plain(samples[:200], samples[200:], schema, 60.0)
        return int((decoded["index"] == schema.classes.index("rare")).sum())

    assert chosen(schema) < 3 < chosen(task.aimed(schema, "balanced_accuracy"))


def test_strengths_are_judged_by_the_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, task, samples = set[str](), TextRegression(), texts().samples
    schema = task.aimed(task.schema(texts()), "spearman")
    score = TextRegression.score

    def heard(self, decoded, targets, schema, names):  # type: ignore[no-untyped-def]
        asked.update(names)
        return score(self, decoded, targets, schema, names)

    monkeypatch.setattr(TextRegression, "score", heard)
    task.plain(samples[:12], samples[12:], schema, 60.0)
    assert asked == {"spearman"}


def test_characters_are_read_beside_words_where_that_does_better() -> None:
    task, rng = TextClassification(), np.random.default_rng(0)
    letters = list("bcdfghjklmnp")

    def text(n: int) -> str:  # no word comes twice, but the ends of some are alike
        return " ".join("".join(rng.choice(letters, 5)) + ("ane" if n % 2 else "ozu") for _ in range(3))

    samples = tuple(Sample(id=str(n), fields={"text": text(n), "label": str(n % 2)}) for n in range(120))
    schema = task.schema(Dataset(samples=samples, reader="test", root="here", recognised="120 texts"))
    name, decoded = task.plain(samples[:80], samples[80:], schema, 60.0)
    assert name == "logistic regression on TF-IDF of words and of characters"
    assert (decoded["index"] == np.arange(80, 120) % 2).mean() > 0.95


def test_terms_are_bounded_by_the_size_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_weights, "FEWEST", 5)
    monkeypatch.setattr(_weights, "ALL", 40)
    samples = texts().samples
    few, many = (next(_weights.readings(samples, samples, size))().seen.shape[1] for size in (8, 2))
    assert (few, many) == (5, 20)
    monkeypatch.setattr(_weights, "MANY", 10)
    again = next(_weights.readings(samples, samples, 2))().seen.shape[1]
    assert again < many, "words of one text alone are left out of many"
