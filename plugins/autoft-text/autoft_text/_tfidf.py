"""What every search of texts is measured against: a linear model on TF-IDF weights, without any network.

Words and pairs of them where there are spaces, else runs of up to three characters (Jones, 1972; Joachims, 1998). Of
several texts also what they share: whether two texts are alike is more than what stands in the one and in the other.
Its strength is chosen by cross-validation on the training part, as far as time allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autoft.api import Sample, Schema, shared_terms

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS = (10.0, 30.0, 3.0, 1.0, 0.3)
"""The likeliest for classes first, in case time is short. Ridge regression takes 10 divided by them."""
FOLDS = 3
LONG_WORD = 20
"""Characters between two spaces on average: beyond that they are no words."""
PROBE = 8
"""The time of a fit is told by one on so small a part of the texts."""
FEW = 100
"""Rows that are fitted at once."""
MARGIN = 1.5
"""What a fit may take beyond what was told."""


def classes(
    train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextClassification.decode` gives them.

    Raises:
        TimeoutError: see `_fitted`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    began = time.monotonic()
    seen, asked, read = _weights(train, test)
    labels = np.array([schema.classes.index(str(sample.fields["label"])) for sample in train])
    folds = min(FOLDS, *np.bincount(labels)[np.unique(labels)].tolist())
    order = StratifiedKFold(folds, shuffle=True, random_state=0).split(labels, labels) if folds >= 2 else ()
    fitted, words = _fitted(
        lambda c: LogisticRegression(C=c, max_iter=500, tol=1e-3), seen, labels, order, began + seconds
    )
    chances = np.zeros((len(test), len(schema.classes)), np.float32)
    chances[:, fitted.classes_] = fitted.predict_proba(asked)
    decoded = {"probability": chances, "index": chances.argmax(1).astype(np.int64)}
    return f"logistic regression on {read}{words}", decoded


def numbers(train: Sequence[Sample], test: Sequence[Sample], seconds: float) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextRegression.decode` gives them.

    Raises:
        TimeoutError: see `_fitted`.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold

    began = time.monotonic()
    seen, asked, read = _weights(train, test)
    values = np.array([sample.fields["value"] for sample in train], np.float64)
    order = KFold(max(2, min(FOLDS, len(train) // 2)), shuffle=True, random_state=0).split(values)
    fitted, words = _fitted(lambda strength: Ridge(alpha=10 / strength), seen, values, order, began + seconds)
    return f"ridge regression on {read}{words}", {"value": np.asarray(fitted.predict(asked), np.float64)}


def _fitted(
    make: Callable[[float], Any], seen: Any, wanted: Array, order: Iterable[tuple[Array, Array]], end: float
) -> tuple[Any, str]:
    """The model of the strength that does best by cross-validation, and in words what was left out to end in time.

    Args:
        order: rows to fit on and rows to judge by, for each fold; none where there are too few rows.
        end: by `time.monotonic`.

    Raises:
        TimeoutError: there is no time for a single fit.
    """
    folds, scores, taken = list(order), dict[float, float](), list[float]()
    told = _told(make, seen, wanted)

    def fits(count: int) -> bool:
        return time.monotonic() + MARGIN * max(taken, default=told) * count <= end

    for strength in STRENGTHS if folds else ():
        judged: list[float] = []
        for inside, outside in folds:
            # What is told is coarse: once a fit was timed, all that this strength needs must fit, and the last one.
            if not fits(len(folds) - len(judged) + 2 if taken else 2):
                break
            began = time.monotonic()
            judged.append(make(strength).fit(seen[inside], wanted[inside]).score(seen[outside], wanted[outside]))
            taken.append(time.monotonic() - began)
        if len(judged) < len(folds):
            break
        scores[strength] = float(np.mean(judged))
    if not scores and not fits(1):
        raise TimeoutError(f"no time was left: a fit takes about {told:.0f} s")
    best = max(scores, key=lambda strength: scores[strength]) if scores else STRENGTHS[0]
    tried = f"{len(scores)} of {len(STRENGTHS)} strengths" if scores else "its strength was not chosen"
    short = bool(folds) and len(scores) < len(STRENGTHS)
    return make(best).fit(seen, wanted), f" (cut short to end in time: {tried})" if short else ""


def _told(make: Callable[[float], Any], seen: Any, wanted: Array) -> float:
    """Seconds that one fit may take, by one on few rows, which costs more than its share; 0 where all are few."""
    rows = np.arange(0, len(wanted), PROBE)
    if len(rows) < FEW or len(np.unique(wanted[rows])) < 2:
        return 0.0
    make(STRENGTHS[0]).fit(seen[rows], wanted[rows])  # the first one loads libraries
    began = time.monotonic()
    make(STRENGTHS[0]).fit(seen[rows], wanted[rows])
    return PROBE / 2 * (time.monotonic() - began)


def _weights(train: Sequence[Sample], test: Sequence[Sample]) -> tuple[Any, Any, str]:
    """Of the training samples and of the others, and in words what they are of."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [_texts(sample) for sample in train]
    joined = [" ".join(several) for several in texts]
    length = sum(map(len, joined)) / max(1, sum(len(text.split()) for text in joined))
    if length > LONG_WORD:
        made = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    else:
        made = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    if all(len(several) < 2 for several in texts):
        return made.fit_transform(joined), made.transform([" ".join(_texts(sample)) for sample in test]), "TF-IDF"
    plain = made.build_analyzer()
    asked = [_texts(sample) for sample in test]
    made = TfidfVectorizer(
        analyzer=lambda several: [*plain(" ".join(several)), *shared_terms(several)],
        sublinear_tf=True,
        min_df=made.min_df,
    )
    return made.fit_transform(texts), made.transform(asked), "TF-IDF and on what the texts share"


def _texts(sample: Sample) -> tuple[str, ...]:
    value = sample.fields["text"]
    return (value,) if isinstance(value, str) else tuple(map(str, value))
