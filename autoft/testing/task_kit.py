"""`TaskContract`: a task needs no framework, encodes alike every time, and knows a perfect answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft import vocab
from autoft.abilities import Itemizing, Piecewise
from autoft.contracts import Exporting, Task
from autoft.encoder import encoder
from autoft.errors import DataError
from autoft.recipe import Recipe
from autoft.records import Dataset, Job, Output, Problem, Schema, from_json, to_json
from autoft.testing import toys
from autoft.testing.contract import FRAMEWORKS, dragged_in, misfits
from autoft.testing.numpy_backend import CARD, NumpyBackend
from autoft.testing.task_abilities import AbilityLaws
from autoft.testing.task_base import row_of, truth

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]


class TaskContract(AbilityLaws):
    """Set `task`. A task whose targets are not the field `label` also writes `dataset` and `unlearnable`."""

    # ---- form ------------------------------------------------------------------------------------------

    def test_conforms_to_the_protocol(self) -> None:
        assert not misfits(self.task(), Task)

    def test_import_needs_no_framework(self) -> None:
        assert not dragged_in(self.task.__module__, FRAMEWORKS), "a task is numpy only: backends own the frameworks"

    def test_words_are_in_the_vocabulary(self) -> None:
        task = self.task()
        assert vocab.check("modality", task.modality)
        assert task.inputs and all(vocab.check("field", field) for field in (*task.inputs, *task.targets))
        assert task.metrics and len(set(self.names())) == len(task.metrics), "metrics need a name each"
        assert all(metric.stand_in in (None, *task.metrics) for metric in task.metrics), (
            "what stands in for a metric is another metric of the task"
        )

    def test_what_counts_beside_a_metric_can_be_scored(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        targets = dict(truth(task, data.samples, schema, problems[0]))
        decoded = task.decode(self.perfect_outputs(problems[0], targets), schema, problems[0])
        for metric in (one for one in task.metrics if one.finer):
            assert metric.finer and metric.finer.mode == metric.mode
            found = task.score(decoded, targets, schema, [metric.name, metric.finer.name])
            assert all(math.isfinite(value) for value in found.values()), f"{metric.finer.name} must be a number"

    # ---- schema ------------------------------------------------------------------------------------------

    def test_schema_survives_json(self, data: Dataset) -> None:
        task, schema, _ = self.learn(data)
        assert schema.task == task.name
        assert from_json(to_json(schema), Schema) == schema

    def test_a_metric_that_counts_classes_alike_has_classes(self, data: Dataset) -> None:
        task, schema, _ = self.learn(data)
        alike = [metric.name for metric in task.metrics if metric.alike]
        assert schema.classes or not alike, f"{', '.join(alike)} counts classes alike, but the schema has none"

    def test_schema_ignores_the_order_of_samples(self, data: Dataset) -> None:
        turned = msgspec.structs.replace(data, samples=data.samples[::-1])
        assert self.task().schema(turned) == self.task().schema(data), (
            "class indices must not hang on the order of files"
        )

    def test_unlearnable_data_are_refused_in_words(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as caught:
            self.task().schema(self.unlearnable(tmp_path))
        assert " " in str(caught.value)

    def test_strata_name_every_sample(self, data: Dataset) -> None:
        strata = self.task().strata(data)
        assert len(strata) == len(data.samples) and all(isinstance(word, str) for word in strata)

    # ---- problems and targets --------------------------------------------------------------------------

    def test_formulations_are_well_formed(self, data: Dataset) -> None:
        task, _, problems = self.learn(data)
        assert problems, "a task must pose at least one problem"
        assert len({problem.name for problem in problems}) == len(problems)
        for problem in problems:
            assert from_json(to_json(problem), Problem) == problem
            assert set(problem.inputs) <= set(task.inputs)
            assert problem.outputs and all(output.size >= 1 for output in problem.outputs)

    def test_encoded_targets_fit_the_problem(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        for problem in problems:
            targets = compared(problem, truth(task, data.samples, schema, problem))
            assert set(targets) == {output.target for output in problem.outputs}
            for output in problem.outputs:
                _fits(output, np.asarray(targets[output.target]), len(data.samples))

    def test_encode_is_deterministic(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        turned = data.samples[::-1]
        for problem in problems:
            first, again = task.encode(data.samples, schema, problem), self.task().encode(turned, schema, problem)
            assert all(np.array_equal(first[key], again[key][::-1]) for key in first), (
                "a target hangs on more than its sample"
            )

    def test_unknown_label_is_named(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if "label" not in task.targets:
            pytest.skip("the task has no labels")
        strange = msgspec.structs.replace(data.samples[0], fields={**data.samples[0].fields, "label": "Xenomorph"})
        with pytest.raises(DataError, match="Xenomorph"):
            task.encode((strange,), schema, problems[0])

    # ---- decoding and metrics -----------------------------------------------------------------------------

    def scores(self, data: Dataset, problem: Problem, roll: int = 0, rows: Any = slice(None)) -> dict[str, float]:
        """Scores of perfect outputs, each given to the sample `roll` places on."""
        task, schema, _ = self.learn(data)
        targets = {key: np.asarray(values)[rows] for key, values in truth(task, data.samples, schema, problem).items()}
        outputs = {key: np.roll(values, roll, axis=0) for key, values in self.perfect_outputs(problem, targets).items()}
        return task.score(task.decode(outputs, schema, problem), targets, schema, self.names())

    def test_perfect_outputs_score_perfectly(self, data: Dataset) -> None:
        for problem in self.learn(data)[2]:
            scores = self.scores(data, problem)
            for metric in self.task().metrics:
                wanted = self.perfect_score(metric)
                found = scores[metric.name]
                assert math.isclose(found, wanted, abs_tol=1e-4), (
                    f"{problem.name}: {metric.name} is {found}, not {wanted}"
                )

    def test_wrong_outputs_score_worse(self, data: Dataset) -> None:
        for problem in self.learn(data)[2]:
            wrong = self.scores(data, problem, roll=len(data.samples) // 2)
            for metric in self.task().metrics:
                assert not math.isclose(wrong[metric.name], self.perfect_score(metric), abs_tol=1e-4), metric.name

    def test_scores_ignore_the_order_of_rows(self, data: Dataset) -> None:
        for problem in self.learn(data)[2]:
            roll, turned = len(data.samples) // 3, np.random.default_rng(0).permutation(len(data.samples))
            task, schema, _ = self.learn(data)
            targets = {key: np.asarray(v) for key, v in truth(task, data.samples, schema, problem).items()}
            outputs = {key: np.roll(v, roll, axis=0) for key, v in self.perfect_outputs(problem, targets).items()}
            decoded = task.decode(outputs, schema, problem)
            first = task.score(decoded, targets, schema, self.names())
            turned_rows, turned_truth = (
                {key: np.asarray(v)[turned] for key, v in part.items()} for part in (decoded, targets)
            )
            again = task.score(turned_rows, turned_truth, schema, self.names())
            assert all(math.isclose(first[n], again[n], rel_tol=1e-6, abs_tol=1e-9) for n in first), (first, again)

    def test_only_the_named_metrics_are_computed(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        targets = dict(truth(task, data.samples, schema, problems[0]))
        decoded = task.decode(self.perfect_outputs(problems[0], targets), schema, problems[0])
        for name in self.names():
            scores = task.score(decoded, targets, schema, [name])
            assert list(scores) == [name] and type(scores[name]) is float

    def test_no_rows_score_without_a_crash(self, data: Dataset) -> None:
        for problem in self.learn(data)[2]:
            assert set(self.scores(data, problem, rows=slice(0, 0))) == set(self.names())

    def test_one_row_scores_without_a_crash(self, data: Dataset) -> None:
        for problem in self.learn(data)[2]:
            assert set(self.scores(data, problem, rows=slice(0, 1))) == set(self.names())

    def test_shares_are_means_of_right_and_wrong(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        names = [metric.name for metric in task.metrics if metric.share]
        if not names:
            pytest.skip("no metric is a share of the samples")
        targets = truth(task, data.samples, schema, problems[0])
        outputs = {key: np.roll(v, 1, axis=0) for key, v in self.perfect_outputs(problems[0], targets).items()}
        decoded = task.decode(outputs, schema, problems[0])
        whole = task.score(decoded, targets, schema, names)
        rows = [(row_of(decoded, row), row_of(targets, row)) for row in range(len(data.samples))]
        single = [task.score(one, other, schema, names) for one, other in rows]
        for name in names:
            values = [scores[name] for scores in single]
            assert {*values} <= {0.0, 1.0}, f"{name} of one sample is 0 or 1, for it is a share"
            assert math.isclose(whole[name], sum(values) / len(values)), f"{name} is the mean over the samples"

    def test_rows_are_flat_and_plain(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        for problem in problems:
            targets = dict(truth(task, data.samples, schema, problem))
            table = list(task.rows(task.decode(self.perfect_outputs(problem, targets), schema, problem), schema))
            assert len(table) == len(data.samples)
            for row in table:
                assert next(iter(row)) == "prediction" and list(row) == list(table[0])
                plain = all(value is None or type(value) in (str, int, float, bool) for value in row.values())
                assert plain, f"rows hold plain Python values, for CSV and JSON: {row}"

    def test_what_rows_cannot_hold_is_told_as_json(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Itemizing):
            pytest.skip("rows say it all")
        for problem in problems:
            targets = dict(truth(task, data.samples, schema, problem))
            decoded = task.decode(self.perfect_outputs(problem, targets), schema, problem)
            items, rows = list(task.items(decoded, data.samples, schema)), list(task.rows(decoded, schema))
            assert len(items) == len(data.samples)
            assert json.loads(json.dumps(items)) == items, "names, numbers, texts and lists of these"
            assert not {*items[0]} & {"file", *rows[0]}, "names that are no columns"

    def test_files_of_parts_are_those_of_the_whole(self, data: Dataset, tmp_path: Path) -> None:
        task, schema, problems = self.learn(data)
        if not (isinstance(task, Piecewise) and isinstance(task, Exporting)):
            pytest.skip("the task writes no files part by part")
        targets = dict(truth(task, data.samples, schema, problems[0]))
        decoded = task.decode(self.perfect_outputs(problems[0], targets), schema, problems[0])
        whole, parts = tmp_path / "whole", tmp_path / "parts"
        whole.mkdir()
        parts.mkdir()
        cut = ((slice(0, 1), data.samples[:1]), (slice(1, None), data.samples[1:]))
        pieces = [({key: np.asarray(v)[rows] for key, v in decoded.items()}, some) for rows, some in cut]
        task.export(decoded, data.samples, schema, whole)
        task.export_parts(iter(pieces), [sample.id for sample in data.samples], schema, parts)
        written = [{str(p.relative_to(at)): p.read_bytes() for p in at.rglob("*.*")} for at in (whole, parts)]
        assert written[0] == written[1] and written[0]

    # ---- with a network ---------------------------------------------------------------------------------

    def test_it_trains_on_the_numpy_backend(self, tmp_path: Path) -> None:
        data = self.dataset(tmp_path)
        task, schema, problems = self.learn(data)
        problem = next((p for p in problems if not NumpyBackend().supports(p, CARD)), None)
        if problem is None:
            pytest.skip(f"the numpy backend: {NumpyBackend().supports(problems[0], CARD)}")
        targets = {key: np.asarray(values) for key, values in truth(task, data.samples, schema, problem).items()}
        feed = toys.ArrayFeed({"image": toys.load([s.fields["image"] for s in data.samples]), **targets})
        recipe = Recipe(lr=0.01, epochs=40, batch_size=8, augment="none", schedule="constant")
        learner = NumpyBackend().build(Job(card=CARD, problem=problem, recipe=recipe, image_size=32))
        first = task.metrics[0].name

        def score() -> float:
            return task.score(task.decode(learner.predict(feed), schema, problem), targets, schema, [first])[first]

        before = score()
        for epoch in range(1, recipe.epochs + 1):
            learner.train_epoch(feed, epoch, lambda: False)
        gain = task.metrics[0].sign * (score() - before)
        assert gain > 0, f"{first} went from {before} to {score()} on the data it was trained on"


def compared(problem: Problem, targets: Mapping[str, Array], side: int = 32) -> Mapping[str, Array]:
    """What the losses compare with; `side` is that of dense maps."""
    return encoder(problem.encoder)(targets, side, side, problem) if problem.encoder else targets


def _fits(output: Output, targets: Array, count: int) -> None:
    assert len(targets) == count, f"'{output.target}' needs one row per sample"
    if output.target == "mask":
        return
    if output.loss == "cross_entropy" and targets.dtype == np.int64:
        assert targets.max() < output.size, f"'{output.target}' has a class beyond the {output.size} of its output"
    elif output.loss not in ("ctc", "native"):
        if output.head == "dense":
            assert targets.ndim == 4, f"'{output.target}' must be (n, height, width, {output.size})"
        assert targets.dtype == np.float32 and targets.shape[-1] == output.size, (
            f"'{output.target}' must be float32, {output.size} channels last, but is {targets.dtype} {targets.shape}"
        )
        masked = output.head == "dense" and output.loss in ("mse", "mae", "huber", "heatmap")
        assert np.isfinite(targets).all() or masked, f"'{output.target}' has values that are not finite"
