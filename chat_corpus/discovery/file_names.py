"""Find hints of a source in the name of a file that matches none of the patterns of the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from chat_corpus.sources.base import Source

#: Endings of files of pairs that older tools write for each corpus, such as `douban_single_turn.tsv`.
_CONVERTED = r"(?:_(?:single|multi)_?turn|_clean(?:ed)?|_pairs?|_qa)?\.tsv"

#: Suffixes of copies: files with the same dialogues in a different form, or with some of them.
_COPY_SUFFIXES = re.compile(
    r"(?:[-_. ]+(?:raw|orig|original|old|bak|backup|copy|clean|cleaned|sample|samples|small|mini|tiny|demo|example"
    r"|examples|subset|head|part[-_]?\d+|utf-?8|utf-?16|gbk|gb2312|gb18030|big5|副本)|\s*[(（]\d+[)）])+"
)


def without_copy_suffix(name: str) -> str:
    """Return the name of the file that `name` is a copy of, in lower case; any other name unchanged.

    >>> without_copy_suffix("a/train_2M_CN_sample.json"), without_copy_suffix("tieba (1).dialogues")
    ('a/train_2m_cn.json', 'tieba.dialogues')
    >>> without_copy_suffix("tieba2.csv")
    'tieba2.csv'
    """
    path = PurePosixPath(name.lower())
    match = re.fullmatch(rf"(.+?){_COPY_SUFFIXES.pattern}", path.stem)
    return str(path.with_name(match[1] + path.suffix)) if match else name


def converted_source(name: str, sources: Iterable[str]) -> str | None:
    """Return the source that a `.tsv` file was converted from, by its name.

    >>> converted_source("old/douban_single_turn.tsv", ["douban", "ptt"]), converted_source("tieba2.tsv", ["tieba"])
    ('douban', None)
    """
    base = PurePosixPath(name).name.lower()
    return next((source for source in sources if re.fullmatch(re.escape(source) + _CONVERTED, base)), None)


def intended_source(name: str, sources: Mapping[str, Source], *, by_folder: bool) -> str | None:
    """Return the source with a pattern that a name would match if it had a different ending.

    A pattern that is only a folder and an ending, such as `qingyun*/*.csv`, is used only if `by_folder`, because a
    folder may hold any file.
    """
    path = PurePosixPath(name.lower())
    for source in sources.values():
        for input_ in source.inputs:
            for pattern in input_.files:
                pattern_path = PurePosixPath(pattern.lower())
                any_ending = pattern_path.with_name(f"{pattern_path.stem}.*")
                if (by_folder or pattern_path.stem != "*") and path.match(str(any_ending)):
                    return source.name
    return None


def mentioned_sources(name: str, sources: Iterable[str]) -> list[str]:
    """Return the sources with names that occur in the name of a file or of its folders.

    >>> mentioned_sources("raw/qingyun-11w/a.txt", ["qingyun", "ptt"]), mentioned_sources("pttx/a", ["ptt"])
    (['qingyun'], [])
    """
    return [source for source in sources if re.search(rf"(?<![a-z]){re.escape(source)}(?![a-z])", name.lower())]
