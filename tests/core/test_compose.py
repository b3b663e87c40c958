"""Task, network and backend agree on a problem, or say why not."""

from msgspec.structs import replace

from autoft import compose, registry
from autoft.records import Schema
from autoft.testing import NumpyBackend, ToyTask
from autoft.testing.numpy_backend import CARD
from autoft.testing.toy_task import problem

SCHEMA = Schema(task="toy", classes=("a", "b"))


class Choosy(ToyTask):
    """Poses its problem in several ways."""

    def __init__(self, *problems):
        self.problems = problems

    def formulations(self, schema):
        return self.problems


def test_the_first_supported_formulation_is_taken():
    ways = problem(head="dense"), problem(loss="mse"), problem()
    agreed, reason = compose.agree(Choosy(*ways), SCHEMA, NumpyBackend(), CARD)
    assert agreed is ways[1] and reason == ""


def test_without_any_the_reasons_of_all_are_given():
    ways = problem(head="dense"), problem(loss="ctc")
    agreed, reason = compose.agree(Choosy(*ways), SCHEMA, NumpyBackend(), CARD)
    assert agreed is None
    assert "has no dense head" in reason and "ctc: has no ctc loss" in reason


def test_a_task_without_formulations_says_so():
    agreed, reason = compose.agree(Choosy(), SCHEMA, NumpyBackend(), CARD)
    assert agreed is None and "toy offers no formulation" in reason


def test_a_network_for_other_input():
    agreed, reason = compose.agree(ToyTask(), SCHEMA, NumpyBackend(), replace(CARD, modality="audio"))
    assert agreed is None
    assert reason == "toy needs a network for image, but numpy/mlp takes audio"


def test_the_matrix_has_a_cell_for_each_task_and_source(fakes):
    cells = {(cell.task, cell.model): cell for cell in compose.matrix(fakes)}
    assert cells["toy", "numpy/mlp"] == compose.Cell(
        task="toy", backend="numpy", model="numpy/mlp", formulation="cross_entropy", reason=""
    )
    cards = compose.example_cards(fakes)
    assert set(cells) == {(task.name, card.name) for task in fakes.entries("task") for card in cards}
    assert all(bool(cell.formulation) != bool(cell.reason) for cell in cells.values())


def test_a_source_without_its_backend_is_a_cell_with_a_reason(site, monkeypatch):
    source = """
from autoft.records import ModelCard
class Models:
    def catalogue(self):
        return [ModelCard(name="x/image", backend="gone", modality="image", heads=("pooled",)),
                ModelCard(name="x/sound", backend="gone", modality="audio"),
                ModelCard(name="x/second", backend="gone", modality="image")]
@hookimpl
def autoft_models():
    yield Entry(name="x", target=__name__ + ":Models")
"""
    monkeypatch.setenv("AUTOFT_PLUGINS", f"autoft.testing.plugin,{site(source)}")
    found = registry.load()
    rows = [cell for cell in compose.matrix(found) if cell.backend == "gone" and cell.task == "toy"]
    assert [row.model for row in rows] == ["x/image", "x/sound"], "one network of each modality"
    assert all("there is no backend 'gone'" in row.reason and not row.formulation for row in rows)
    assert any(cell.model == "numpy/mlp" and not cell.reason for cell in compose.matrix(found))


def test_a_task_takes_networks_of_its_own_modality_and_those_that_its_inputs_can_be_shown_to() -> None:
    class Sounds(ToyTask):
        modality, inputs = "audio", ("audio",)

    class Rows(ToyTask):
        modality, inputs = "tabular", ("columns",)

    class Own(ToyTask):
        modality, inputs = "tabular", ("acme:rows",)

    found = [compose.modalities(task()) for task in (ToyTask, Sounds, Rows, Own)]
    assert found == [("image",), ("audio", "image", "cepstra"), ("tabular",), ("tabular",)]
