"""Files with the same content are one file, however they are packed; a file that cannot be read equals no other."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files import content
from chat_corpus.files.raw_file import RawFile

LINE = "在吗\t在\n".encode()


@pytest.fixture(autouse=True)
def _small_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """First bytes that are compared; and nothing that an earlier test read is remembered."""
    monkeypatch.setattr(content, "_BYTES", 16)
    content._beginning.cache_clear()
    content._cached_digest.cache_clear()


def raw(folder: Path, name: str, data: bytes) -> RawFile:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return RawFile(path=str(path), name=name, size=path.stat().st_size)


def test_a_digest_is_that_of_the_content_not_of_the_packed_file(tmp_path: Path) -> None:
    data = LINE * 300_000  # more than one block
    expected = hashlib.sha256(data).hexdigest()
    assert content.digest(raw(tmp_path, "a.txt", data)) == expected
    assert content.digest(raw(tmp_path, "a.txt.gz", data)) == expected


# id, content of two files, names, whether they are the same
SAME: list[tuple[str, bytes, bytes, tuple[str, str], bool]] = [
    ("equal", LINE * 9, LINE * 9, ("a.txt", "b.txt"), True),
    ("equal, one packed", LINE * 9, LINE * 9, ("a.txt", "b.txt.gz"), True),
    ("both empty", b"", b"", ("a.txt", "b.txt"), True),
    ("empty, packed", b"", b"", ("a.txt", "b.txt.gz"), True),
    ("another last byte", LINE * 9, LINE * 9 + b" ", ("a.txt", "b.txt"), False),
    ("another byte behind the beginning", LINE * 8 + b"1", LINE * 8 + b"2", ("a.txt", "b.txt"), False),
    ("the same, packed, but for the last byte", LINE * 8 + b"1", LINE * 8 + b"2", ("a.txt.gz", "b.txt.gz"), False),
    ("another first byte", b"1" + LINE, b"2" + LINE, ("a.txt", "b.txt"), False),
    ("the beginning of the other", LINE * 9, LINE * 8, ("a.txt.gz", "b.txt.gz"), False),
]


@pytest.mark.parametrize(("one", "other", "names", "same"), [pytest.param(*case[1:], id=case[0]) for case in SAME])
def test_files_are_the_same_to_the_last_byte_or_not(
    one: bytes, other: bytes, names: tuple[str, str], same: bool, tmp_path: Path
) -> None:
    files = [raw(tmp_path, name, data) for name, data in zip(names, (one, other), strict=True)]
    assert content.same_content(*files) is content.same_content(*files[::-1]) is same
    if same:
        key = content.content_key(files)
        assert key(files[0]) == key(files[1])


def test_a_file_that_cannot_be_read_equals_none_not_even_another_like_it(tmp_path: Path) -> None:
    files = [raw(tmp_path, name, LINE) for name in ("a.txt.gz", "b.txt.gz")]
    for file in files:
        Path(file.path).write_bytes(gzip.compress(LINE * 100)[:-9])
    with pytest.raises(ChatCorpusError, match=r"a\.txt\.gz"):
        content.digest(files[0])
    assert not content.same_content(*files)
    gone = RawFile(path=str(tmp_path / "gone"), name="gone", size=len(LINE))
    assert not content.same_content(gone, raw(tmp_path, "c.txt", LINE))


def test_a_file_of_a_size_of_its_own_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may hold terabytes: only what can be the same is read."""
    opened: list[str] = []
    read = RawFile.open

    def noted(file: RawFile) -> object:
        opened.append(file.name)
        return read(file)

    monkeypatch.setattr(RawFile, "open", noted)
    alone, one, other = (raw(tmp_path, name, data) for name, data in (("a", b"1"), ("b", b"22"), ("c", b"33")))
    keys = list(map(content.content_key([alone, one, other]), (alone, one, other)))
    assert len(set(map(str, keys))) == 3
    assert sorted(opened) == ["b", "c"]
    opened.clear()
    assert not content.same_content(alone, one)
    assert opened == []


def test_a_packed_file_may_be_the_same_as_a_file_of_any_size(tmp_path: Path) -> None:
    files = [raw(tmp_path, "a.txt", LINE * 50), raw(tmp_path, "b.txt.gz", LINE * 50), raw(tmp_path, "c.txt", LINE)]
    key = content.content_key(files)
    assert key(files[0]) == key(files[1]) != key(files[2])
