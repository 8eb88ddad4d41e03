"""Kinds of files that are not read, recognised by their first bytes or their ending, with advice for the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from chat_corpus.files.lines import BOM
from chat_corpus.messages import Message, message


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of file: the message for the user, and whether it may hold data, so that a corpus may be lost."""

    message: Message
    may_hold_data: bool = True


_SPREADSHEET = Kind(message=message("a spreadsheet, which is not read: save it as CSV (UTF-8)"))
_DOCUMENT = Kind(
    message=message("a document, which is not read: if there is a corpus in it, save that as plain text (UTF-8)")
)
_SLIDES = Kind(message=message("a presentation, which is not read"), may_hold_data=False)
_BOOK = Kind(
    message=message("an electronic book, which is not read: save its text as plain text (UTF-8)"), may_hold_data=False
)
_PDF = Kind(
    message=message("a PDF, which is not read: get the corpus as a text file; text copied out of a PDF loses its lines")
)
_OFFICE = Kind(
    message=message("an old Office file, which is not read: save a spreadsheet as CSV (UTF-8), a document as text")
)
_DATABASE = Kind(
    message=message("a database, which is not read: export its table as CSV (UTF-8), as with sqlite3 -csv")
)
_ACCESS = Kind(message=message("an Access database, which is not read: export its table as CSV (UTF-8)"))
_DUMP = Kind(
    message=message("a database dump, which is not read: get the release as text or XML, or export the table as CSV")
)
_PARQUET = Kind(
    message=message("a Parquet file that is packed or damaged, which is not read: unpack it, or get it again")
)
_ARROW = Kind(message=message("an Arrow file, which is not read: get the release in JSON, or convert it to JSON Lines"))
_ARRAYS = Kind(message=message("a file of arrays (HDF5 or NumPy), which is not read: get the corpus as text"))
_PICKLE = Kind(message=message("a Python pickle, which is never opened, since it may run code: get the corpus as text"))
_RAR = Kind(message=message("a RAR archive, which is not read: unpack it"))
_SEVEN = Kind(message=message("a 7z archive, which is not read: unpack it"))
_ARCHIVE = Kind(message=message("an archive of a kind that is not read: unpack it"))
_ZIP_ARCHIVE = Kind(message=message("a zip archive, judging by its content: add the ending .zip"))
_VOLUME = Kind(message=message("one volume of a split archive: join the volumes and unpack them"))
_DOWNLOAD = Kind(message=message("an unfinished download: finish it, or get the file again"))
_UNFINISHED = Kind(message=message("an unfinished download"), may_hold_data=False)
_SET_ASIDE = Kind(
    message=message("set aside by fetch, since it is not the file at its origin: delete it"), may_hold_data=False
)
_PAGE = Kind(
    message=message("a web page, saved in place of the file: download the file itself"),
    may_hold_data=False,
)
_REFUSAL = Kind(
    message=message("a server's error message, saved in place of the file: download the file itself"),
    may_hold_data=False,
)
_LFS = Kind(message=message("a Git LFS pointer, not the file itself: fetch it with 'git lfs pull'"))
_ANNEX = Kind(message=message("a git-annex pointer, not the file itself: fetch it with 'git annex get'"))
_ZEROS = Kind(message=message("zero bytes, where a download was not finished or a disk failed: get it again"))
_WIDE = Kind(
    message=message("text in UTF-32, which is not read: convert it to UTF-8, as with iconv -f UTF-32 -t UTF-8")
)
_OLD_MAC = Kind(
    message=message(
        "text with CR line ends, as on old Macs: convert it, for example with mac2unix, or save the spreadsheet as CSV "
        "(UTF-8)"
    )
)


def _compressed(ending: str) -> Kind:
    return Kind(
        message=message("compressed, judging by its content: add the ending {ending} or .tar{ending}", ending=ending)
    )


