"""`report.html` as text: one page with everything, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from autoft.ranking import by_worth, rank
from autoft.records import Issue, Metric, TrialResult
from autoft.report import by_class, charts, final, html
from autoft.report.compared import compared
from autoft.report.issues import by_kind
from autoft.report.issues import title as issue_title
from autoft.report.style import CSS
from autoft.report.words import DASH, ELSEWHERE, count, duration, gain, score, trial, value
from autoft.version import VERSION

MOST_NAMED = 200


class Material(msgspec.Struct, kw_only=True):
    """What a report is made of; whatever a run has not got yet is empty."""

    name: str
    arguments: dict[str, Any]
    metric: Metric
    results: list[TrialResult]
    summary: dict[str, Any] = {}
    recognised: str = ""
    issues: tuple[Issue, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the task says about the targets."""
    classes: tuple[str, ...] = ()
    parts: dict[str, int] = {}
    split: str = ""
    began: float = 0.0

    def leader(self) -> TrialResult | None:
        """The trial that the search has chosen, or while it runs the one that leads. Another one may have a higher
        score: see `selection_score`, and runs with fresh seeds."""
        chosen = (self.summary.get("best") or {}).get("trial")
        scored = [result for result in by_worth(self.results, self.metric) if result.score is not None]
        return next((r for r in scored if r.name == chosen), next(iter(scored), None))


def page(material: Material) -> str:
    """The whole document."""
    parts = [
        _head(material),
        _classes(material),
        _charts(material),
        _recipe(material),
        _trials(material),
        _data(material),
        _again(material),
    ]
    title = html.text(f"autoft report: {material.name}")
    top = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    top += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    # Even if a text slipped through unescaped, the page may neither run a script nor load anything.
    top += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    return f"{top}<style>{CSS}</style></head><body><main>{''.join(parts)}</main></body></html>\n"


def _head(m: Material) -> str:
    data = m.arguments.get("data", "")
    status = m.summary.get("status", "still running, or it was killed")
    told = f"{m.arguments.get('task', '')} on {data} · {status} · autoft {VERSION}"
    verdict = (m.summary.get("test") or {}).get("verdict", "")
    words = f'<p class="verdict">{html.text(verdict)}</p>' if verdict else ""
    last = f'<p class="soft">Final model: {html.text(again)}.</p>' if (again := final.sentence(m.summary)) else ""
    masks = f'<p class="soft">{html.text(fine.capitalize())}.</p>' if (fine := final.masks(m.summary)) else ""
    return f'<h1>{html.text(m.name)}</h1><p class="soft">{html.text(told)}</p>{words}{last}{masks}{_tiles(m)}'


def _tiles(m: Material) -> str:
    test, percent = m.summary.get("test") or {}, m.metric.percent
    tiles = []
    if test:
        level = final.interval(test, percent, f"{100 * test.get('confidence', 0.95):.0f}% CI ")
        own = (test.get("metrics") or {}).get(m.metric.name)
        tiles.append(html.tile(f"{m.metric.name}, locked test", score(own, percent), level))
        tiles += _gain_tile(m.summary, test, m.metric)
        tiles += _plain_tile(test, m.metric)
    leader = m.leader()
    if leader:
        tiles.append(
            html.tile(
                f"{m.metric.name}, validation",
                compared(m.metric, leader.score, leader.metrics),
                f"{leader.name}, {leader.model}",
            )
        )
    failed = sum(r.status == "failed" for r in m.results)
    tiles.append(html.tile("trials", str(len(m.results)), f"{failed} failed" if failed else "none failed"))
    seconds = m.summary.get("seconds") or {}
    if seconds.get("total"):
        spent = ", ".join(f"{word} {duration(s)}" for word, s in seconds.items() if word != "total")
        tiles.append(html.tile("time", duration(seconds["total"]), spent))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _gain_tile(summary: Mapping[str, Any], test: Mapping[str, Any], metric: Metric) -> list[str]:
    gained = final.gained_in(test, metric)
    own, metric = "" if gained is metric else f"{gained.name} ", gained
    baseline = (test.get("baseline") or {}).get(metric.name)
    if not final.compared(summary) or test.get("gain") is None or baseline is None:
        return []
    span = final.gain_interval(test, metric.percent, "CI ")
    return [
        html.tile(
            "gain over the baseline",
            gain(test["gain"], metric.percent),
            f"from {own}{score(baseline, metric.percent)}" + (f", {span}" if span else ""),
        )
    ]


def _plain_tile(test: Mapping[str, Any], metric: Metric) -> list[str]:
    """What a method without networks scores on the same test part."""
    plain = test.get("plain") or {}
    if not plain.get("metrics"):
        return []
    return [html.tile("without a network", score(plain["metrics"].get(metric.name), metric.percent), plain["name"])]


def _classes(m: Material) -> str:
    """What each class scores on the test part, where the task says so."""
    found = by_class.table(m.summary)
    if not found:
        return ""
    rows = html.table(found.heads, [("", row) for row in found.rows], found.heads[1:])
    return html.section("Each class, locked test", rows)


