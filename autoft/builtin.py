"""The plugin that core itself ships: data formats and search strategies, through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.hookspecs import hookimpl
from autoft.records import Entry

FILED = ("image", "audio", "label")
TOLD = ("image", "audio", "text", "columns", "label", "labels", "transcript", "value")
"""What columns can hold; boxes and masks are more than words."""
READERS = (
    Entry(
        name="hf",
        target="autoft.data.hf:HuggingFaceReader",
        summary="Hugging Face datasets, saved or from the hub",
        gives=TOLD,
    ),
    Entry(
        name="table",
        target="autoft.data.table:TableReader",
        summary="CSV, TSV, JSON or Parquet with a path or text column and a label column",
        gives=TOLD,
    ),
    Entry(
        name="arrays",
        target="autoft.data.arrays:ArrayReader",
        summary="Pictures in NumPy's .npz and .npy, MNIST's idx files or CIFAR's binary ones, with their classes",
        gives=("image", "columns", "label", "labels", "value"),
    ),
    Entry(
        name="folder",
        target="autoft.data.folder:FolderReader",
        summary="Class folders, with train/val/test above them or not",
        gives=FILED,
    ),
    Entry(
        name="numbers",
        target="autoft.data.numberlists:NumberListReader",
        summary="Lists of files with a number each: 5.51 i01_01_1.bmp",
        gives=("image", "audio", "value"),
    ),
    Entry(
        name="number-folders",
        target="autoft.data.numberfolders:NumberFolderReader",
        summary="Folders that are called by the number of the files in them",
        gives=("image", "audio", "value"),
    ),
    Entry(
        name="voc-classes",
        target="autoft.data.vocsets:VocSetsReader",
        summary="Pascal VOC's lists of images for each class: ImageSets/Main/cat_train.txt",
        gives=("image", "label", "labels"),
    ),
    Entry(
        name="numbered",
        target="autoft.data.numbered:NumberedReader",
        summary="CUB-200's images.txt, image_class_labels.txt and train_test_split.txt",
        gives=("image", "label"),
    ),
    Entry(
        name="levels",
        target="autoft.data.levels:LevelsReader",
        summary="FGVC-Aircraft's images_variant_train.txt and images_family_train.txt; --target names the level",
        gives=("image", "label"),
    ),
    Entry(
        name="celeba",
        target="autoft.data.celeba:CelebaReader",
        summary="CelebA's list_attr_celeba.txt and list_eval_partition.txt",
        gives=("image", "label", "labels"),
    ),
    Entry(
        name="corpora",
        target="autoft.data.corpora:CorpusReader",
        summary="CREMA-D, EmoDB, RAVDESS, SAVEE and TESS, by the names of their files",
        gives=("audio", "label"),
    ),
    Entry(
        name="faces",
        target="autoft.data.faces:FaceReader",
        summary="UTKFace, by the names of its files: the age is the number to learn",
        gives=("image", "value"),
    ),
    Entry(
        name="trec",
        target="autoft.data.trec:TrecReader",
        summary="TREC's questions, DESC:manner How did ...; --target coarse or fine",
        gives=("text", "label"),
    ),
    Entry(
        name="lists",
        target="autoft.data.filelists:FileListReader",
        summary="Lists such as train.txt and val.txt: a path and a class in each line",
        gives=FILED,
    ),
    Entry(
        name="texts",
        target="autoft.data.textfolder:TextFolderReader",
        summary="Class folders of .txt files, with train/val/test above them or not",
        gives=("text", "label"),
    ),
    Entry(
        name="lines",
        target="autoft.data.textlines:TextLinesReader",
        summary="A text in each line: pos.txt and neg.txt, or train_text.txt with train_labels.txt",
        gives=("text", "label"),
    ),
    Entry(
        name="name-parts",
        target="autoft.data.namefields:NameFieldReader",
        summary="Files whose names say several things, anna_beep_03.wav; --target 2 says which is the class",
        gives=FILED,
    ),
    Entry(
        name="names",
        target="autoft.data.filenames:FileNameReader",
        summary="Files in one folder whose names begin with their class: cat.0.jpg, dog_12.jpg",
        gives=FILED,
    ),
)


@hookimpl
def autoft_readers() -> Iterable[Entry]:
    return READERS


@hookimpl
def autoft_searchers() -> Iterable[Entry]:
    yield Entry(name="random", target="autoft.search.searchers:Random", summary="Random draws from the space")
    yield Entry(name="tpe", target="autoft.search.searchers:Tpe", summary="Tree-structured Parzen estimator (Optuna)")
    yield Entry(name="grid", target="autoft.search.searchers:Grid", summary="Every combination of the listed values")


@hookimpl
def autoft_strategies() -> Iterable[Entry]:
    yield Entry(
        name="auto",
        target="autoft.search.strategies:FromCheapToDear",
        summary="From cheap trials to dear ones: solved heads, partly frozen networks, whole ones, fresh seeds",
    )