#: Beginnings of text files, in lower case.
_TEXTS: tuple[tuple[bytes, Kind], ...] = (
    (b"version https://git-lfs", _LFS),
    (b"version https://hawser", _LFS),
    (b"/annex/objects/", _ANNEX),
    (b"<!doctype html", _PAGE),
    (b"<html", _PAGE),
    (b"<head>", _PAGE),
    (b"<body", _PAGE),
    (b"<pre>", _PAGE),
)
#: Beginnings of other files.
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x1f\x8b", _compressed(".gz")),
    (b"BZh", _compressed(".bz2")),
    (b"\xfd7zXZ", _compressed(".xz")),
    (b"\x28\xb5\x2f\xfd", _compressed(".zst")),
    (b"PAR1", _PARQUET),
    (b"ARROW1", _ARROW),
    (b"FEA1", _ARROW),
    (b"\x89HDF", _ARRAYS),
    (b"\x93NUMPY", _ARRAYS),
    (b"\x80\x02", _PICKLE),
    (b"\x80\x03", _PICKLE),
    (b"\x80\x04\x95", _PICKLE),
    (b"\x80\x05\x95", _PICKLE),
    (b"SQLite format 3\0", _DATABASE),
    (b"\0\1\0\0Standard ", _ACCESS),
    (b"%PDF", _PDF),
    (b"{\\rtf", _DOCUMENT),
    (b"Rar!", _RAR),
    (b"7z\xbc\xaf", _SEVEN),
    (b"\x04\x22M\x18", _ARCHIVE),
    (b"MSCF\0", _ARCHIVE),
    (b"!<arch>", _ARCHIVE),
)
#: Answers of servers that refuse a file.
_REFUSALS = re.compile(
    rb"\A(?:<\?xml[^>]*>\s*)?<Error>"
    rb'|\A\{"(?:error|message|detail)"\s*:\s*"[^"]*"'
    rb'(?:\s*,\s*"(?:documentation_url|status|status_?code|code|error|message|request_?id)"\s*:[^,{}]*)*\s*\}\s*\Z'
    rb"|\A(?:404: Not Found|Entry not found|Access to .{1,80} is restricted|Invalid username or password)"
)
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
#: First bytes of layouts that are not made of lines.
_STRUCTURED = (b"{", b"[", b"<")
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\3\4"
#: First members of zip archives that their users see as a single file.
_INSIDE: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (re.compile(rb"PK\x03\x04.{26}xl/|opendocument\.spreadsheet", re.DOTALL), _SPREADSHEET),
    (re.compile(rb"PK\x03\x04.{26}word/|opendocument\.text", re.DOTALL), _DOCUMENT),
    (re.compile(rb"PK\x03\x04.{26}ppt/|opendocument\.presentation", re.DOTALL), _SLIDES),
    (re.compile(rb"application/epub\+zip"), _BOOK),
)
_OPEN_XML = re.compile(rb"\[Content_Types\]\.xml")
#: Kinds by the ending of the name, in lower case.
_ENDINGS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".et", ".wps.et"), _SPREADSHEET),
    **dict.fromkeys((".docx", ".doc", ".odt", ".pages", ".rtf", ".wps", ".docm"), _DOCUMENT),
    **dict.fromkeys((".pptx", ".ppt", ".odp", ".key"), _SLIDES),
    **dict.fromkeys((".epub", ".mobi", ".azw3"), _BOOK),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3", ".db3", ".duckdb"), _DATABASE),
    **dict.fromkeys((".mdb", ".accdb"), _ACCESS),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), _ARROW),
    **dict.fromkeys((".h5", ".hdf5", ".npy", ".npz"), _ARRAYS),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), _PICKLE),
    **dict.fromkeys((".html", ".htm", ".mhtml", ".xhtml"), _PAGE),
    **dict.fromkeys((".lz4", ".lzma", ".cab", ".iso", ".dmg", ".z", ".lzh", ".ace", ".arj", ".sz"), _ARCHIVE),
    ".bad": _SET_ASIDE,
    ".incomplete": _UNFINISHED,
    **dict.fromkeys((".crdownload", ".part", ".aria2", ".download", ".partial", ".xltd", ".baiduyun"), _DOWNLOAD),
    ".parquet": _PARQUET,
    ".pdf": _PDF,
    ".sql": _DUMP,
    ".rar": _RAR,
    ".7z": _SEVEN,
}
_VOLUMES = re.compile(r"\.(?:z\d\d|\d{3}|r\d\d|part\d+\.rar)\Z")
#: Endings of documents and code, which are never a corpus, even if they quote examples of one.
_DOCUMENTS_AND_CODE = frozenset(
    {
        ".adoc", ".bat", ".c", ".cc", ".cfg", ".cpp", ".cs", ".css", ".diff", ".go", ".h", ".hpp",
        ".ini", ".ipynb", ".java", ".jl", ".js", ".jsx", ".kt", ".lua", ".md", ".mdx", ".m", ".patch",
        ".php", ".pl", ".ps1", ".py", ".pyi", ".r", ".rb", ".rs", ".rst", ".sh", ".swift", ".tex",
        ".toml", ".ts", ".tsx", ".vue",
    }
)  # fmt: skip
#: Names of files that come with any software, with any ending.
_PROJECT_FILES = re.compile(
    r"(?:read_?me|licen[cs]e|notice|changelog|changes|contributing|contributors|authors|copying|code_of_conduct|security"
    r"|todo|makefile|dockerfile|requirements|使用说明|说明|自述|须知)(?:[._-].*)?"
)
_ZERO_BYTES = b"\0" * 16


