"""The folder of a trained model: weights beside everything needed to use them elsewhere.

model.safetensors   weights, written by the backend
config.json         task, network, problem, recipe, versions
preprocess.json     how an input file becomes an array
labels.json         index -> class name
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from autoft import gpus, machine
from autoft.atomic import replace_folder, write_text
from autoft.datarecords import EVERYTHING
from autoft.errors import UsageError
from autoft.recipe import Recipe
from autoft.records import (
    Decoding,
    Job,
    Mask,
    Metric,
    ModelCard,
    Problem,
    Record,
    Resources,
    Schema,
    TrialSpec,
    from_json,
    to_json,
)
from autoft.version import API_VERSION

if TYPE_CHECKING:
    from autoft.contracts import Learner
    from autoft.registry import Registry

FORMAT = 1
CONFIG = "config.json"


class Config(Record):
    """Content of `config.json`."""

    format: int
    api: str
    task: str
    backend: str
    card: ModelCard
    problem: Problem
    schema: Schema
    recipe: Recipe
    metric: Metric
    image_size: int
    """Side in pixels that the network sees."""
    decode_size: int
    """Side in pixels to which files are decoded first."""
    seed: int
    trial: str
    epoch: int
    score: float | None = None
    """Of this epoch, on validation."""
    versions: dict[str, str] = {}
    decode_seconds: float = 0.0
    """Of recordings: longer ones are cut, shorter ones filled with silence."""
    decode_windows: int = 1
    """Of longer recordings: the most parts that are heard, spread evenly, their predictions averaged; 0 joins all."""
    refit: bool = False
    """Whether it has learned from the validation part as well; `score` is then that of the model before."""
    columns: dict[str, str] = {}
    """Field word -> column, as the user named them for the tables that it was trained on."""
    guessed: dict[str, str] = {}
    """Field word -> column of the table that it was trained on, also where the user named none."""
    names: dict[str, str] = {}
    """Number -> name of classes that were numbers in the data that it was trained on."""
    meaning: Mask | None = None
    """What the values of the mask files mean that it was trained on."""
    decode_greys: tuple[float, float] | None = None
    """Of pictures of more than 8 bits: the values that become black and white."""

    @property
    def decoding(self) -> Decoding:
        # Models from before parts could be joined have 1, and can be heard to the end all the same.
        told = any(output.head == "sequence" for output in self.problem.outputs)
        windows = 0 if told else self.decode_windows
        return Decoding(size=self.decode_size, seconds=self.decode_seconds, windows=windows, greys=self.decode_greys)

    def job(self) -> Job:
        return Job(card=self.card, problem=self.problem, recipe=self.recipe, image_size=self.image_size, seed=self.seed)


class _Format(msgspec.Struct):
    format: int


def config_of(spec: TrialSpec, job: Job, decoding: Decoding, epoch: int, score: float | None = None) -> Config:
    return Config(
        format=FORMAT,
        api=API_VERSION,
        task=spec.task,
        backend=spec.backend,
        card=spec.card,
        problem=job.problem,
        schema=spec.schema,
        recipe=spec.recipe,
        metric=spec.metric,
        image_size=job.image_size,
        decode_size=decoding.size,
        decode_seconds=decoding.seconds,
        decode_windows=decoding.windows,
        decode_greys=decoding.greys,
        seed=spec.seed,
        trial=spec.name,
        epoch=epoch,
        score=score,
        versions=spec.versions,
        columns=spec.columns,
        guessed=spec.guessed,
        names=spec.names,
        meaning=spec.meaning,
        refit=spec.division == EVERYTHING,
    )


def save(folder: Path, learner: Learner, config: Config) -> None:
    """Write the model folder; a model that was there before stays usable until the new one is complete."""
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    temporary.mkdir(parents=True)
    try:
        learner.save(temporary)
        write_text(temporary / CONFIG, to_json(config, pretty=True))
        write_text(temporary / "preprocess.json", to_json(_preprocess(config), pretty=True))
        write_text(temporary / "labels.json", to_json(dict(enumerate(config.schema.classes)), pretty=True))
        replace_folder(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read(folder: Path) -> Config:
    """The configuration of a model folder.

    Raises:
        UsageError: the folder holds no model, or one that this version cannot read.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise UsageError(
            f"a model folder must hold {CONFIG}, but '{folder}' does not.", "Name a run or its best/ folder."
        )
    text = path.read_bytes()
    try:
        found = msgspec.json.decode(text, type=_Format).format  # first: a newer format may have fields unknown here
        if found > FORMAT:
            raise UsageError(
                f"'{path}' has format {found}, but this autoft reads formats up to {FORMAT}.",
                "Upgrade autoft to use this model.",
            )
        return from_json(text, Config)
    except msgspec.DecodeError as error:
        raise UsageError(f"'{path}' is not a model of this version of autoft: {error}") from error


def load(folder: Path, registry: Registry, threads: int = 0, cards: float = -1.0) -> tuple[Config, Learner]:
    """The configuration and a learner that predicts.

    Args:
        threads: 0 takes all cores, or `OMP_NUM_THREADS`.
        cards: GPUs that it may use; -1 takes one, where this process sees one. Whether its framework can is the
            backend's to find out.
    """
    config = read(folder)
    seen = float(gpus.present()) if cards < 0 else cards
    resources = Resources(gpus=seen, threads=threads or machine.threads())
    job = msgspec.structs.replace(config.job(), resources=resources)
    learner: Learner = registry.get("backend", config.backend).load(job, folder)
    return config, learner


def _preprocess(config: Config) -> dict[str, object]:
    """How a file becomes what the network takes, in words and numbers for those who rebuild it elsewhere."""
    told: dict[str, object] = {}
    if config.decode_seconds:
        told |= {"recording": "one channel, 16000 samples per second, int16", "seconds": config.decode_seconds}
        told |= {"windows": config.decoding.windows}
    if config.image_size:
        told |= {
            "decode": "log-mel spectrogram, the loudest place white, 80 dB below it black, low bands below"
            if config.decode_seconds
            else "RGB, EXIF rotation applied, transparency on white",
            **({"grey_values_of_black_and_white": config.decode_greys} if config.decode_greys else {}),
            "resize_to": [config.decode_size, config.decode_size],
            "interpolation": "bilinear, antialiased, aspect ratio not kept",
            "then_resize_to": [config.image_size, config.image_size],
            "scale": 1 / 255,
            "mean": config.card.mean,
            "std": config.card.std,
        }
    return told
