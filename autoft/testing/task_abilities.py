"""Checks of what a task may be able to do beyond the protocol: tallies, what is set on validation, parts, counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.abilities import Aimed, Counting, Joining, Learning
from autoft.contracts import Calibrated, Tallying
from autoft.records import Dataset, Schema, from_json, to_json
from autoft.testing.task_base import TaskBase, truth

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]


class AbilityLaws(TaskBase):
    """Each is skipped where the task is not able to."""

    def test_tallies_say_what_predictions_say(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Tallying):
            pytest.skip("the task does not tally")
        targets = truth(task, data.samples, schema, problems[0])
        outputs = {key: np.roll(v, 1, axis=0) for key, v in self.perfect_outputs(problems[0], targets).items()}
        decoded = task.decode(outputs, schema, problems[0])
        tallies = task.tally(decoded, targets, schema)
        assert all(len(values) == len(data.samples) for values in tallies.values()), "one row per sample"
        whole, told = (task.score(*pair, schema, self.names()) for pair in ((decoded, targets), (tallies, {})))
        assert all(math.isclose(whole[name], told[name], rel_tol=1e-9) for name in whole), (whole, told)

    def test_what_is_set_on_validation_is_kept_and_applied(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Calibrated):
            pytest.skip("the task sets nothing on validation")
        for problem in problems:
            targets = dict(truth(task, data.samples, schema, problem))
            decoded = task.decode(self.perfect_outputs(problem, targets), schema, problem)
            kept = task.calibrate(decoded, targets, schema)
            numbers = kept.extra["calibrated"]
            assert numbers and all(math.isfinite(value) for value in numbers.values()), numbers
            assert from_json(to_json(kept), Schema) == kept
            for each in (schema, kept):
                once = task.settled(decoded, each)
                twice = task.settled(once, each)
                assert all(np.array_equal(once[key], twice[key]) for key in once), "settling again changes nothing"
                assert all(len(values) == len(data.samples) for values in once.values()), "one row per sample"

    def test_the_metric_that_is_aimed_at_is_kept(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Aimed):
            pytest.skip("nothing hangs on the metric")
        for name in self.names():
            aimed = task.aimed(schema, name)
            assert from_json(to_json(aimed), Schema) == aimed and task.aimed(aimed, name) == aimed
            assert [p.name for p in task.formulations(aimed)] == [p.name for p in problems]
            targets = dict(truth(task, data.samples, aimed, problems[0]))
            decoded = task.decode(self.perfect_outputs(problems[0], targets), aimed, problems[0])
            kept = task.calibrate(decoded, targets, aimed) if isinstance(task, Calibrated) else aimed
            settled = task.settled(decoded, kept) if isinstance(task, Calibrated) else decoded
            assert math.isfinite(task.score(settled, targets, kept, [name])[name])

    def test_parts_become_what_they_say_together(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Joining):
            pytest.skip("the task joins no parts")
        targets = truth(task, data.samples, schema, problems[0])
        decoded = task.decode(self.perfect_outputs(problems[0], targets), schema, problems[0])

        def told(answers: Mapping[str, Array]) -> list[Mapping[str, Any]]:
            return list(task.rows(task.settled(answers, schema) if isinstance(task, Calibrated) else answers, schema))

        rows = told(decoded)
        owners = np.arange(len(rows) - 1)
        alone = task.joined(decoded, {key: np.asarray(v)[:-1] for key, v in decoded.items()}, owners, schema)
        assert told(alone) == rows, "one part that is the whole sample changes nothing"
        twice = task.joined(
            decoded, {key: np.asarray(v)[[0, 1]] for key, v in decoded.items()}, np.zeros(2, int), schema
        )
        assert all(len(values) == len(rows) for values in twice.values()), "one row per sample"
        found = told(twice)
        assert found[1:] == rows[1:] and found[0] != rows[0], "only samples that were seen in parts change"

    def test_what_is_counted_in_each_sample_is_no_less_than_nothing(self, data: Dataset) -> None:
        task = self.task()
        if not isinstance(task, Counting):
            pytest.skip("a sample is one thing")
        counts = task.counts(data)
        assert len(counts) == len(data.samples) and all(int(count) == count >= 0 for count in counts), counts
        assert any(counts), "there is something to score"

    def test_what_is_learned_of_targets_is_added_and_hangs_on_no_order(self, data: Dataset) -> None:
        task, schema, problems = self.learn(data)
        if not isinstance(task, Learning):
            pytest.skip("the task learns nothing of targets alone")
        for problem in problems:
            targets = dict(task.encode(data.samples, schema, problem))
            kept = task.learn(targets, schema)
            assert from_json(to_json(kept), Schema) == kept
            rest = {key: value for key, value in kept.extra.items() if key in schema.extra}
            assert msgspec.structs.replace(kept, extra=rest) == schema, "what the schema holds stays"
            assert task.learn({key: np.asarray(v)[::-1] for key, v in targets.items()}, schema) == kept
            task.learn({key: np.asarray(v)[:0] for key, v in targets.items()}, schema)
            decoded = task.decode(self.perfect_outputs(problem, targets), kept, problem)
            found = task.calibrate(decoded, targets, kept) if isinstance(task, Calibrated) else kept
            again = task.decode(self.perfect_outputs(problem, targets), found, problem)
            told = [task.settled(one, found) if isinstance(task, Calibrated) else one for one in (decoded, again)]
            assert list(task.rows(told[0], found)) == list(task.rows(told[1], found)), "a saved model says the same"