def by_content(head: bytes, name: str) -> Kind | None:
    """Return the kind of a file by its first bytes; None if it may be read.

    >>> by_content(b"%PDF-1.7", "a.txt").message.split(",")[0]
    'a PDF'
    """
    begin = head.removeprefix(BOM).lstrip()
    if head.startswith(_UTF32):
        return _WIDE
    if begin.startswith(_ZIP):
        return _zip(head, name)
    if begin.startswith(_OLE):
        kind = _ENDINGS.get(ending(name))
        return kind if kind in (_SPREADSHEET, _DOCUMENT, _SLIDES) else _OFFICE
    lower = begin[:32].lower()
    kind = next((kind for mark, kind in _TEXTS if lower.startswith(mark)), None)
    kind = kind or next((kind for mark, kind in _BEGINNINGS if begin.startswith(mark)), None)
    if kind is not None:
        return kind
    if len(head) < 2000 and _REFUSALS.search(begin):
        return _REFUSAL
    if b"\r" in begin.rstrip() and b"\n" not in head and not begin.startswith(_STRUCTURED):
        return _OLD_MAC
    return _ZEROS if _ZERO_BYTES in head else None


def _zip(head: bytes, name: str) -> Kind:
    kind = next((kind for pattern, kind in _INSIDE if pattern.search(head)), None)
    named = _ENDINGS.get(ending(name))
    if kind is None and named in (_SPREADSHEET, _DOCUMENT, _SLIDES, _BOOK, _ARRAYS, _PICKLE):
        return named
    return kind or (_OFFICE if _OPEN_XML.search(head[:200]) else _ZIP_ARCHIVE)


def by_ending(name: str, *, is_text: bool = False) -> Kind | None:
    """Return the kind of a file by the ending of its name; None if it may be read. If `is_text`, only kinds of text.

    >>> by_ending("青云库.XLSX").message
    'a spreadsheet, which is not read: save it as CSV (UTF-8)'
    >>> by_ending("tieba.dialogues.001", is_text=True)
    """
    kind = _VOLUME if _VOLUMES.search(name.lower()) else _ENDINGS.get(ending(name))
    return kind if not is_text or kind in (_DUMP, _PAGE, _PICKLE) else None


def is_document_or_code(name: str) -> bool:
    """Return whether a file is a document or code, by its name.

    >>> [is_document_or_code(name) for name in ("a/README_zh.txt", "LICENSE", "a/readme-data.py", "read.txt")]
    [True, True, True, False]
    """
    return ending(name) in _DOCUMENTS_AND_CODE or _PROJECT_FILES.fullmatch(PurePosixPath(name).name.lower()) is not None


def leftover(name: str) -> Kind | None:
    """Return the kind of a file that a download left behind, by its name; None for any other file.

    >>> leftover("ptt-77w/Gossiping-QA-Dataset-2_0.csv.bad").message
    'set aside by fetch, since it is not the file at its origin: delete it'
    >>> leftover("ptt-77w/Gossiping-QA-Dataset-2_0.csv")
    """
    kind = _ENDINGS.get(ending(name))
    return kind if kind in (_SET_ASIDE, _UNFINISHED, _DOWNLOAD) else None


def ending(name: str) -> str:
    """Return the ending of a name, in lower case."""
    return PurePosixPath(name).suffix.lower()
