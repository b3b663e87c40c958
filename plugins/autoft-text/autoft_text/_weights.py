"""TF-IDF weights of texts, in the ways in which they can be read, the quickest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autoft.api import Sample, shared_terms

LONG_WORD = 20
"""Characters between two spaces on average: beyond that they are no words."""
MANY = 1_000_000
"""Words in all texts from which on a term of one text alone is left out: of fewer and short texts it still tells
something (.819 to .813 without such terms on 7,800 sentences of reviews)."""
MOST = 200_000
"""Terms that are kept, the most frequent ones."""
FEWEST, ALL = 20_000, 4_000_000
"""Terms that are kept at least, and numbers of a model at most: the solver holds some twenty times as many."""


class Read(NamedTuple):
    """Texts as weights of terms."""

    words: str
    """What they are of."""
    seen: Any
    """Of the training samples."""
    asked: Any
    """Of the others."""


def readings(train: Sequence[Sample], test: Sequence[Sample], outputs: int) -> Iterator[Callable[[], Read]]:
    """Each is computed when it is called.

    Args:
        outputs: of the model, for each of which every term has a weight.
    """
    seen, asked = [_texts(sample) for sample in train], [_texts(sample) for sample in test]
    several = any(len(texts) > 1 for texts in seen)
    shared = " and on what the texts share" if several else ""
    rare = 2 if sum(len(text.split()) for texts in seen for text in texts) > MANY else 1
    most = min(MOST, max(FEWEST, ALL // max(1, outputs)))
    first: list[Read] = []

    def plain() -> Read:
        first.append(Read(f"TF-IDF{shared}", *_fitted(_vectorizer(seen, several, rare, most), seen, asked)))
        return first[0]

    def both() -> Read:
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfVectorizer

        usual = {"sublinear_tf": True, "min_df": rare, "max_features": most, "dtype": np.float32}
        made = TfidfVectorizer(preprocessor=_joined, analyzer="char_wb", ngram_range=(2, 4), **usual)
        more = _fitted(made, seen, asked)
        pairs = zip((first[0].seen, first[0].asked), more, strict=True)
        return Read(f"TF-IDF of words and of characters{shared}", *(hstack(pair, format="csr") for pair in pairs))

    yield plain
    if not _solid(seen):
        yield both


def _vectorizer(seen: Sequence[Sequence[str]], several: bool, rare: int, most: int) -> Any:
    """Words and pairs of them, or runs of characters where there are no words; of several texts what they share."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    usual: dict[str, Any] = {"sublinear_tf": True, "max_features": most, "dtype": np.float32}
    if _solid(seen):
        made = TfidfVectorizer(preprocessor=_joined, analyzer="char", ngram_range=(1, 3), min_df=2, **usual)
    else:
        made = TfidfVectorizer(
            preprocessor=_joined, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", min_df=rare, **usual
        )
    if not several:
        return made
    terms = made.build_analyzer()
    return TfidfVectorizer(analyzer=lambda texts: [*terms(texts), *shared_terms(texts)], min_df=made.min_df, **usual)


def _fitted(made: Any, seen: Sequence[Any], asked: Sequence[Any]) -> tuple[Any, Any]:
    return made.fit_transform(seen), made.transform(asked)


def _solid(seen: Sequence[Sequence[str]]) -> bool:
    """Whether these texts are written without spaces between words."""
    letters = sum(len(text) for texts in seen for text in texts)
    return letters / max(1, sum(len(text.split()) for texts in seen for text in texts)) > LONG_WORD


def _joined(texts: Sequence[str]) -> str:
    return " ".join(texts).lower()


def _texts(sample: Sample) -> tuple[str, ...]:
    value = sample.fields["text"]
    return (value,) if isinstance(value, str) else tuple(map(str, value))
