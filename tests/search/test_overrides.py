"""`key=value`: what is accepted, what trial 0 becomes, and what is refused in which words."""

import pytest
import yaml

from autoft.errors import EXIT_USAGE, UsageError
from autoft.records import ModelCard, Param
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.overrides import ALIASES, TYPES, parse, parse_assignments

CARDS = [
    ModelCard(name="lib/trained", backend="numpy", modality="image"),
    ModelCard(name="../ckpt", backend="numpy", modality="image", pretrained=False),
]
SPACE = default_space(CARDS, {}, "balanced", 1000)


def one(key, value, space=SPACE):
    (param,) = parse({key: value}, space)
    return param


def applied(overrides, space=SPACE):
    edited = spaces.edit(space, parse(overrides, space))
    spaces.validate(edited)
    return edited


# ---- values ---------------------------------------------------------------------------------------------


def test_a_value_fixes_and_trial_0_takes_it():
    param = one("lr", "3e-4")
    assert param.fixed and param.choices == (3e-4,) and param.default == 3e-4


def test_a_range_of_numbers_is_linear_unless_log_is_said():
    assert one("lr", "1e-5..1e-2:log") == Param(key="lr", kind="float", low=1e-5, high=1e-2, log=True, default=1e-3)
    assert not one("dropout", "0..0.5").log
    assert one("dropout", " 0 .. .5 ").high == 0.5


def test_a_range_of_a_whole_number_field_is_whole():
    assert one("batch_size", "16..64") == Param(key="batch_size", kind="int", low=16, high=64, default=32)
    assert one("batch", "16..256:log").log


def test_a_range_of_one_number_fixes():
    assert one("lr", "0.1..0.1").fixed


def test_several_values_are_choices_in_the_fields_own_type():
    param = one("freeze", "0,0.5, 1")
    assert param.choices == (0.0, 0.5, 1.0) and all(isinstance(value, float) for value in param.choices)
    assert all(isinstance(value, int) for value in one("batch_size", "16,3.2e1").choices)


@pytest.mark.parametrize(("word", "value"), [("true", True), ("No", False), ("on", True), (False, False)])
def test_booleans(word, value):
    assert one("nesterov", word).choices == (value,)


def test_a_models_name_may_look_like_a_range():
    assert one("model", "../ckpt").choices == ("../ckpt",)


@pytest.mark.parametrize(("alias", "key"), ALIASES.items())
def test_aliases(alias, key):
    value = {"augment": "none", "optimizer": "sgd"}.get(key, "64")
    if key in ("lr", "weight_decay"):
        value = "0.1"
    assert one(alias, value).key == key


def test_dashes_stand_for_underscores():
    assert one("batch-size", "8").key == "batch_size"


def test_a_key_of_the_recipe_outside_the_space_is_added():
    assert spaces.baseline(applied({"precision": "bf16"}))["precision"] == "bf16"


def test_yaml_values_mean_what_their_text_means():
    read = yaml.safe_load("{lr: 1e-3, freeze: [0, 0.5], batch: 16, nesterov: yes, wd: 1e-5..1e-2:log, augment: none}")
    params = {param.key: param for param in parse(read, SPACE)}
    assert params["lr"].choices == (1e-3,)
    assert params["freeze"].choices == (0.0, 0.5)
    assert params["batch_size"].choices == (16,)
    assert params["nesterov"].choices == (True,)
    assert params["weight_decay"].log
    assert params["augment"].choices == ("none",)


def test_a_plugins_own_parameter_keeps_its_type():
    space = (*SPACE, Param(key="depth", kind="int", low=1, high=9), Param(key="tone", choices=("warm", "cold")))
    assert one("depth", "2..4", space).kind == "int"
    assert one("tone", "cold", space).choices == ("cold",)
    with pytest.raises(UsageError, match=r"tone must be one of warm, cold, but got 'wram'. Did you mean 'warm'"):
        one("tone", "wram", space)


# ---- what becomes of the space ----------------------------------------------------------------------------


def test_an_override_holds_whatever_the_condition_was():
    space = applied({"momentum": "0.5", "freeze": "0.3"})
    for params in (spaces.baseline(space), spaces.resolve(space, {"optimizer": "adam", "model": "../ckpt"})):
        assert params["momentum"] == 0.5 and params["freeze"] == 0.3


def test_trial_0_keeps_its_value_where_the_range_allows():
    assert spaces.baseline(applied({"lr": "1e-4..1e-2:log"}))["lr"] == 1e-3
    assert spaces.baseline(applied({"freeze": "0,0.5,1"}))["freeze"] == 0.5


