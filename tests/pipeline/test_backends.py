"""Networks on several backends: which are meant by a name, what they are called, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoft import registry
from autoft.cli.configfile import read
from autoft.cli.train import of_trial
from autoft.errors import UsageError
from autoft.events import Note
from autoft.pipeline import backends, models
from autoft.pipeline.predict import predict
from autoft.pipeline.search import plan_search
from autoft.pipeline.train import run_train
from autoft.records import Schema
from autoft.run import Run
from autoft.testing import ToyTask
from tests.pipeline import twin
from tests.pipeline.conftest import Heard, Search, options

SCHEMA = Schema(task="toy", classes=("a", "b"))
PAIR = ("autoft.testing.plugin", "tests.pipeline.twin")


@pytest.fixture(scope="module", autouse=True)
def fakes() -> Iterator[None]:
    """The fakes, and a second backend with the same network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.ENVIRONMENT, ",".join(PAIR))
        patch.setenv("OMP_NUM_THREADS", "1")
        registry.installed.cache_clear()
        yield
    registry.installed.cache_clear()


def chosen(*named: str, backend: str = "auto", heard: Heard | None = None) -> list[tuple[str, str]]:
    """Key and backend of each network that a search would take."""
    listener = Heard() if heard is None else heard
    found = models.choose(registry.load(), ToyTask(), SCHEMA, listener, named=named, backend=backend, offline=True)
    return [(one.key, one.card.backend) for one in found]


def test_auto_takes_a_name_from_the_first_backend_that_has_it() -> None:
    assert chosen("pair/both", backend="auto") == [("pair/both", "first")]
    assert chosen("pair/both", "twin/only") == [("pair/both", "first"), ("twin/only", "twin")]


def test_a_list_of_backends_compares() -> None:
    both = [("pair/both:twin", "twin"), ("pair/both:first", "first")]
    assert chosen("pair/both", backend="twin,first") == both
    assert chosen("pair/both", backend="first, twin,first") == both[::-1], "in the order given, each once"
    assert chosen("pair/both", "twin/only", backend="one,twin") == [*both[::-1], ("twin/only", "twin")]


def test_a_suffix_picks_one() -> None:
    assert chosen("pair/both:twin") == [("pair/both:twin", "twin")]
    assert chosen("pair/both:one") == [("pair/both:first", "first")], "an alias means the same"
    assert chosen("pair/both:twin", backend="first,twin") == [("pair/both:twin", "twin")]
    assert chosen("pair/both", "pair/both:twin") == [("pair/both", "first"), ("pair/both:twin", "twin")]
    assert chosen("pair/both", "pair/both:first") == [("pair/both:first", "first")], "the same network once"
    assert chosen("pair/both", backend="twin") == [("pair/both", "twin")]


def test_a_file_belongs_to_the_backend_that_can_read_it() -> None:
    assert chosen("./net.two") == [("./net.two", "twin")]
    with pytest.raises(UsageError) as caught:
        chosen("./net.three")
    assert "a file of first must end in .one, but got './net.three'. (tests.pipeline.twin)" in caught.value.message
    assert "a file of twin must end in .two" in caught.value.message


