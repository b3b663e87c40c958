"""Folders in a bucket: what arrives is whole, lies inside its folder, and what goes wrong is said in words."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from autoft import remote
from autoft.errors import UsageError


@pytest.fixture(params=["file", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty folder."""
    if request.param == "file":
        (tmp_path / "my bucket").mkdir()
        return (tmp_path / "my bucket").as_uri()
    return f"s3://bucket/{tmp_path.name}{request.getfixturevalue('s3')}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep" / "ü").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "deep" / "ü" / "b c.bin").write_bytes(bytes(range(256)) * 50_000)
    (folder / "empty").write_bytes(b"")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_is_an_address() -> None:
    assert all(remote.is_address(text) for text in ("s3://b/x", "gs://b", "file:///x", "abfs://c@a/x"))
    assert not any(remote.is_address(text) for text in ("/x", "x", "./s3:/b", "", "hub:a/b", "C:\\x", "https://a/b"))


def test_join_keeps_the_query() -> None:
    assert remote.join("s3://b/x/?scheme=http", "ü", "t 1") == "s3://b/x/%C3%BC/t%201?scheme=http"
    assert remote.join("s3://b", "x") == "s3://b/x"
    assert remote.join("/a/b", "c", "d") == str(Path("/a/b/c/d"))


def test_sibling() -> None:
    assert remote.sibling("s3://b/x/t0001?scheme=http", "t0002") == "s3://b/x/t0002?scheme=http"
    assert remote.sibling("/a/t0001", "t0002") == str(Path("/a/t0002"))


def test_there_and_back(bucket: str, source: Path, tmp_path: Path) -> None:
    address = remote.join(bucket, "ü", "one")
    remote.push(source, address)
    remote.pull(address, tmp_path / "new" / "copy")
    assert contents(tmp_path / "new" / "copy") == contents(source)
    assert remote.sizes(address) == {name: len(content) for name, content in contents(source).items()}
    remote.remove(address)
    remote.remove(address)
    assert remote.sizes(address) == {}


def test_push_leaves_out_what_is_not_kept(bucket: str, source: Path) -> None:
    remote.push(source, bucket, keep=lambda name: not name.startswith("deep/"))
    assert set(remote.sizes(bucket)) == {"a.txt", "empty"}


def test_write_replaces(bucket: str) -> None:
    address = remote.join(bucket, "x.json")
    remote.write(address, b"old and long")
    remote.write(address, b"new")
    assert remote.read(address) == b"new"
    assert set(remote.sizes(bucket)) == {"x.json"}, "no drafts are left"


def test_a_folder_without_its_last_file_is_not_whole(bucket: str, source: Path, tmp_path: Path) -> None:
    remote.push(source, bucket, keep=lambda name: name != "a.txt")
    with pytest.raises(UsageError, match=r"a\.txt is missing"):
        remote.pull(bucket, tmp_path / "copy", last="a.txt")
    assert not (tmp_path / "copy").exists()
    remote.push(source, bucket, last="a.txt")
    remote.pull(bucket, tmp_path / "copy", last="a.txt")
    assert contents(tmp_path / "copy") == contents(source)


def test_nothing_there(bucket: str, tmp_path: Path) -> None:
    nowhere = remote.join(bucket, "nowhere")
    assert remote.sizes(nowhere) == {}
    with pytest.raises(UsageError, match="no whole folder is there"):
        remote.pull(nowhere, tmp_path / "copy")
    with pytest.raises(UsageError, match="must be readable"):
        remote.read(remote.join(nowhere, "x.json"))
    assert not (tmp_path / "copy").exists()


def test_an_existing_folder_is_left_alone(bucket: str, source: Path, tmp_path: Path) -> None:
    remote.push(source, bucket)
    (tmp_path / "copy").mkdir()
    remote.pull(bucket, tmp_path / "copy")
    assert contents(tmp_path / "copy") == {}


