"""Words, numbers and records that users and files bring: what is taken, and in which words it is refused."""

import msgspec
import pytest

from autoft import vocab
from autoft.errors import AutoftError, TrialFailed, UsageError
from autoft.options import SearchOptions, seconds
from autoft.recipe import RANGES, Recipe
from autoft.records import (
    Dataset,
    EpochReport,
    Metric,
    ModelCard,
    Output,
    Param,
    Problem,
    Sample,
    TrialResult,
    from_dict,
    from_json,
    to_json,
    trial_name,
)

# ---- durations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("90", 90),
        (90, 90),
        (0.5, 0.5),
        ("90s", 90),
        ("10m", 600),
        ("1.5h", 5400),
        ("1h30m", 5400),
        (" 2D ", 172800),
        ("1m0s", 60),
    ],
)
def test_a_duration(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "ten minutes", "10x", "m10", "10m5", "1h 30m", "-5", "-5m", "1e3", "nan", "inf", "5mm"]
)
def test_a_duration_that_nobody_can_read(text):
    with pytest.raises(UsageError, match=rf"must look like .* but got '{text}'"):
        seconds(text)


@pytest.mark.parametrize("text", ["0", "0s", 0, "0h0m"])
def test_a_duration_without_length(text):
    with pytest.raises(UsageError, match="longer than 0"):
        seconds(text)


# ---- the closed vocabulary ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", vocab.LISTS)
def test_every_word_of_a_list_passes_and_no_other(kind):
    assert [vocab.check(kind, word) for word in vocab.LISTS[kind]] == list(vocab.LISTS[kind])
    with pytest.raises(UsageError, match=f"{kind} must be one of {vocab.LISTS[kind][0]}.*'no-such-word'"):
        vocab.check(kind, "no-such-word")


def test_a_vendors_word_passes():
    assert vocab.check("loss", "acme:triplet") == "acme:triplet"


@pytest.mark.parametrize("word", ["", ":", "acme:", ":triplet", "Cross_Entropy"])
def test_half_a_vendors_word_does_not(word):
    with pytest.raises(UsageError):
        vocab.check("loss", word)


def test_the_nearest_word_is_named():
    assert vocab.did_you_mean("CROSS-entropy", vocab.LOSSES) == " Did you mean 'cross_entropy'?"
    assert vocab.did_you_mean("zebra", vocab.LOSSES) == ""
    assert vocab.did_you_mean("resnet", ["ResNet"]) == " Did you mean 'ResNet'?"
    assert vocab.did_you_mean("", []) == ""


