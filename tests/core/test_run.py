"""The run folder: one best model at all times, an honest log, and names that lead back to it."""

import math
import os

import pytest

from autoft import ranking, run
from autoft.errors import UsageError
from autoft.recipe import Recipe
from autoft.records import Metric, TrialResult, to_json
from autoft.run import Run, RunWriter

UP = Metric(name="accuracy")
DOWN = Metric(name="log_loss", mode="min")
TASK = "toy"


@pytest.fixture
def writer(tmp_path):
    """Start a run; `add(number, score)` ends a trial with a model that says its number."""

    def start(metric=UP, name="", out="runs"):
        made = RunWriter(RunWriter.create(tmp_path / out, TASK, name), metric)
        made.write_yaml("args.yaml", {"task": TASK, "metric": metric})
        return made

    return start


def result(writer, number, score, status="finished", folder=True, **fields):
    place = writer.trial_folder(number)
    if folder:
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.json").write_text(f"model of t{number:04d}")
    return TrialResult(
        number=number,
        status=status,
        model="numpy/mlp",
        backend="numpy",
        recipe=Recipe(model="numpy/mlp", lr=0.1 * (number + 1)),
        score=score,
        folder=str(place) if folder and status != "failed" else "",
        **fields,
    )


def add(writer, number, score, **fields):
    return writer.add(result(writer, number, score, **fields))


def published(writer):
    path = writer.path / "best" / "config.json"
    return path.read_text().removeprefix("model of ") if path.exists() else None


def kept(writer):
    return sorted(p.name for p in (writer.path / "trials").iterdir())


# ---- its name -------------------------------------------------------------------------------------------


def test_runs_are_numbered(tmp_path):
    made = [RunWriter.create(tmp_path, TASK, "") for _ in range(3)]
    assert made == [tmp_path / TASK / f"search{n}" for n in (1, 2, 3)]
    made[1].rmdir()
    assert RunWriter.create(tmp_path, TASK, "") == made[1]
    assert RunWriter.create(tmp_path, "other", "") == tmp_path / "other" / "search1"


def test_a_name_is_taken_once(tmp_path):
    assert RunWriter.create(tmp_path, TASK, "night-1.5_a") == tmp_path / TASK / "night-1.5_a"
    with pytest.raises(UsageError, match=r"a run named 'night-1\.5_a' exists already") as refused:
        RunWriter.create(tmp_path, TASK, "night-1.5_a")
    assert "--name" in refused.value.hint


@pytest.mark.parametrize("name", ["../x", "..", ".", ".hidden", "a/b", "a b", "a:t0001", "a\n", "~", "/tmp/x", "a\\b"])
def test_a_name_stays_inside_the_folder_of_runs(tmp_path, name):
    with pytest.raises(UsageError, match="a run's name must be"):
        RunWriter.create(tmp_path / "runs", TASK, name)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["", "mine"])
def test_a_file_or_a_broken_link_in_the_way_is_told(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for out in ("file", "link"):
        with pytest.raises(UsageError, match="must be writable"):
            RunWriter.create(tmp_path / out, TASK, name)


# ---- the best model -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metric, scores, leaders",
    [
        (UP, [0.5, 0.4, 0.6, 0.6, 0.9], "t0000 t0000 t0002 t0002 t0004"),
        (DOWN, [0.5, 0.6, 0.4, 0.4, -1.0], "t0000 t0000 t0002 t0002 t0004"),
        (UP, [0.0, -0.1], "t0000 t0000"),
    ],
)
def test_only_a_better_model_takes_the_place_of_the_best(writer, metric, scores, leaders):
    made, seen = writer(metric), []
    for number, score in enumerate(scores):
        before = published(made)
        assert add(made, number, score) == (published(made) != before)
        seen.append(published(made))
    assert seen == leaders.split()
    assert not list(made.path.glob(".best*"))


def test_of_equal_scores_the_earlier_trial_leads_also_where_it_ends_later(writer):
    made = writer()
    assert add(made, 2, 0.9)
    assert add(made, 1, 0.9)
    assert not add(made, 3, 0.9)
    assert published(made) == "t0001" == Run(made.path).leaderboard()[0]["trial"]


