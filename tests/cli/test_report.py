"""The report, the model card and the leaderboard: complete, self-contained, and safe with any text."""

from __future__ import annotations

import csv
import math
import re
import shlex
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from autoft.errors import UsageError
from autoft.recipe import Recipe
from autoft.records import Metric, to_json
from autoft.report import charts, svg
from autoft.report.card import code, md, model_card, train_command
from autoft.report.leaderboard import rows, write_leaderboard
from autoft.report.write import write_report
from autoft.search.overrides import parse, parse_assignments
from tests.cli import records
from tests.cli.conftest import Cli

VOID = {"meta", "line", "circle", "br"}


class Outline(HTMLParser):
    """Collects tags and attributes, and sees to it that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href") or name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return records.write_run(tmp_path / "runs" / "image-cls" / "search1")


def test_the_report_needs_nothing_else(run: Path) -> None:
    path = write_report(run)
    text = path.read_text()
    outline = Outline(text)
    assert path == run / "report.html"
    assert outline.open == []
    assert outline.links == []
    assert not {"script", "link", "iframe", "img", "i"} & set(outline.tags)
    assert "url(" not in text and "@import" not in text and "http://" not in text and "https://" not in text


def test_user_text_is_shown_and_not_run(run: Path) -> None:
    text = write_report(run).read_text()
    assert "<script" not in text
    assert "<b>1</b>" not in text and "<i>" not in text
    words = "".join(Outline(text).words)
    assert "<script>alert(1)</script>" in words
    assert "bee & wasp/<b>1</b>.png: same bytes as 2.png" in words
    assert "the loss must be finite, but it is nan [step 3] <i>" in words


def test_everything_is_told(run: Path) -> None:
    words = "".join(Outline(write_report(run).read_text()).words)
    for trial in records.results():
        assert trial.name in words
    for part in (
        "94.4%",
        "95% CI 92.0% to 96.6%",
        "+8.3 points",
        "significant",
        "split by class",
        "the <i>ants</i> are few.",
        "2 corrupt (left out)",
    ):
        assert part in words
    assert records.summary()["command"] in words


def test_scores_of_each_class_are_a_table(tmp_path: Path) -> None:
    own = {"ap:ant [wild]": 0.75, "ap:<b>bee</b>": None, "f1:ant [wild]": 0.5, "f1:<b>bee</b>": 0.25}
    test = records.summary()["test"] | {"metrics": {"accuracy": 0.9, **own}}
    best = records.summary()["best"] | {"calibrated": {"threshold:ant [wild]": 0.31, "nms": 0.6}}
    folder = records.write_run(tmp_path / "runs" / "image-cls" / "search2", test=test, best=best)
    text = write_report(folder).read_text()
    words = "|".join(Outline(text).words)
    assert (
        "Each class, locked test|class|ap|f1|threshold|ant [wild]|0.7500|0.5000|0.3100|<b>bee</b>|–|0.2500|–" in words
    )
    assert "<b>bee" not in text
    card = model_card(records.config(), records.summary(test=test, best=best), {})
    assert "| ant \\[wild\\] | 0.7500 | 0.5000 | 0.3100 |" in card and "| locked test | ap" not in card


def test_it_is_told_at_which_side_masks_were_scored(tmp_path: Path) -> None:
    folder = records.write_run(tmp_path / "runs" / "image-seg" / "search2", scored_at=160)
    said = "Masks are scored at 160 x 160 pixels."
    assert said in "".join(Outline(write_report(folder).read_text()).words)
    assert said in model_card(records.config(), records.summary(scored_at=160), {})
    assert "asks are scored" not in model_card(records.config(), records.summary(), {})


def test_the_chosen_trial_is_marked_though_another_has_a_higher_score(run: Path, tmp_path: Path) -> None:
    ranked = [result for result in records.results() if result.score is not None]
    first, chosen, *_ = sorted(ranked, key=lambda result: (-(result.score or 0.0), result.number))
    best = records.summary()["best"] | {"trial": chosen.name}
    folder = records.write_run(tmp_path / "runs" / "image-cls" / "search3", best=best)
    words = "|".join(Outline(write_report(folder).read_text()).words)
    assert f"best ({chosen.name})" in words
    (folder / "metrics.json").unlink()
    words = "|".join(Outline(write_report(folder).read_text()).words)
    assert f"best ({first.name})" in words, "while it runs, the one that leads"


def test_a_run_that_was_killed_has_a_report_too(run: Path) -> None:
    for name in ("metrics.json", "splits.json", "data_report.json", "dataset.json"):
        (run / name).unlink()
    with (run / "trials.jsonl").open("a") as log:
        log.write('{"number": 99, "stat')
    words = "".join(Outline(write_report(run).read_text()).words)
    assert "still running, or it was killed" in words
    assert "t0012" in words and "t0099" not in words


def test_a_run_without_trials(run: Path) -> None:
    (run / "trials.jsonl").unlink()
    assert Outline(write_report(run).read_text()).open == []


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run"):
        write_report(tmp_path)


def test_the_verb_writes_it_again(cli: Cli, run: Path) -> None:
    ran = cli("report", "search1")
    assert ran.code == 0
    assert ran.out == "runs/image-cls/search1/report.html\n"
    assert (run / "report.html").is_file() and (run / "leaderboard.csv").is_file()


def test_the_verb_says_that_the_test_part_was_not_scored(cli: Cli, run: Path) -> None:
    told = msgspec.json.decode((run / "metrics.json").read_bytes())
    (run / "metrics.json").write_bytes(msgspec.json.encode({**told, "test": None}))
    assert "not scored; to try it again: autoft report search1 --finish" in cli("report", "search1").out


# ---- charts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("began", [0.0, records.START])
def test_progress_marks_every_scored_trial(began: float) -> None:
    drawing = charts.progress(records.results(), records.METRIC, began)
    tree = ElementTree.fromstring(drawing)
    scored = [r for r in records.results() if r.score is not None]
    assert len(tree.findall("circle")) == len(scored)
    assert ("minutes since the start" in drawing) == bool(began)


def test_the_best_so_far_never_falls() -> None:
    tree = ElementTree.fromstring(charts.progress(records.results(), records.METRIC, records.START))
    (line,) = tree.findall("polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert heights == sorted(heights, reverse=True), "y counts downwards"


def test_a_curve_for_every_trial_that_reported() -> None:
    tree = ElementTree.fromstring(charts.curves(records.results(), records.METRIC))
    kinds = [line.attrib["class"] for line in tree.findall("polyline")]
    assert kinds.count("lead") == kinds.count("baseline") == 1
    assert kinds[-1] == "lead"
    assert len(kinds) == len([r for r in records.results() if r.history])


def test_charts_of_nothing_and_of_one_epoch() -> None:
    assert charts.progress([records.failed(1)], records.METRIC, 0) == ""
    assert charts.curves([records.failed(1)], records.METRIC) == ""
    one = records.result(0, epochs=1)
    assert "<circle" in charts.curves([one], records.METRIC)
    assert "nan" not in charts.progress([one], Metric(name="mse", mode="min"), 0)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.95, 0.951), (-3.0, 1e6), (0.0, 1e-9), (2.0, 2.0)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    found = svg.ticks(low, high)
    assert 1 <= len(found) <= 12
    slack = 1e-6 * max(1e-9, high - low)
    assert all(low - slack <= tick <= high + slack and math.isfinite(tick) for tick in found)


def test_a_value_that_ran_away_does_not_flatten_the_others() -> None:
    values = [0.1 * number for number in range(9)]
    assert svg.within(values) == values and svg.within([*values, -1e27])[-1] > -5
    frame = svg.Frame([(1.0, value) for value in [*values, -1e27]], "epoch", "r2", "{:g}".format)
    frame.dot((1.0, -1e27), "trial", "")
    frame.dot((1.0, 0.4), "trial", "")
    low, usual = (float(dot.attrib["cy"]) for dot in ElementTree.fromstring(frame.svg()).findall("circle"))
    assert low <= svg.HEIGHT - svg.BOTTOM and "far values" in frame.svg() and low - usual > 50


def test_whole_ticks() -> None:
    assert all(tick == int(tick) for tick in svg.ticks(0, 13, 6, whole=True))
    assert svg.ticks(0, 2, 6, whole=True) == [0, 1, 2]


# ---- leaderboard ---------------------------------------------------------------------------------


def test_leaderboard(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.csv"
    write_leaderboard(records.results(), records.METRIC, path)
    table = list(csv.DictReader(path.read_text().splitlines()))
    assert len(table) == 24
    scores = [float(row["score"]) for row in table[:-1]]
    assert scores == sorted(scores, reverse=True)
    assert [row["rank"] for row in table] == [str(n) for n in range(1, 24)] + [""]
    assert table[-1]["status"] == "failed" and table[-1]["score"] == ""
    assert set(Recipe().flat()) <= set(table[0])
    assert {"accuracy", "macro_f1", "best_epoch", "trained_epochs", "seconds", "reason"} <= set(table[0])


def test_leaderboard_disarms_formulas(tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.csv"
    write_leaderboard([records.failed(1, "=HYPERLINK(1)")], records.METRIC, path)
    assert next(csv.DictReader(path.read_text().splitlines()))["reason"] == "'=HYPERLINK(1)"


def test_rows_of_a_plugins_parameter() -> None:
    trial = msgspec.structs.replace(records.result(0), recipe=Recipe.of({"depth": 3}))
    table = rows([trial, records.result(1)], records.METRIC)
    assert [row["depth"] for row in sorted(table, key=lambda row: row["trial"])] == [3, None]


# ---- model card ----------------------------------------------------------------------------------


def test_card_tells_what_it_is() -> None:
    text = model_card(records.config(lr=4e-4), records.summary(), records.ARGUMENTS)
    for part in (
        "94.4%",
        "92.0% to 96.6%",
        "360 samples",
        "apache-2.0",
        "autoft predict",
        "Predictor",
        "11.2M parameters",
    ):
        assert part in text
    assert "`<script>alert(1)</script>`" in text
    assert records.summary()["command"] in text


def test_what_ran_on_other_validation_samples_is_marked(tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "image-cls" / "search1")
    text = write_report(run).read_text()
    assert "(again)" not in text
    rows = [msgspec.structs.replace(r, seed=8, division=1) if r.number == 7 else r for r in records.results()]
    (run / "trials.jsonl").write_text("".join(to_json(row) + "\n" for row in rows))
    text = write_report(run).read_text()
    assert "t0007 (again)" in text and "on other validation samples than the rest" in text
    board = list(csv.DictReader((run / "leaderboard.csv").read_text().splitlines()))
    assert {row["trial"]: (row["seed"], row["division"]) for row in board if row["division"] != "0"} == {
        "t0007": ("8", "1")
    }


def test_an_interval_that_is_none_is_told_on_card_and_page(tmp_path: Path) -> None:
    note = "no interval: too few of these 16 samples differ"
    test = {
        **records.summary()["test"],
        "interval": None,
        "interval_note": note,
        "gain_interval": None,
        "gain_note": note,
    }
    assert f"| 94.4% | {note} |" in model_card(records.config(), records.summary(test=test), records.ARGUMENTS)
    run = records.write_run(tmp_path / "image-cls" / "search1", test=test)
    text = write_report(run).read_text()
    assert text.count(note) == 2 and "None" not in text


def test_card_of_a_search_that_goes_on() -> None:
    text = model_card(records.config(), {}, records.ARGUMENTS)
    assert "no score on the locked test part yet" in text
    assert "## Scores" not in text


def test_the_command_gives_the_same_recipe() -> None:
    config = records.config(lr=3.3e-4, freeze=0.5, nesterov=True, optimizer="sgd", head_width=128, augment="strong")
    found = shlex.split(train_command(config, records.ARGUMENTS))
    assert found[:2] == ["autoft", "train"]
    assert found[found.index("--data") + 1] == "/data/my imgs"
    assert found[found.index("--seed") + 1] == "7"
    params = parse(parse_assignments([word for word in found if "=" in word]), ())
    again = Recipe.of({"model": config.card.name, **{param.key: param.choices[0] for param in params}})
    assert again == config.recipe


def test_markdown_is_escaped() -> None:
    assert md("a|b <img> *x*\n# y") == r"a\|b \<img\> \*x\* \# y"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`") == "`` ` ``"
    assert re.fullmatch(r"`[^`\n]+`", code("two\nlines"))
