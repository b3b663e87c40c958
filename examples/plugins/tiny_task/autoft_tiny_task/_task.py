"""Grades images on a scale (one to five stars, how ripe a fruit is): the classes are numbers and have an order.

A task owns the meaning of the data. It never sees pixels or gradients: it turns labels into arrays, says what a
network must learn from them, and turns what the network gives out into grades and scores.
"""

import numpy as np

from autoft.api import DataError, Metric, Output, Problem, Schema


class ImageGrade:
    name = "image-grade"
    modality = "image"
    inputs = ("image",)  # fields that the network looks at
    targets = ("label",)  # fields that it shall predict
    metrics = (  # the first is the one that a search improves unless the user says otherwise
        Metric(name="mean_error", mode="min", summary="grades by which a prediction is off, on average"),
        Metric(name="accuracy", percent=True, summary="share of images graded exactly right"),
    )

    def schema(self, dataset):
        """Once per search: what the labels mean. Kept with the model, so it must be plain data."""
        grades = sorted({_number(sample) for sample in dataset.samples})
        if len(grades) < 2:
            raise DataError(f"grading needs at least 2 grades, but there are {len(grades)}.")
        return Schema(task=self.name, classes=tuple(f"{grade:g}" for grade in grades))

    def strata(self, dataset):
        """Training, validation and test parts get each grade in the same proportion."""
        return [f"{_number(sample):g}" for sample in dataset.samples]

    def formulations(self, schema):
        """Ways to pose the problem, best first; autoft takes the first that the backend supports."""
        size = len(schema.classes)
        chances = Output(name="grade", head="pooled", size=size, loss="cross_entropy", post="softmax", target="grade")
        place = Output(name="grade", head="pooled", size=1, loss="mse", post="identity", target="grade")
        return (
            Problem(name="chance of each grade", inputs=self.inputs, outputs=(chances,)),
            Problem(name="place on the scale", inputs=self.inputs, outputs=(place,)),
        )

    def encode(self, samples, schema, problem):
        """Targets as arrays, one row per sample."""
        known = {grade: index for index, grade in enumerate(schema.classes)}
        for sample in samples:
            if f"{_number(sample):g}" not in known:
                raise DataError(f"'{sample.id}' has the grade {sample.fields['label']}; known are {', '.join(known)}.")
        index = np.array([known[f"{_number(sample):g}"] for sample in samples], dtype=np.int64)
        if problem.outputs[0].loss == "cross_entropy":
            return {"grade": index}
        return {"grade": (index[:, None] / (len(known) - 1)).astype(np.float32)}  # 0 is the lowest grade, 1 the highest

    def decode(self, outputs, schema, problem):
        """What the network gave out, as grades."""
        if problem.outputs[0].loss != "cross_entropy":
            return {"index": _index(outputs["grade"], schema)}
        # The median: of all guesses, it is off by the fewest grades on average.
        return {"index": (outputs["grade"].cumsum(axis=1) < 0.5).sum(axis=1).clip(0, len(schema.classes) - 1)}

    def score(self, decoded, targets, schema, names):
        """The named metrics; NaN when there is nothing to score."""
        truth = _index(targets["grade"], schema)
        if not len(truth):
            return dict.fromkeys(names, float("nan"))
        grades = np.array([float(grade) for grade in schema.classes])
        off = np.abs(grades[decoded["index"]] - grades[truth])
        known = {"mean_error": float(off.mean()), "accuracy": float((off == 0).mean())}
        return {name: known[name] for name in names}

    def rows(self, decoded, schema):
        """One row per image for the table that `autoft predict` writes."""
        for index in decoded["index"]:
            yield {"prediction": schema.classes[index]}


def _number(sample):
    try:
        return float(sample.fields["label"])
    except (TypeError, ValueError):
        raise DataError(f"grades must be numbers, but '{sample.id}' has '{sample.fields['label']}'.") from None


def _index(grade, schema):
    """Grade indices of either form of targets: they are indices already, or places between 0 and 1."""
    if grade.ndim == 1:
        return grade
    return np.rint(grade[:, 0].clip(0, 1) * (len(schema.classes) - 1)).astype(np.int64)