@pytest.mark.parametrize("metric, low, middle, high", [(UP, 0.8, 0.85, 0.9), (DOWN, 0.5, 0.45, 0.4)])
def test_a_head_leads_by_no_more_than_cross_validation_leaves_it(writer, metric, low, middle, high):
    made = writer(metric)
    assert add(made, 0, high, combined=low)
    assert add(made, 1, middle)
    assert not add(made, 2, high, combined=low), "the best of many on few rows"
    assert not add(made, 3, middle, combined=high), "more than its score it never counts"
    assert add(made, 4, high, combined=high)
    assert Run(made.path).leaderboard()[0]["trial"] == "t0000", "the leaderboard shows scores as they are"


def test_what_counts_beside_a_score_decides_which_trial_leads(writer):
    made = writer(UP)
    assert add(made, 0, 0.9, finer=0.6)
    assert add(made, 1, 0.88, finer=0.7), "less sure of what it gets right"
    assert not add(made, 2, 0.9, finer=0.65)
    assert Run(made.path).leaderboard()[0]["trial"] == "t0000", "the leaderboard shows scores as they are"
    assert not add(made, 3, 0.87), "of a trial that was cut off it is not known: then scores alone count"
    assert ranking.by_worth(made.results, UP)[0].number == 0


def test_what_stopped_processes_left_is_swept(writer):
    made = writer()
    add(made, 0, 0.3)
    (made.path / "trials" / ".t0001.abcd").mkdir()
    made.sweep()
    assert [path.name for path in (made.path / "trials").iterdir()] == ["t0000"]


def test_models_are_kept_by_what_their_scores_count(writer):
    made = writer()
    for number in range(1, 5):
        add(made, number, 0.9, combined=0.5)
    add(made, 5, 0.6)
    add(made, 6, 0.7)
    assert kept(made) == ["t0001", "t0005", "t0006"]


@pytest.mark.parametrize("metric", [UP, DOWN])
@pytest.mark.parametrize("score", [None, math.nan, math.inf, -math.inf])
def test_without_a_score_none_leads(writer, metric, score):
    made = writer(metric)
    assert not add(made, 0, score)
    assert published(made) is None and made.best is None
    assert add(made, 1, 0.1)
    assert not add(made, 2, score)
    assert published(made) == "t0001"
    assert ranking.rank(made.results, metric)[0].number == 1


def test_a_failed_trial_or_one_without_a_model_does_not_lead(writer):
    made = writer()
    assert not add(made, 0, None, status="failed", reason="TrialFailed: no")
    assert not add(made, 1, 0.9, folder=False)
    assert add(made, 2, 0.1, status="stopped")
    assert published(made) == "t0002"


def test_the_best_few_models_and_trial_0_are_kept(writer):
    made = writer()
    for number, score in enumerate([0.1, 0.5, 0.6, 0.7]):
        add(made, number, score)
    assert kept(made) == ["t0000", "t0001", "t0002", "t0003"]
    add(made, 4, 0.65)
    assert kept(made) == ["t0000", "t0002", "t0003", "t0004"]
    add(made, 5, 0.2)
    assert kept(made) == ["t0000", "t0002", "t0003", "t0004"]
    assert published(made) == "t0003"


def test_what_a_failed_trial_had_saved_is_removed(writer):
    made = writer()
    add(made, 0, 0.5)
    add(made, 1, None, status="failed")
    assert kept(made) == ["t0000"]


def test_pruning_takes_no_other_trials_place(writer):
    """Failed trials count for nothing among the best few."""
    made = writer()
    for number in (1, 2, 3):
        add(made, number, None, status="failed")
    for number in (4, 5, 6):
        add(made, number, number / 10)
    assert kept(made) == ["t0004", "t0005", "t0006"]


# ---- the log --------------------------------------------------------------------------------------------


def test_every_trial_is_in_the_log_in_the_order_in_which_it_ended(writer):
    made = writer()
    for number, score in ((1, 0.3), (0, 0.5), (2, None)):
        add(made, number, score, status="finished" if score else "failed", reason="because")
    assert Run(made.path).results() == made.results
    assert [r.number for r in made.results] == [1, 0, 2]


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_last_line_that_a_crash_cut_off_is_left_out(writer, cut):
    made = writer()
    add(made, 0, 0.5)
    log = made.path / "trials.jsonl"
    with log.open("a") as file:
        file.write(to_json(result(made, 1, 0.6))[:cut])
    assert [r.number for r in Run(made.path).results()] == [0]
    add(made, 2, 0.7)
    assert [r.number for r in Run(made.path).results()] == [0, 2], "what is appended later is not lost with it"


def test_a_line_of_another_version_is_not_passed_over(writer):
    made = writer()
    add(made, 0, 0.5)
    log = made.path / "trials.jsonl"
    log.write_text(log.read_text().replace('"number":0', '"number":0,"invented_later":1'))
    with pytest.raises(UsageError, match=r"line 1 of '.*' was not written by this version.*invented_later"):
        Run(made.path).results()


