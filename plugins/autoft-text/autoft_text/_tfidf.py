"""What every search of texts is measured against: a linear model on TF-IDF weights, without any network.

Words and pairs of them where there are spaces, else runs of up to three characters (Jones, 1972; Joachims, 1998). Its
strength is chosen by cross-validation on the training part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.api import Sample, Schema

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
FOLDS = 3
LONG_WORD = 20
"""Characters between two spaces on average: beyond that they are no words."""


def classes(train: Sequence[Sample], test: Sequence[Sample], schema: Schema) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextClassification.decode` gives them."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    seen, asked = _weights(train, test)
    labels = [schema.classes.index(str(sample.fields["label"])) for sample in train]
    folds = min(FOLDS, *np.bincount(labels)[np.unique(labels)].tolist())
    plain = LogisticRegression(max_iter=500)
    if folds >= 2:
        order = StratifiedKFold(folds, shuffle=True, random_state=0)
        plain = GridSearchCV(plain, {"C": list(STRENGTHS)}, cv=order)
    plain.fit(seen, labels)
    chances = np.zeros((len(test), len(schema.classes)), np.float32)
    chances[:, plain.classes_] = plain.predict_proba(asked)
    return "logistic regression on TF-IDF", {"probability": chances, "index": chances.argmax(1).astype(np.int64)}


def numbers(train: Sequence[Sample], test: Sequence[Sample]) -> tuple[str, dict[str, Array]]:
    """The method in words, and decoded predictions of the test samples as `TextRegression.decode` gives them."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV

    seen, asked = _weights(train, test)
    values = np.array([sample.fields["value"] for sample in train], np.float64)
    plain = GridSearchCV(Ridge(), {"alpha": list(STRENGTHS)}, cv=max(2, min(FOLDS, len(train) // 2)))
    plain.fit(seen, values)
    return "ridge regression on TF-IDF", {"value": np.asarray(plain.predict(asked), np.float64)}


def _weights(train: Sequence[Sample], test: Sequence[Sample]) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [_joined(sample) for sample in train]
    length = sum(map(len, texts)) / max(1, sum(len(text.split()) for text in texts))
    if length > LONG_WORD:
        made = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2)
    else:
        made = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    return made.fit_transform(texts), made.transform([_joined(sample) for sample in test])


def _joined(sample: Sample) -> str:
    value = sample.fields["text"]
    return value if isinstance(value, str) else " ".join(map(str, value))