# ---- recipes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", RANGES)
def test_a_recipe_takes_the_ends_of_a_range_and_nothing_beyond(key):
    low, high = RANGES[key]
    for value in (low, high):
        assert getattr(Recipe.of({key: value}), key) == value
    for value in (low - 1, high * 2 + 1):
        with pytest.raises(UsageError, match=rf"{key} must lie in \[.*\], but got"):
            Recipe.of({key: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_recipe_takes_finite_numbers_only(value):
    with pytest.raises(UsageError, match="lr must lie in"):
        Recipe.of({"lr": value})


def test_the_defaults_are_in_range():
    assert Recipe.of({}) == Recipe()


@pytest.mark.parametrize("key, word", [("optimizer", "adamm"), ("augment", "lite"), ("class_weights", "balance")])
def test_a_recipe_refuses_unknown_words(key, word):
    with pytest.raises(UsageError, match=f"{key} must be .*'{word}'"):
        Recipe.of({key: word})


@pytest.mark.parametrize("params", [{"lr": "fast"}, {"epochs": 2.5}, {"nesterov": "perhaps"}, {"optimizer": 3}])
def test_a_recipe_refuses_other_types(params):
    with pytest.raises(UsageError, match="the configuration is not valid"):
        Recipe.of(params)


def test_what_core_does_not_know_is_kept_for_its_plugin():
    recipe = Recipe.of({"lr": 0.1, "acme_alpha": 2, "acme_word": "5"})
    assert recipe.extra == {"acme_alpha": 2, "acme_word": "5"}
    assert recipe.flat() == {**Recipe(lr=0.1).flat(), "acme_alpha": 2, "acme_word": "5"}
    assert Recipe.of(recipe.flat()) == recipe
    assert from_json(to_json(recipe), Recipe) == recipe


def test_a_recipe_in_a_file_is_read_as_strictly_as_any_record():
    with pytest.raises(msgspec.ValidationError, match="learning_rate"):
        from_json('{"learning_rate": 0.1}', Recipe)


# ---- records --------------------------------------------------------------------------------------------

PROBLEM = {
    "name": "p",
    "inputs": ["image"],
    "outputs": [{"name": "o", "head": "pooled", "size": 2, "loss": "mse", "post": "identity", "target": "t"}],
}


@pytest.mark.parametrize(
    "text, kind, words",
    [
        ('{"name": "a", "mood": "max"}', Metric, "unknown field `mood`"),
        ('{"mode": "max"}', Metric, "missing required field `name`"),
        ('{"name": "a", "mode": "most"}', Metric, "most"),
        ('{"name": 3}', Metric, "Expected `str`"),
        ('{"samples": [{"id": "a", "fields": {}, "weight": 2}], "reader": ""}', Dataset, "weight"),
        ('{"epoch": 1, "score": null, "metrics": {}, "train_loss": 1, "seconds": 1}', EpochReport, "score"),
        ('{"number": 0, "status": "won", "model": "", "backend": "", "recipe": {}}', TrialResult, "won"),
    ],
)  # fmt: skip
def test_a_record_is_read_strictly(text, kind, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        from_json(text, kind)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"inputs": ["picture"]}, "field must be"),
        ({"outputs": [{**PROBLEM["outputs"][0], "head": "pool"}]}, "'pooled'"),
    ],
)
def test_a_problem_speaks_the_vocabulary(change, words):
    assert from_dict(PROBLEM, Problem).outputs[0].size == 2
    with pytest.raises(UsageError, match=words):
        from_dict({**PROBLEM, **change}, Problem)


def test_a_card_speaks_the_vocabulary():
    with pytest.raises(UsageError, match="modality must be"):
        ModelCard(name="a", backend="b", modality="smell")


@pytest.mark.parametrize(
    "record",
    [
        Sample(id="a", fields={"image": "ä.png", "boxes": [[1, 2, 3, 4, "x"]], "value": 0.5}),
        Param(key="lr", kind="float", low=1e-5, high=0.1, log=True, default=1e-3, when={"optimizer": ("sgd",)}),
        Output(name="o", head="pooled", size=3, loss="acme:x", post="softmax", target="t", class_weights=(1.0, 2.0)),
        SearchOptions(task="toy", data="x", models=("a", "b"), overrides={"lr": "0.1"}),
    ],
)
def test_a_record_survives_json(record):
    assert from_json(to_json(record), type(record)) == record
    assert from_json(to_json(record, pretty=True), type(record)) == record
    assert "\n" not in to_json(record)


def test_records_cannot_be_changed():
    with pytest.raises(AttributeError):
        Metric(name="a").name = "b"


def test_names_of_trials_sort_as_their_numbers():
    assert [trial_name(n) for n in (0, 7, 12345)] == ["t0000", "t0007", "t12345"]


@pytest.mark.parametrize("param, fixed", [
    (Param(key="a", choices=(1,)), True),
    (Param(key="a", choices=(1, 2)), False),
    (Param(key="a", kind="float", low=1, high=1), True),
    (Param(key="a", kind="int", low=1, high=2), False),
])  # fmt: skip
def test_a_parameter_with_one_value_is_fixed(param, fixed):
    assert param.fixed is fixed


def test_errors_keep_their_hint_across_a_process_border():
    import pickle

    for kind in (AutoftError, UsageError, TrialFailed):
        error = pickle.loads(pickle.dumps(kind("it broke", "mend it")))
        assert (type(error), error.message, error.hint, str(error)) == (kind, "it broke", "mend it", "it broke")