def test_trial_0_takes_the_middle_where_it_does_not():
    assert spaces.baseline(applied({"lr": "1e-6..1e-4:log"}))["lr"] == pytest.approx(1e-5)
    assert spaces.baseline(applied({"dropout": "0.2..0.4"}))["dropout"] == pytest.approx(0.3)
    assert spaces.baseline(applied({"batch_size": "100..200"}))["batch_size"] == 150
    assert spaces.baseline(applied({"freeze": "0.9,1"}))["freeze"] == 0.9


@pytest.mark.parametrize(
    ("key", "words", "default"),
    [("freeze", "0.1,0.4,0.7,1", 0.4), ("batch_size", "8,100", 100), ("lr", "1e-5,9e-4,3e-2", 9e-4)],
)
def test_trial_0_takes_the_listed_number_nearest_to_its_own(key, words, default):
    (param,) = parse({key: words}, SPACE)
    assert param.default == default


def test_trial_0_minds_the_other_overrides():
    assert spaces.baseline(applied({"lr": "1e-4..1e-1:log", "optimizer": "sgd"}))["lr"] == 1e-2


# ---- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("lrr", "1", "there is no parameter 'lrr'. Did you mean 'lr'"),
        ("learning_rte", "1", "Did you mean 'learning_rate'"),
        ("extra", "1", "there is no parameter 'extra'"),
        ("lr", "fast", "lr must be a number, but got 'fast'"),
        ("lr", "", "lr must be a number, but got ''"),
        ("lr", "1e-3,", "lr must be a number, but got ''"),
        ("lr", "nan", "lr must lie in"),
        ("lr", True, "lr must be a number, but got 'true'"),
        ("lr", None, "lr must be a number, but got 'None'"),
        ("lr", {"low": 1}, "lr must be a number, but got"),
        ("lr", [], "lr must have at least one value"),
        ("lr", "1e-2..1e-5:log", "low <= high must hold, but got lr=1e-2..1e-5:log"),
        ("lr", "0..1:log", "a log scale needs low > 0, but got lr=0..1:log"),
        ("lr", "1..2:lg", "a range must look like low..high"),
        ("lr", "1..", "a range must look like low..high"),
        ("freeze", "0..1.5", r"freeze must lie in \[0, 1\], but got 1.5"),
        ("freeze", "0,2", r"freeze must lie in \[0, 1\], but got 2"),
        ("batch_size", "16.5", "batch_size must be a whole number, but got '16.5'"),
        ("batch_size", "1.5..3", "batch_size must be a whole number, but got '1.5'"),
        ("batch_size", "0", "batch_size must lie in"),
        ("nesterov", "2", "nesterov must be true or false, but got '2'"),
        ("optimizer", "adamv", "optimizer must be one of .* but got 'adamv'. Did you mean 'adam"),
        ("augment", "none..strong", "augment must be one of"),
        ("class_weights", "equal", "class_weights must be none or balanced"),
        ("model", "lib/train", "model must be one of .*Did you mean 'lib/trained'"),
    ],
)
def test_refusals_name_the_law_and_the_value(key, value, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse({key: value}, SPACE)
    assert caught.value.exit_code == EXIT_USAGE


def test_a_reversed_range_is_answered_with_the_right_one():
    with pytest.raises(UsageError) as caught:
        one("lr", "1e-2..1e-5:log")
    assert caught.value.hint == "Did you mean lr=1e-5..1e-2:log?"


def test_a_key_and_its_alias_together_are_refused():
    with pytest.raises(UsageError, match="'batch' stands for 'batch_size', which is given too"):
        parse({"batch_size": "8", "batch": "16"}, SPACE)


def test_every_recipe_field_but_extra_can_be_overridden():
    assert set(TYPES) == set(spaces.DEFAULTS)


# ---- words of the command line ---------------------------------------------------------------------------------


def test_assignments_become_a_mapping():
    assert parse_assignments(["lr=1e-3", "model=a=b", "freeze = 0,1"]) == {
        "lr": "1e-3",
        "model": "a=b",
        "freeze": "0,1",
    }


@pytest.mark.parametrize("word", ["lr", "=1", "lr=", "./imgs", ""])
def test_a_word_that_is_no_assignment_is_refused(word):
    with pytest.raises(UsageError, match="an override must look like key=value, but got"):
        parse_assignments([word])


def test_a_key_given_twice_is_refused():
    with pytest.raises(UsageError, match="'lr' is given twice: 1 and 2") as caught:
        parse_assignments(["lr=1", "lr=2"])
    assert caught.value.hint == "To search both: lr=1,2"
