"""Which source a file's name speaks of, where it is no name under which that source's files are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from chat_corpus.sources.base import Source

#: What older tools write: a file of pairs for each corpus, `douban_single_turn.tsv` among them.
_MADE = r"(?:_(?:single|multi)_?turn|_clean(?:ed)?|_pairs?|_qa)?\.tsv"

#: What is put to a file's name where it holds the same dialogues once more: in another form, or some of them.
_AGAIN = re.compile(
    r"(?:[-_. ]+(?:raw|orig|original|old|bak|backup|copy|clean|cleaned|sample|samples|small|mini|tiny|demo|example"
    r"|examples|subset|head|part[-_]?\d+|utf-?8|utf-?16|gbk|gb2312|gb18030|big5|副本)|\s*[(（]\d+[)）])+"
)


def without_marks(name: str) -> str:
    """The name of the file of which another holds the dialogues once more, by its name; any other name as it is.

    >>> without_marks("a/train_2M_CN_sample.json"), without_marks("tieba (1).dialogues"), without_marks("tieba2.csv")
    ('a/train_2m_cn.json', 'tieba.dialogues', 'tieba2.csv')
    """
    path = PurePosixPath(name.lower())
    found = re.fullmatch(rf"(.+?){_AGAIN.pattern}", path.stem)
    return str(path.with_name(found[1] + path.suffix)) if found else name


def made_of(name: str, sources: Iterable[str]) -> str | None:
    """The source of which a program that writes a `.tsv` for each has made a file, by its name.

    >>> made_of("old/douban_single_turn.tsv", ["douban", "ptt"]), made_of("tieba2.tsv", ["tieba"])
    ('douban', None)
    """
    base = PurePosixPath(name).name.lower()
    return next((source for source in sources if re.fullmatch(re.escape(source) + _MADE, base)), None)


def meant(name: str, sources: Mapping[str, Source], *, by_folder: bool) -> str | None:
    """The source whose pattern a name would match if it had another ending.

    A pattern that is an ending alone, as `qingyun*/*.csv`, counts only `by_folder`: any file may lie in a folder.
    """
    path = PurePosixPath(name.lower())
    for source in sources.values():
        for wanted in source.inputs:
            for pattern in wanted.files:
                whole = PurePosixPath(pattern.lower())
                if (by_folder or whole.stem != "*") and path.match(str(whole.with_name(f"{whole.stem}.*"))):
                    return source.name
    return None


def mentioned(name: str, sources: Iterable[str]) -> list[str]:
    """The sources whose names stand in the name of a file or its folders.

    >>> mentioned("raw/qingyun-11w/a.txt", ["qingyun", "ptt"]), mentioned("pttx/a", ["ptt"])
    (['qingyun'], [])
    """
    return [source for source in sources if re.search(rf"(?<![a-z]){re.escape(source)}(?![a-z])", name.lower())]