def test_a_run_without_a_trial_has_an_empty_leaderboard(writer):
    made = Run(writer().path)
    assert made.results() == [] and made.leaderboard() == [] and made.metrics == {}


@pytest.mark.parametrize("metric, order", [(UP, [2, 1, 0]), (DOWN, [0, 1, 2])])
def test_the_leaderboard_has_the_best_first_and_the_failed_last(writer, metric, order):
    made = writer(metric)
    add(made, 3, None, status="failed", reason="it broke")
    for number, score in enumerate((0.1, 0.2, 0.3)):
        add(made, number, score, best_epoch=2, epochs=4, seconds=9.0)
    rows = Run(made.path).leaderboard()
    assert [row["trial"] for row in rows] == [f"t{n:04d}" for n in [*order, 3]]
    assert [row["rank"] for row in rows] == [1, 2, 3, None]
    assert rows[0][metric.name] == made.best.score
    assert (rows[0]["best_epoch"], rows[0]["trained_epochs"], rows[0]["lr"]) == (2, 4, made.best.recipe.lr)
    assert (rows[3]["status"], rows[3]["reason"], rows[3][metric.name]) == ("failed", "it broke", None)


# ---- found again ----------------------------------------------------------------------------------------


def test_a_run_is_found_by_path_task_and_name_or_name(writer, tmp_path):
    made, runs = writer(name="night"), tmp_path / "runs"
    for name in (str(made.path), "toy/night", "night"):
        assert run.find(name, runs).path.resolve() == made.path.resolve()
    with pytest.raises(UsageError, match=r"there is no run 'nigth'\. Did you mean 'night'"):
        run.find("nigth", runs)
    with pytest.raises(UsageError, match="there is no run"):
        run.find("night", tmp_path / "elsewhere")


def test_a_name_that_two_tasks_share_is_not_enough(tmp_path):
    for task in ("one", "two"):
        RunWriter(RunWriter.create(tmp_path, task, "night"), UP).write_yaml("args.yaml", {})
    with pytest.raises(UsageError, match="several runs are named 'night'") as refused:
        run.find("night", tmp_path)
    assert "path" in refused.value.hint
    assert run.find("two/night", tmp_path).path == tmp_path / "two" / "night"


def test_runs_are_listed_newest_first_and_only_those_that_began(writer, tmp_path):
    first, second = writer(name="first"), writer(name="second")
    RunWriter.create(tmp_path / "runs", TASK, "never-began")
    os.utime(first.path / "args.yaml", (2000, 2000))
    os.utime(second.path / "args.yaml", (1000, 1000))
    (second.path / "report.html").write_text("written again, which makes the folder newer")
    assert [r.path.name for r in run.list_runs(tmp_path / "runs")] == ["first", "second"]
    assert run.list_runs(tmp_path / "nowhere") == []


def test_the_model_of_a_run_of_a_trial_or_of_a_folder(writer, tmp_path):
    made, runs = writer(name="night"), tmp_path / "runs"
    for number, score in enumerate([0.1, 0.5, 0.6, 0.7, 0.8]):
        add(made, number, score)
    assert run.model_folder("night", runs) == made.path / "best"
    assert run.model_folder("night:t0000", runs) == made.path / "trials" / "t0000"
    assert run.model_folder(f"{made.path}:t0004", runs) == made.path / "trials" / "t0004"
    assert run.model_folder(str(made.path / "trials" / "t0003")) == made.path / "trials" / "t0003"
    with pytest.raises(UsageError, match="the model of t0001 was not kept") as refused:
        run.model_folder("night:t0001", runs)
    assert "best 3 models and trial 0" in refused.value.hint
    for name in ("nihgt", "night:t1", "night:../../x", ":t0001"):
        with pytest.raises(UsageError, match="there is no run"):
            run.model_folder(name, runs)


def test_a_run_that_has_no_model_yet(writer, tmp_path):
    writer(name="night")
    with pytest.raises(UsageError, match="has no model yet"):
        run.model_folder("night", tmp_path / "runs")


def test_arguments_and_metric_are_read_back(writer):
    made = writer(DOWN)
    made.write_json("metrics.json", {"status": "finished"})
    assert Run(made.path).metric == DOWN
    assert Run(str(made.path)).arguments["task"] == TASK
    assert Run(made.path).metrics == {"status": "finished"}