@pytest.mark.parametrize("key", ["../evil.txt", "a/../../evil.txt", "C:evil.txt", "a\\..\\evil.txt"])
def test_names_that_lead_out_of_the_folder(key: str, s3: str, tmp_path: Path) -> None:
    """An object's name is any text; pyarrow passes it on as it is."""
    from pyarrow import fs

    place = f"strange/{tmp_path.name}"
    system, path = fs.FileSystem.from_uri(f"s3://bucket/{place}{s3}")
    with system.open_output_stream(f"{path}/good.txt") as stream:
        stream.write(b"good")
    with system.open_output_stream(f"{path}/{key}") as stream:
        stream.write(b"evil")
    listed = {info.path for info in system.get_file_info(fs.FileSelector(path, recursive=True))}
    copy = tmp_path / "deep" / "copy"
    try:
        remote.pull(f"s3://bucket/{place}{s3}", copy)
    except UsageError as error:
        assert "leads out of its folder" in str(error)
        assert not copy.exists()
    else:  # the server has made it a name outside, which is not listed
        assert not any("evil" in name for name in listed)
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a//x", "a/./x", "a\\x", "x\0", "C:/x", ""])
def test_every_strange_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        remote._below(f"bucket/folder/{name}", "bucket/folder")


def test_a_name_of_another_folder_is_refused() -> None:
    with pytest.raises(ValueError, match="leads out"):
        remote._below("bucket/folder2/x", "bucket/folder")


def _pull(address: str, folder: str, done: multiprocessing.Queue) -> None:
    real = remote._fetch

    def counting(*args: object) -> None:
        done.put("file")
        real(*args)

    remote._fetch = counting
    remote.pull(address, Path(folder))
    done.put("whole" if (Path(folder) / "deep" / "ü" / "b c.bin").stat().st_size == 12_800_000 else "torn")


def test_one_process_copies_and_the_others_wait(source: Path, tmp_path: Path) -> None:
    bucket = (tmp_path / "bucket").as_uri()
    remote.push(source, bucket)
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    pullers = [context.Process(target=_pull, args=(bucket, str(tmp_path / "copy"), done)) for _ in range(3)]
    for puller in pullers:
        puller.start()
    told = [done.get(timeout=120) for _ in range(len(pullers) + len(contents(source)))]
    for puller in pullers:
        puller.join(60)
    assert sorted(told) == ["file"] * len(contents(source)) + ["whole"] * len(pullers)
    assert [p.name for p in tmp_path.glob(".draft-*")] == []


def test_a_damaged_transfer_leaves_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = (tmp_path / "bucket").as_uri()
    remote.push(source, bucket)
    real = remote._copy

    def cut_off(origin: object, path: str, target: object, goal: str) -> None:
        real(origin, path, target, goal)
        if goal.endswith(".bin"):
            os.truncate(goal, 5)

    monkeypatch.setattr(remote, "_copy", cut_off)
    with pytest.raises(UsageError, match="must have 12800000 bytes, but 5 arrived"):
        remote.pull(bucket, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert list(tmp_path.glob(".draft-*")) == []


def test_check_leaves_nothing(bucket: str) -> None:
    remote.check(bucket)
    assert remote.sizes(bucket) == {}


def test_no_such_bucket(s3: str) -> None:
    with pytest.raises(UsageError, match="must be writable") as caught:
        remote.check(f"s3://nobody-made-this/x{s3}")
    assert "Make the bucket first" in caught.value.hint


def test_a_drawn_name_is_no_status(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote.secrets, "token_hex", lambda count: "e4e14016")
    test_nobody_answers(s3)


def test_nobody_answers(s3: str) -> None:
    with pytest.raises(UsageError, match="must be writable") as caught:
        remote.check("s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http")
    assert "Nothing answers" in caught.value.hint


@pytest.mark.parametrize("address", ["zz://x", "s3://", "file://host/x", "s3://b/x?bogus=1", "s3://b/a b"])
def test_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="must be writable"):
        remote.check(address)


def test_keys_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="must not hold keys") as caught:
        remote.check("s3://AKIA:secret@bucket/x")
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="must be writable"):
        remote.check((tmp_path / "file" / "below").as_uri())


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs pyarrow") as caught:
        remote.check("s3://never-seen-before/x")
    assert "pip install pyarrow" in caught.value.hint
