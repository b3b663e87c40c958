"""What is searched for recordings."""

from __future__ import annotations

from autoft.api import ModelCard, Param, Schema
from autoft_speech.plugin import autoft_edit_space

SCRATCH = ModelCard(name="ctc", backend="any", modality="audio", heads=("sequence",), pretrained=False)
HEARD = ModelCard(name="wav2vec2", backend="any", modality="audio", heads=("sequence",), lr=1e-4)


def rate(low: float, default: float, *names: str) -> Param:
    when = {"model": names} if names else {}
    return Param(key="lr", kind="float", low=low, high=16 * low, log=True, default=default, when=when)


def test_rates_from_scratch_are_for_networks_from_scratch_alone() -> None:
    schema = Schema(task="asr", extra={"recordings": 100})
    assert list(autoft_edit_space((rate(2e-5, 1e-4),), schema, (HEARD,))) == [rate(2e-5, 1e-4)]
    (alone,) = autoft_edit_space((rate(3e-4, 2e-3),), schema, (SCRATCH,))
    assert alone.default == 5e-3
    space = (rate(3e-4, 2e-3, "ctc"), rate(2e-5, 1e-4, "wav2vec2"))
    edited = list(autoft_edit_space(space, schema, (SCRATCH, HEARD)))
    assert {param.when["model"]: param.default for param in edited} == {("ctc",): 5e-3, ("wav2vec2",): 1e-4}


def test_rates_of_networks_that_classify_recordings_stay() -> None:
    assert not list(autoft_edit_space((rate(3e-4, 2e-3),), Schema(task="audio-cls"), (SCRATCH,)))


def test_few_recordings_get_as_many_epochs_as_their_steps_need() -> None:
    plain = Param(key="epochs", choices=(20,), default=20)
    for recordings, epochs in ((30, 250), (6, 1000), (1000, 20), (0, 2000)):
        schema = Schema(task="asr", extra={"recordings": recordings})
        (found,) = autoft_edit_space((plain,), schema, (SCRATCH,))
        assert found.choices == (found.default,) == (epochs,)
