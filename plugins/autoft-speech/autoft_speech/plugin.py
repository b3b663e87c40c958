"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoft.api import Entry, ModelCard, Param, Schema, hookimpl


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(
        name="audio-cls",
        aliases=("audio-classification", "sound-cls"),
        target="autoft_speech._sounds:AudioClassification",
        summary="One class per recording",
    )
    yield Entry(
        name="audio-multilabel",
        aliases=("audio-tagging",),
        target="autoft_speech._sounds:AudioMultiLabel",
        summary="Any number of labels per recording",
    )
    yield Entry(
        name="asr",
        aliases=("speech-recognition", "transcribe"),
        target="autoft_speech._asr:SpeechRecognition",
        summary="What is said in a recording",
    )


@hookimpl
def autoft_readers() -> Iterable[Entry]:
    yield Entry(
        name="kaldi",
        target="autoft_speech._kaldi:KaldiReader",
        summary="A folder with the files text and wav.scp of Kaldi, or one such folder for each part",
        gives=("audio", "transcript"),
    )
    yield Entry(
        name="ljspeech",
        target="autoft_speech._ljspeech:LjspeechReader",
        summary="A metadata.csv of lines name|transcript without a header, recordings in wavs/",
        gives=("audio", "transcript"),
    )
    yield Entry(
        name="stm",
        target="autoft_speech._stm:StmReader",
        summary="Recordings with .stm files that tell their pieces (TED-LIUM)",
        gives=("audio", "transcript"),
    )
    yield Entry(
        name="tracks",
        target="autoft_speech._tracks:TracksReader",
        summary="Recordings with a label track of Audacity, a TextGrid, an .eaf or a selection table of the same name",
        gives=("audio", "label", "transcript"),
    )
    yield Entry(
        name="transcripts",
        target="autoft_speech._beside:BesideReader",
        summary="Recordings with a text file of the same name each, or lists of names and words (LibriSpeech)",
        gives=("audio", "transcript"),
    )


@hookimpl
def autoft_edit_space(space: Sequence[Param], schema: Schema, cards: Sequence[ModelCard]) -> Iterable[Param]:
    if schema.task not in ("audio-cls", "audio-multilabel", "asr"):
        return ()
    from autoft_speech._space import edits

    return tuple(edits(space, schema.task, int(schema.extra.get("recordings", 0)), cards))
