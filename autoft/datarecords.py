"""Records about data: samples as readers find them, what is wrong with them, and how they are divided."""

from __future__ import annotations

from typing import Any, Final

from autoft.record import Record


class Sample(Record):
    """One row of data, not decoded yet."""

    id: str
    """Stable name: the path below the data folder, or the row."""
    fields: dict[str, Any]
    """Field word -> value: paths for media, words or numbers for targets."""
    split: str = ""
    """train, val or test where the data say so."""
    group: str = ""
    """Samples of one group never straddle splits."""


class Shape(Record):
    """One thing that a mask is drawn of."""

    name: str
    """Its class; empty marks pixels that are not to be learned nor scored."""
    polygons: tuple[tuple[float, ...], ...] = ()
    """Rings x1, y1, x2, y2, ... in pixels of the picture that `Mask.size` tells."""
    holes: tuple[tuple[float, ...], ...] = ()
    """Rings of what is cut out of the polygons; what lies below shows there."""
    runs: tuple[int, ...] = ()
    """COCO's run lengths, column by column: how many pixels are outside, inside, outside, ..."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture that the runs are of, where they state it themselves; else zeros."""


class Mask(Record):
    """What a reader puts into the field `mask` (`msgspec.to_builtins` of it): where the classes of the pixels stand."""

    path: str = ""
    """Image file; empty where `shapes` are all there is."""
    further: tuple[str, ...] = ()
    """More files of the same picture, read as `path` is, each of one thing. A pixel is `background` where all of them
    say so, else what the last of the others says."""
    values: dict[str, str] = {}
    """Value of a pixel -> class: a grey value or palette index such as `7`, or a colour such as `#ff8000`, all in one
    of the two forms. An empty class marks pixels that are not to be learned nor scored."""
    nearest: bool = False
    """Other values count as the nearest one listed (files with loss); else they are told and left out."""
    others: str = ""
    """Class of all values that are not listed, where they are one: numbers of things."""
    background: str = ""
    """Class of pixels that no shape, or none of several files, covers."""
    shapes: tuple[Shape, ...] = ()
    """Later ones cover earlier ones."""
    size: tuple[int, int] = (0, 0)
    """Width and height that the annotations state for the picture the shapes were drawn on. Where it is not that of
    the image they are moved onto it, by the rules of boxes. Zeros: the upright image as it is."""
    layers: tuple[str, ...] = ()
    """Class of each file, `path` first, where every file marks one class: what is not `background` in it. Where files
    overlap, the one that marks fewer pixels lies on top."""
    alpha: bool = False
    """The values are those of the alpha channel."""


class Issue(Record):
    """One thing wrong with the data."""

    kind: str
    """corrupt, truncated, empty, huge, not_an_image, unreadable, missing, duplicate, small_class, ..."""
    subject: str
    """The file or row it is about."""
    detail: str = ""
    drops: bool = True
    """The sample is left out because of it (it then counts towards `--max-bad`)."""


class Dataset(Record):
    """What a reader found."""

    samples: tuple[Sample, ...]
    reader: str
    root: str
    recognised: str
    """One sentence for the user: what was recognised, and by which signs."""
    issues: tuple[Issue, ...] = ()
    columns: dict[str, str] = {}
    """Field word -> column of the table that it was read from, named or guessed; empty for what is no table. A reader
    may add a word of its own: a model remembers all, and `ReadOptions.guessed` has them when it is used."""
    meaning: Mask | None = None
    """What the values of its mask files mean, without files: further sources are read by it."""
    names: dict[str, str] = {}
    """Number -> name, where classes that are numbers in it have got names: numbers of further sources mean the same."""


class ReadOptions(Record):
    """What the user said about the data, and what the task needs of them."""

    needs: tuple[str, ...]
    """Fields that the task asks for, inputs first."""
    columns: dict[str, str] = {}
    """Field word -> column name, as given by --image-col, --target, ..."""
    remembered: dict[str, str] = {}
    """Field word -> column name, as given when the model was trained that predicts now. Counts for tables, where
    `columns` says nothing."""
    guessed: dict[str, str] = {}
    """The same for columns that were guessed then: they are taken where the table has them, else guessed anew."""
    meaning: Mask | None = None
    """What the values of masks mean in the training data, where this is a further source and names none itself."""
    classes: frozenset[str] = frozenset()
    """Classes that are known, of the training data or a model, where this is a further source: a word for nothing, such
    as `none`, is a class if it is one of these, else no label. Empty: it is told by the source itself."""
    encoding: str = ""
    """Of texts and tables that have no mark and are not UTF-8, as --encoding says; empty: it is guessed."""
    group_col: str = ""
    optional: tuple[str, ...] = ()
    """Fields of `needs` that may be absent (targets, when predicting)."""


class Fold(Record):
    """One division of what is not test, by sample id."""

    train: tuple[str, ...]
    val: tuple[str, ...]


EVERYTHING: Final = -1
"""The division that trains on all samples of the search: what it then scores on validation has been learned."""


class Splits(Record):
    """Which samples train, validate and test. The content of `splits.json`."""

    seed: int
    kind: str
    """given, stratified, grouped or repeated (several folds because classes are small)."""
    sentence: str
    """How the split was made, for the user."""
    folds: tuple[Fold, ...]
    """One, or several when validation is repeated; a trial's score is then their mean."""
    test: tuple[str, ...]
    spare: tuple[Fold, ...] = ()
    """Other divisions of the samples of the only fold, where its validation part is small: a configuration that is to
    be confirmed runs again on one of them (`TrialSpec.division`)."""

    def division(self, number: int, scored: int = 0) -> tuple[Fold, ...]:
        """The folds of a trial: those of the search, one of the spare divisions, taken in turn, or all there is to
        learn from (`EVERYTHING`).

        Args:
            scored: of everything, the division whose validation samples give the score.
        """
        if number == EVERYTHING:
            first = self.division(scored)[0]
            return (Fold(train=(*first.train, *first.val), val=first.val),)
        return self.folds if not number or not self.spare else (self.spare[(number - 1) % len(self.spare)],)


class Decoding(Record):
    """How files become arrays. Kept with each model, so that a prediction sees what the search saw."""

    size: int = 0
    """Side in pixels of pictures; 0 where there are none."""
    seconds: float = 0.0
    """Of recordings: longer ones are cut, shorter ones filled with silence; 0 where there are none."""
    windows: int = 1
    """Of recordings that are longer: so many parts of `seconds` are heard at most when a model predicts, spread evenly,
    and their predictions averaged; 0 hears all of it, part after part, and joins what is said. Trials hear one part in
    each sample."""
    greys: tuple[float, float] | None = None
    """Of pictures of more than 8 bits: the values that become black and white; None takes the range of their type."""


class DataRef(Record):
    """Where a worker finds the decoded samples and the split."""

    store: str
    """Folder of the decoded-sample store."""
    fingerprint: str
    dataset: str
    """Path of `dataset.json`: the samples, in the order of the store's rows."""
    splits: str
    """Path of `splits.json`."""