@pytest.mark.parametrize(
    ("named", "backend", "message"),
    [
        ("twin/only", "first", "twin/only runs on twin, but --backend asks for first."),
        ("pair/both:twin", "first", "pair/both runs on twin, but --backend asks for first."),
        ("numpy/mlp:twin", "auto", "numpy/mlp runs on numpy, not on twin."),
        ("pair/bath", "auto", "pair has no network 'pair/bath'."),
        ("pair/both:elsewhere", "auto", "pair has no network 'pair/both:elsewhere'."),
        ("pair/both", "twim", "there is no backend 'twim'. Did you mean 'twin'?"),
        ("pair/both", "auto,twin", "--backend must be auto or a list of names, but got 'auto,twin'."),
    ],
)
def test_what_is_wrong_is_said_in_words(named: str, backend: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(named, backend=backend)
    assert message in caught.value.message


def test_how_to_install_a_backend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "pip install 'autoft[tensors]'"
    for module in (registry, backends):
        monkeypatch.setattr(module, "extra", lambda name: command if name == "tensors" else "")
    for named, backend in (("pair/both", "tensors"), ("pair/both:tensors", "auto")):
        with pytest.raises(UsageError, match="tensors") as caught:
            chosen(named, backend=backend)
        assert caught.value.hint == command


def test_extras_are_read_off_the_installed_package() -> None:
    assert registry.extra("torch") == "pip install 'autoft[torch]'"
    assert registry.extra("twin") == ""


def test_a_backend_that_cannot_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(twin.Twin, "supports", lambda *_: "has no such head")
    assert chosen("pair/both", backend="first,twin", heard=heard) == [("pair/both", "first")]
    assert any("has no such head (twin)" in note.text for note in heard.of(Note))
    with pytest.raises(UsageError, match=r"twin/only cannot be used for toy: .*no such head"):
        chosen("twin/only")


def test_the_preset_s_pick() -> None:
    picked = chosen()
    assert [backend for key, backend in picked if key == "pair/both"] == ["first"], "auto: no name twice"
    assert ("twin/only", "twin") in picked, "but the catalogues of all backends count"
    assert chosen(backend="twin,first") == [
        ("pair/both:twin", "twin"),
        ("pair/both:first", "first"),
        ("twin/only", "twin"),
    ], "the preset's number of networks is divided between the backends"


def test_what_a_preset_would_have_on_top_is_spoken_of_where_networks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    words = msgspec.structs.replace(twin.CARD, name="pair/words", backend="first", params=0, counts=True)
    catalogue = twin.FirstModels.catalogue
    monkeypatch.setattr(twin.FirstModels, "catalogue", lambda self: (*catalogue(self), words))
    heard = Heard()
    assert chosen("pair/both", heard=heard) == [("pair/both", "first")], "a name is a wish"
    assert "--models is all that is searched: pair/words" in heard.of(Note)[0].text
    single = Heard()
    models.choose(registry.load(), ToyTask(), SCHEMA, single, named=("pair/both",), offline=True, single=True)
    assert not single.of(Note)


def test_a_preset_without_its_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = registry.load()
    asked: dict[str, Any] = {"preset": "classic", "backend": "first", "offline": True}
    assert models.choose(plugins, ToyTask(), SCHEMA, Heard(), named=("pair/both",), **asked), "a named one will do"
    with pytest.raises(UsageError, match="needs at least one network, but none is at hand"):
        models.choose(plugins, ToyTask(), SCHEMA, Heard(), **asked)
    far = msgspec.structs.replace(twin.CARD, name="pair/resnet50", backend="first", params=0, offline=False)
    monkeypatch.setattr(twin.FirstModels, "catalogue", lambda self: (far,))
    with pytest.raises(UsageError, match=r"classic needs pair/resnet50, but its .* be downloaded \(--off") as caught:
        models.choose(plugins, ToyTask(), SCHEMA, Heard(), **asked)
    assert "--models pair/resnet50@scratch" in caught.value.hint


def test_the_plan_keeps_them_apart(images: Path, tmp_path: Path) -> None:
    heard = Heard()
    plain = options(images, tmp_path / "runs", models=("pair/both",), backend="first,twin")
    planned = plan_search(plain, heard)
    assert planned.models == ("pair/both:first", "pair/both:twin")
    (model,) = (param for param in planned.space if param.key == "model")
    assert set(model.choices) == set(planned.models)
    one = plan_search(options(images, tmp_path, models=("pair/both",), backend="first,twin", overrides=MODEL), heard)
    (model,) = (param for param in one.space if param.key == "model")
    assert set(model.choices) == {"pair/both:twin"}


MODEL = {"model": "pair/both:twin"}


def test_one_search_on_two_backends(
    images: Path, address: str, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both stand on one leaderboard, no process holds both, and each row trains and predicts again."""
    log = tmp_path / "builds"
    monkeypatch.setenv(twin.LOG, str(log))
    finished = search(models=("pair/both",), backend="first,twin", trials=6, searcher="random")
    built = [line.split() for line in log.read_text().splitlines()]
    pids = {backend: {pid for name, pid in built if name == backend} for backend in ("first", "twin")}
    assert pids["first"] and pids["twin"]
    assert not pids["first"] & pids["twin"]

    run = Run(finished.folder)
    results = run.results()
    assert {(r.model, r.backend) for r in results} == {("pair/both:first", "first"), ("pair/both:twin", "twin")}
    assert all(r.recipe.model == r.model for r in results)
    assert {row["model"] for row in run.leaderboard()} == {"pair/both:first", "pair/both:twin"}
    assert run.arguments["models"] == ["pair/both:first", "pair/both:twin"]

    again = read(str(run.path / "args.yaml"))
    assert (again["models"], again["backend"]) == (["pair/both:first", "pair/both:twin"], "first,twin")
    assert chosen(*again["models"], backend=again["backend"]) == [
        ("pair/both:first", "first"),
        ("pair/both:twin", "twin"),
    ]

    row = next(r for r in results if r.backend == "twin")
    taken, _ = of_trial(f"{run.path}:{row.name}", "runs")
    assert (taken["models"], taken["backend"]) == (("pair/both:twin",), "twin")
    plain = options(images, tmp_path, address=address, **{k: taken[k] for k in ("models", "backend", "overrides")})
    trained = run_train(plain, Heard()).summary
    assert trained["best"]["recipe"] == row.recipe.flat()
    assert trained["best"]["score"] == row.score
    for kept in sorted((run.path / "trials").iterdir()):
        assert len(list(predict(f"{run.path}:{kept.name}", str(images)).rows())) == 80


def test_train_takes_one_backend(images: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train takes one backend, but got 'first,twin'"):
        run_train(options(images, tmp_path, models=("pair/both",), backend="first,twin"), Heard())
    for several in ("0.1,0.2", "1e-4..1e-2:log"):
        with pytest.raises(UsageError, match="train takes one value for each parameter, but got lr="):
            run_train(options(images, tmp_path, models=("pair/both",), overrides={"lr": several}), Heard())