def _charts(m: Material) -> str:
    name = f"Validation {m.metric.name}"
    colours = [("lead", "best"), ("baseline", "baseline (trial 0)"), ("other", "other trials")]
    shown = [
        html.figure(
            f"{name}, trial by trial",
            charts.progress(m.results, m.metric, m.began),
            [("lead", "best so far"), *colours[1:]],
        ),
        html.figure(f"{name} by epoch", charts.curves(m.results, m.metric, m.leader()), colours),
    ]
    inside = "".join(shown)
    return html.section("The search", f'<div class="pair">{inside}</div>') if inside else ""


def _recipe(m: Material) -> str:
    """The best recipe beside the baseline's; what is the same in both stands behind a fold."""
    leader = m.leader()
    if leader is None:
        return ""
    baseline = next((r for r in m.results if r.number == 0), leader)
    own, other = leader.recipe.flat() | {"model": leader.model}, baseline.recipe.flat() | {"model": baseline.model}
    rows = [(key, value(own.get(key)), value(other.get(key))) for key in sorted({**own, **other})]
    heads = ("parameter", f"best ({leader.name})", f"baseline ({baseline.name})")
    changed = html.table(heads, [("", row) for row in rows if row[1] != row[2]])
    same = html.table(heads[:2], [("", row[:2]) for row in rows if row[1] == row[2]])
    told = changed or "<p>The baseline itself is the best.</p>"
    return html.section("The best recipe", told, html.folded("What is the same in both", same))


def _trials(m: Material) -> str:
    """Every trial with the parameters in which the trials differ."""
    keys = _varied(m.results)
    numbers = [key for key in keys if all(_is_number(r.recipe.flat().get(key)) for r in m.results)]
    heads = ("#", "trial", m.metric.name, "model", *keys, "epochs", "best epoch", "time", "why it ended")
    best = m.leader()
    rows = [
        _trial(place, result, m.metric, keys, leads=result == best)
        for place, result in enumerate(rank(m.results, m.metric), start=1)
    ]
    note = '<p class="soft">All parameters of every trial are in leaderboard.csv and trials.jsonl.</p>' if rows else ""
    if any(result.division for result in m.results):
        note += f'<p class="soft">{html.text(ELSEWHERE)}.</p>'
    table = html.table(heads, rows, ("#", m.metric.name, *numbers, "epochs", "best epoch", "time"))
    return html.section("Every trial", table, note)


def _varied(results: list[TrialResult]) -> list[str]:
    recipes = [result.recipe.flat() for result in results]
    keys = list(dict.fromkeys(key for recipe in recipes for key in recipe if key != "model"))
    return [key for key in keys if len({value(recipe.get(key)) for recipe in recipes}) > 1]


def _is_number(what: Any) -> bool:
    return isinstance(what, int | float) and not isinstance(what, bool)


def _trial(
    place: int, result: TrialResult, metric: Metric, keys: list[str], *, leads: bool
) -> tuple[str, tuple[str, ...]]:
    recipe = result.recipe.flat()
    kind = "failed" if result.status == "failed" else "best" if leads else ""
    cells = (
        str(place) if result.score is not None else DASH,
        trial(result.name, result.division),
        compared(metric, result.score, result.metrics),
        result.model,
        *(value(recipe.get(key)) for key in keys),
        str(result.epochs or DASH),
        str(result.best_epoch or DASH),
        duration(result.seconds),
        f"{result.status}: {result.reason}" if result.reason else result.status,
    )
    return kind, cells


def _data(m: Material) -> str:
    told = [m.recognised, m.split]
    if m.parts:
        told.append(", ".join(f"{number:,} {name}" for name, number in m.parts.items()))
    said = "".join(f"<p>{html.text(words)}</p>" for words in (*told, *m.warnings) if words)
    names = html.folded(count(len(m.classes), "class", "classes"), html.listed(m.classes))
    return html.section("The data", said, names, *_issues(m.issues))


def _issues(found: tuple[Issue, ...]) -> list[str]:
    parts = []
    for (kind, drops), issues in by_kind(found).items():
        lines = [f"{issue.subject}: {issue.detail}" if issue.detail else issue.subject for issue in issues[:MOST_NAMED]]
        if len(issues) > MOST_NAMED:
            lines.append(f"and {len(issues) - MOST_NAMED} more, in data_report.json")
        parts.append(html.folded(f"{len(issues):,} {issue_title(kind, drops)}", html.listed(lines)))
    return parts


def _again(m: Material) -> str:
    options = "\n".join(f"{key}: {what}" for key, what in m.arguments.items() if what not in ("", None, [], {}))
    versions = "\n".join(f"{name} {number}" for name, number in (m.summary.get("versions") or {}).items())
    notes = [str(note) for note in m.summary.get("notes") or []]
    return html.section(
        "Make it again",
        html.pre(str(m.summary.get("command", ""))),
        html.folded("Options", html.pre(options)),
        html.folded("Versions", html.pre(versions)),
        html.folded("Notes of the search", html.listed(notes)),
    )
