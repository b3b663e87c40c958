"""The model card: `best/README.md`, which tells a stranger what the model is and how to make it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoft import places
from autoft.artifact import Config
from autoft.data import people
from autoft.options import DataOptions, SearchOptions
from autoft.records import Metric
from autoft.report import by_class, final
from autoft.report.words import count, gain, line, score, size, value

MOST_CLASSES = 200


def model_card(config: Config, summary: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        config: content of the model folder's `config.json`.
        summary: content of `metrics.json`; empty while the search goes on.
        arguments: the resolved options of the search, as in `args.yaml`.
    """
    parts = [_head(config, summary, arguments), _scores(config, summary), _by_class(summary), _use(config)]
    parts.append(_classes(config))
    parts += [_recipe(config), _again(config, summary, arguments), _origin(config, arguments)]
    return "\n\n".join(part for part in parts if part) + "\n"


def md(text: Any) -> str:
    """User text inside Markdown: one line, no markup, no HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", line(str(text)))


def code(text: Any) -> str:
    """User text as inline code, whatever backticks it holds."""
    plain = line(str(text))
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", plain)), default=0))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _head(config: Config, summary: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    text = f"# {md(config.card.name)} fine-tuned for {md(config.task)}\n\n"
    data = code(arguments.get("data", "unknown data"))
    text += f"Made by autoft from {data}, trial {config.trial}, epoch {config.epoch}."
    if not summary:
        text += "\n\nThe search was still going on when this card was written: no score on the locked test part yet."
    elif summary.get("status") == "interrupted":
        text += "\n\nThe search was interrupted; this is the best model it had found."
    if final.refitted(summary):
        text += f" {final.sentence(summary)}. The score on validation is that of the model before."
    return text


def _scores(config: Config, summary: Mapping[str, Any]) -> str:
    metric = config.metric
    best, test = summary.get("best") or {}, summary.get("test") or {}
    rows = []
    if best.get("score") is not None:
        rows.append(("validation", metric.name, score(best["score"], metric.percent), ""))
    for name, number in by_class.told(test.get("metrics") or {}, 0)[0].items():
        own = name == metric.name
        percent = metric.percent and own
        span = md(final.interval(test, percent)) if own else ""
        rows.append(("locked test", name, score(number, percent), span))
    if not rows:
        return ""
    level = f"{100 * test.get('confidence', 0.95):.0f}% interval"
    table = [f"| part | metric | score | {level} |", "|---|---|---|---|"]
    table += [f"| {part} | {md(name)} | {number} | {span} |" for part, name, number, span in rows]
    return "## Scores\n\n" + "\n".join(table) + _verdict(summary, test, metric)


def _by_class(summary: Mapping[str, Any]) -> str:
    found = by_class.table(summary)
    if not found:
        return ""
    rows = [found.heads, ("---",) * len(found.heads), *(tuple(md(cell) for cell in row) for row in found.rows)]
    return "## Each class, locked test\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verdict(summary: Mapping[str, Any], test: Mapping[str, Any], metric: Metric) -> str:
    if not test:
        return ""
    fine = f" {masks.capitalize()}." if (masks := final.masks(summary)) else ""
    told = f"\n\nMeasured once on {count(int(test.get('samples') or 0), 'sample')} that no trial has seen.{fine}"
    if test.get("gain") is not None and final.compared(summary):
        gained = final.gained_in(test, metric)
        told += f" Gain over trial 0: {gain(test['gain'], gained.percent)} of {md(gained.name)}."
    return told + (f" {md(test['verdict'])}" if test.get("verdict") else "")


def _use(config: Config) -> str:
    return f"""## Use

With autoft and its plugins for the task `{config.task}` and the backend `{config.backend}` installed:

```
autoft predict PATH_OF_THIS_FOLDER --source ./new --out preds.csv
```

```python
from autoft.predictor import Predictor

Predictor("PATH_OF_THIS_FOLDER").predict(["new.png"])
```

`preprocess.json` says how a file becomes an array, `labels.json` which output means which class,
`model.safetensors` holds the weights (no pickle)."""


def _classes(config: Config) -> str:
    classes = config.schema.classes
    if not classes:
        return ""
    more = f" and {len(classes) - MOST_CLASSES} more" if len(classes) > MOST_CLASSES else ""
    return f"## {count(len(classes), 'class', 'classes')}\n\n" + ", ".join(map(code, classes[:MOST_CLASSES])) + more


def _recipe(config: Config) -> str:
    rows = [f"| {code(key)} | {md(value(what))} |" for key, what in config.recipe.flat().items() if key != "model"]
    shape = f"Input {config.image_size} x {config.image_size} pixels." if config.image_size else ""
    return (
        "## Recipe\n\n" + "\n".join(["| parameter | value |", "|---|---|", *rows]) + (f"\n\n{shape}" if shape else "")
    )


def _again(config: Config, summary: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    text = f"## Make it again\n\nThis configuration alone:\n\n```\n{train_command(config, arguments)}\n```"
    if summary.get("command"):
        text += f"\n\nThe search that found it:\n\n```\n{line(str(summary['command']))}\n```"
    versions = ", ".join(f"{name} {number}" for name, number in sorted(config.versions.items()))
    return text + (f"\n\nWith {md(versions)}." if versions else "")


def train_command(config: Config, arguments: Mapping[str, Any]) -> str:
    """The command that trains this configuration on the same data and splits, every parameter written out."""
    defaults = SearchOptions()
    words = ["autoft", "train", "--task", config.task]
    for key in DataOptions.__struct_fields__:
        if arguments.get(key) not in (None, "", getattr(defaults, key)):
            words += [f"--{key.replace('_', '-')}", str(arguments[key])]
    folder = Path(arguments["folder"]) if arguments.get("folder") else None
    words += ["--models", places.network(config.card.name, folder), "--backend", config.backend]
    words += ["--metric", config.metric.name]
    seed = int(arguments.get("seed", defaults.seed))
    words += ["--seed", str(seed)]
    if config.seed > seed:  # it ran again with a fresh one
        words += ["--repeat", str(config.seed - seed)]
    recipe = config.recipe.said()
    words += [f"{key}={str(what).lower() if isinstance(what, bool) else what}" for key, what in recipe.items()]
    return shlex.join(words)


def _origin(config: Config, arguments: Mapping[str, Any]) -> str:
    card = config.card
    facts = [f"- network: {code(card.name)}" + (f", {size(card.params)} parameters" if card.params else "")]
    weights = md(card.weights or card.source or "yes") if card.pretrained else "none (from scratch)"
    weights = "none (nothing is learned but the head)" if card.fixed else weights
    facts.append(f"- pretrained weights: {weights}")
    facts.append(f"- licence of the network: {md(card.licence or 'not stated; look it up before you share it')}")
    if arguments.get("group_col", people.NONE) not in ("", people.NONE):
        facts.append(f"- samples with the same {code(arguments['group_col'])} never straddle the parts")
    return "## Where it comes from\n\n" + "\n".join(facts)
