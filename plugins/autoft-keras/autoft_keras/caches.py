"""Where downloaded weights lie on this machine. Looks at files only: imports no framework, opens no connection.

The folders are those that Keras, huggingface_hub and kagglehub use themselves, so what any of them brought is found.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from autoft.api import ModelCard, hub_file

HUB = "hub:"
#: Weights that this distribution itself brings, by the name of their file.
BUNDLED = "bundled:"
#: Files of a KerasHub preset: what network it is, how it takes its images, its weights.
CONFIG, CONVERTERS, WEIGHTS = "config.json", ("image_converter.json", "preprocessor.json"), "model.weights.h5"
#: What it says of its head, and the head's weights, where it is more than a backbone.
TASK, TASK_WEIGHTS = "task.json", "task.weights.h5"
#: Of its tokenizer, where it is for texts: what it is, and the folder and names of its vocabularies.
TOKENIZER, TOKENIZER_FOLDER = "tokenizer.json", "assets/tokenizer"
SENTENCES = "vocabulary.spm"
VOCABULARIES = ("vocabulary.txt", "vocabulary.json", "merges.txt", SENTENCES)
TOKENIZER_FILES = (TOKENIZER, *(f"{TOKENIZER_FOLDER}/{name}" for name in VOCABULARIES))
#: Folder of a saved model, in which its tokenizer lies.
KEPT = "tokenizer"
KEPT_FILES = tuple(f"{KEPT}/{name}" for name in TOKENIZER_FILES)


def keras_folder() -> Path:
    """Where keras.applications keeps weights: `KERAS_HOME`, else below the home folder, else below /tmp."""
    home = Path("~").expanduser()
    base = os.environ.get("KERAS_HOME") or str((home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras")
    return Path(base).expanduser() / "models"


def kaggle_folder() -> Path:
    """The cache of kagglehub."""
    return Path(os.environ.get("KAGGLEHUB_CACHE") or "~/.cache/kagglehub").expanduser() / "models"


def preset_folder(repo: str, handle: str = "") -> Path | None:
    """The folder with a whole KerasHub preset, brought by huggingface_hub (`repo`) or by kagglehub (`handle`)."""
    found = hub_file(repo, WEIGHTS)
    folders = [found.parent] if found else []
    if handle:
        folders.append(kaggle_folder() / handle.removeprefix("kaggle://"))
    return next((f for f in folders if (f / WEIGHTS).is_file() and (f / CONFIG).is_file()), None)


def at_hand(card: ModelCard) -> Path | None:
    """The file or folder with the card's weights, if it is on this machine."""
    where = card.weights
    if where.startswith(HUB):
        return preset_folder(where.removeprefix(HUB), str(card.extra.get("kaggle", "")))
    if where.startswith(BUNDLED):
        path = Path(__file__).parent / "weights" / where.removeprefix(BUNDLED)
        return path if path.is_file() else None
    path = keras_folder() / str(card.extra["file"]) if where.startswith(("https://", "http://")) else Path(where)
    return path if where and path.exists() else None


def mark(card: ModelCard) -> ModelCard:
    """The card, saying whether it can be used without a download."""
    return msgspec.structs.replace(card, offline=not card.weights or at_hand(card) is not None)
