"""What is searched for texts."""

from __future__ import annotations

from autoft.api import ModelCard, Param, Schema
from autoft_text.plugin import autoft_edit_space

AUGMENT = Param(key="augment", choices=("none", "light", "strong"), default="light")
TASK = Schema(task="text-cls", classes=("a", "b"))
SCRATCH = ModelCard(name="hash", backend="any", modality="text", pretrained=False)
READ = ModelCard(name="bert", backend="any", modality="text")


def test_networks_that_have_read_much_lose_few_words_and_others_many() -> None:
    for card, default in ((SCRATCH, "strong"), (READ, "none")):
        (alone,) = autoft_edit_space((AUGMENT,), TASK, (card,))
        assert alone.default == default and not alone.when
    both = list(autoft_edit_space((AUGMENT,), TASK, (SCRATCH, READ)))
    assert {param.when["model"]: param.default for param in both} == {("hash",): "strong", ("bert",): "none"}


def test_what_the_user_fixed_and_other_tasks_stay_as_they_are() -> None:
    fixed = Param(key="augment", choices=("light",), default="light")
    assert not list(autoft_edit_space((fixed,), TASK, (READ,)))
    assert not list(autoft_edit_space((AUGMENT,), Schema(task="image-cls"), (READ,)))
