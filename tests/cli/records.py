"""Records of a search that never ran, as real in shape as possible: what the screen and the report are fed with."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

from autoft import events
from autoft.artifact import Config
from autoft.atomic import append_line, write_text
from autoft.recipe import Recipe
from autoft.records import (
    DataRef,
    Dataset,
    EpochReport,
    Fold,
    Issue,
    Metric,
    ModelCard,
    Output,
    Param,
    Problem,
    Sample,
    Schema,
    Splits,
    TrialResult,
    TrialSpec,
    to_json,
)

METRIC = Metric(name="accuracy", percent=True)
CLASSES = ("ant [wild]", "bee & wasp", "<script>alert(1)</script>")
START = 1_790_000_000.0
MODELS = ("timm/resnet18.a1_in1k", "timm/mobilenetv3_small_100", "autoft/digits-32")
SPACE = (
    Param(key="model", choices=MODELS, default=MODELS[0], summary="network"),
    Param(key="lr", kind="float", low=1e-5, high=1e-2, log=True, default=1e-3, summary="peak learning rate"),
    Param(key="freeze", choices=(0.0, 0.5, 1.0), default=0.0, summary="frozen part of the backbone"),
    Param(key="momentum", kind="float", low=0.5, high=0.99, default=0.9, when={"optimizer": ("sgd",)}),
    Param(key="epochs", choices=(20,), default=20),
)
ISSUES = (
    Issue(kind="corrupt", subject="ant [wild]/[red]7.png", detail="broken PNG chunk"),
    Issue(kind="corrupt", subject="ant [wild]/\x1b[31m8.png", detail="broken PNG chunk"),
    Issue(kind="duplicate", subject="bee & wasp/<b>1</b>.png", detail="same bytes as 2.png", drops=False),
)
ARGUMENTS: dict[str, Any] = {
    "task": "image-cls",
    "data": "/data/my imgs",
    "metric": {"name": "accuracy", "mode": "max", "summary": "", "percent": True},
    "seed": 7,
    "time": 600.0,
    "overrides": {"lr": "1e-5..1e-2:log"},
    "space": {"lr": "1e-5..0.01, log", "momentum (optimizer=sgd)": "0.5..0.99"},
    "command": "autoft search --task image-cls --data '/data/my imgs' 'lr=1e-5..1e-2:log'",
}
CARD = ModelCard(
    name=MODELS[0], backend="torch", modality="image", params=11_200_000, licence="apache-2.0", source="timm"
)
PROBLEM = Problem(
    name="softmax",
    inputs=("image",),
    outputs=(Output(name="label", head="pooled", size=3, loss="cross_entropy", post="softmax", target="label"),),
)
SCHEMA = Schema(task="image-cls", classes=CLASSES)


def spec(number: int, model: str = MODELS[0], metric: Metric = METRIC, **recipe: Any) -> TrialSpec:
    return TrialSpec(
        api="1",
        number=number,
        task="image-cls",
        backend="torch",
        card=ModelCard(name=model, backend="torch", modality="image"),
        problem=PROBLEM,
        schema=SCHEMA,
        recipe=Recipe(model=model, **recipe),
        data=DataRef(store="", fingerprint="", dataset="", splits=""),
        metric=metric,
        seed=0,
        folder="",
    )


def reports(top: float, epochs: int, rng: random.Random) -> tuple[EpochReport, ...]:
    scores = [top - 0.5 * math.exp(-0.6 * (epoch + 1)) - 0.02 * rng.random() for epoch in range(epochs)]
    return tuple(
        EpochReport(epoch=e, score=s, metrics={"accuracy": s}, train_loss=2.0 / e, seconds=1.5 * e)
        for e, s in enumerate(scores, start=1)
    )


def result(number: int, top: float = 0.9, epochs: int = 8, **recipe: Any) -> TrialResult:
    """A trial that ended well; the same number always gives the same trial."""
    rng = random.Random(number)
    history = reports(top, epochs, rng)
    best = max(history, key=lambda report: report.score)
    model = recipe.pop("model", MODELS[number % len(MODELS)])
    return TrialResult(
        number=number,
        status="finished" if epochs > 3 else "stopped",
        model=model,
        backend="torch",
        recipe=Recipe(model=model, **recipe),
        score=best.score,
        metrics={"accuracy": best.score, "macro_f1": best.score - 0.01},
        best_epoch=best.epoch,
        epochs=epochs,
        seconds=history[-1].seconds,
        reason="all epochs done" if epochs > 3 else "scheduler",
        folder=f"/runs/trials/t{number:04d}",
        history=history,
        ended=START + 20 * (number + 1),
    )


def failed(number: int, reason: str = "the loss must be finite, but it is nan [step 3] <i>") -> TrialResult:
    trace = f"Traceback (most recent call last):\n  File 'x.py'\nTrialFailed: {reason}"
    recipe = Recipe(model=MODELS[1], lr=0.01)
    return TrialResult(
        number=number, status="failed", model=MODELS[1], backend="torch", recipe=recipe, reason=reason, traceback=trace
    )


def results(count: int = 24) -> list[TrialResult]:
    """A whole search: a baseline, better and worse trials, one failure."""
    rng = random.Random(0)
    found = [result(0, 0.86)]
    for number in range(1, count):
        if number == 5:
            found.append(failed(number))
            continue
        found.append(
            result(
                number,
                0.6 + 0.36 * rng.random() ** 0.4,
                rng.choice((2, 5, 8, 12)),
                lr=10 ** rng.uniform(-5, -2),
                freeze=rng.choice((0.0, 0.5, 1.0)),
                batch_size=rng.choice((16, 32, 64)),
                augment=rng.choice(("none", "light", "strong")),
            )
        )
    return found


def summary(**changes: Any) -> dict[str, Any]:
    """Content of a `metrics.json`."""
    best = {"trial": "t0007", "model": MODELS[1], "backend": "torch", "score": 0.951, "metrics": {"accuracy": 0.951}}
    return {
        "task": "image-cls",
        "metric": "accuracy",
        "mode": "max",
        "status": "finished",
        "best": {**best, "recipe": {"lr": 0.0004}, "folder": "best"},
        "baseline": {**best, "trial": "t0000", "score": 0.86, "recipe": {}, "folder": "trials/t0000"},
        "test": {
            "samples": 360,
            "metrics": {"accuracy": 0.944, "macro_f1": 0.9412, "log_loss": 0.21},
            "interval": [0.92, 0.966],
            "confidence": 0.95,
            "baseline": {"accuracy": 0.861, "macro_f1": 0.85},
            "gain": 0.083,
            "gain_interval": [0.05, 0.12],
            "significant": True,
            "verdict": "The best model beats the default recipe: the gain of 8.3 points is significant.",
        },
        "trials": {"finished": 17, "stopped": 6, "failed": 1},
        "seconds": {"prepare": 12.0, "search": 560.0, "evaluate": 9.0, "total": 581.0},
        "command": "autoft search --task image-cls --data '/data/my imgs' --time 10m",
        "versions": {"autoft": "0.1.0", "torch": "2.15.0"},
        "notes": ["hubs cannot be reached: only networks at hand are searched"],
        "paths": {"best": "runs/image-cls/search1/best", "run": "runs/image-cls/search1"},
        **changes,
    }


def recognised() -> events.DataRecognised:
    return events.DataRecognised(
        sentence="class folders (3 folders of images) in /data/my [imgs]",
        samples=1797,
        classes=CLASSES,
        splits={"train": 1077, "val": 360, "test": 360},
        issues=ISSUES,
    )


def planned(deadline: float) -> events.Planned:
    return events.Planned(
        folder="runs/image-cls/search1",
        arguments=ARGUMENTS,
        space=SPACE,
        models=MODELS,
        metric="accuracy",
        deadline=deadline,
        concurrency=2,
    )


def search(deadline: float, trials: list[TrialResult] | None = None) -> list[events.Event]:
    """All events of a search, in an order in which they may come."""
    feed: list[events.Event] = [
        events.Note(text="task: image-cls (the only one installed)"),
        recognised(),
        planned(deadline),
    ]
    lead = 0.0
    for trial in results() if trials is None else trials:
        feed.append(events.TrialStarted(spec=spec(trial.number, trial.model, **_recipe(trial))))
        feed += [events.TrialReported(number=trial.number, report=report) for report in trial.history]
        best = trial.score is not None and trial.score > lead
        lead = max(lead, trial.score or 0.0)
        feed.append(events.TrialFinished(result=trial, best=best))
    return [*feed, events.Finished(folder="runs/image-cls/search1", summary=summary())]


def _recipe(trial: TrialResult) -> dict[str, Any]:
    return {key: what for key, what in trial.recipe.flat().items() if key != "model"}


def write_run(folder: Path, **changes: Any) -> Path:
    """A run folder with everything that a report reads."""
    import yaml

    folder.mkdir(parents=True)
    write_text(folder / "args.yaml", yaml.safe_dump(ARGUMENTS))
    for trial in results():
        append_line(folder / "trials.jsonl", to_json(trial))
    write_text(folder / "metrics.json", to_json(summary(**changes)))
    splits = Splits(
        seed=7,
        kind="stratified",
        sentence="split by class: 60% train, 20% val, 20% test (seed 7)",
        folds=(Fold(train=("a", "b"), val=("c",)),),
        test=("d",),
    )
    write_text(folder / "splits.json", to_json(splits))
    write_text(
        folder / "data_report.json",
        to_json({"issues": ISSUES, "warnings": ["the <i>ants</i> are few."], "split": splits.sentence}),
    )
    samples = (Sample(id="a", fields={"image": "/data/a.png", "label": CLASSES[0]}),)
    dataset = Dataset(samples=samples, reader="folder", root="/data", recognised=recognised().sentence)
    write_text(folder / "dataset.json", to_json(dataset))
    (folder / "best").mkdir()
    write_text(folder / "best" / "labels.json", to_json(dict(enumerate(CLASSES))))
    return folder


def config(**recipe: Any) -> Config:
    """Content of a model folder's `config.json`."""
    return Config(
        format=1,
        api="1",
        task="image-cls",
        backend="torch",
        card=CARD,
        problem=PROBLEM,
        schema=SCHEMA,
        recipe=Recipe(model=CARD.name, **recipe),
        metric=METRIC,
        image_size=96,
        decode_size=96,
        seed=3,
        trial="t0007",
        epoch=8,
        versions={"torch": "2.15.0", "timm": "1.0.31"},
    )
