"""Hints for unknown keys: the keys that the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import msgspec

from chat_corpus.messages import Message, joined, message
from chat_corpus.settings.yaml_lines import Key

#: Options of the command line without a key in settings files, spelled as keys.
OPTIONS_ONLY = frozenset(
    {
        "all", "check", "config", "dry_run", "exclude", "explain_conversion", "fail_over", "force", "fresh", "guard",
        "json", "lang", "log_json", "profile", "quiet", "sample", "source", "verbose",
    }
)  # fmt: skip
#: Options with a key of a different name.
_OPTIONS = {
    "add": "corpora",
    "keep_duplicates": "export.duplicates",
    "keep_personal": "export.personal",
    "layout": "corpora.NAME.layout",
    "no_page": "page",
}
#: Minimum similarity of a suggested name: `filter` and `filters` have 0.92, `language` and `page` 0.5.
_SIMILAR = 0.6


def meant(name: str) -> Message:
    """Return a question that suggests a name."""
    return message("did you mean '{name}'?", name=name)


def hint(name: str, siblings: Iterable[str], within: type[msgspec.Struct], under: Key, prefix: Key) -> Message:
    """Return a hint for the key `name`, which is not one of `siblings`, the keys of the section `under`.

    The hint is a key of the same name in any section of `within`, else an option of the command line, else a similar
    name, else all `siblings`. `prefix` is the key of `within`, empty for the whole settings.
    """
    siblings, spelled = list(siblings), name.replace("-", "_")
    keys = list(_keys(within, prefix))
    if same := [key for key in keys if key[-1] == spelled]:
        depth = min(map(len, same))
        names = [".".join(key) for key in same if len(key) == depth]
        return meant(names[0]) if len(names) == 1 else message("did you mean {names}?", names=joined(" or ", names))
    if not prefix and spelled in _OPTIONS:
        return meant(_OPTIONS[spelled])
    if spelled in OPTIONS_ONLY:
        option = spelled.replace("_", "-")
        return message("--{option} is an option of the command line, which no file can set", option=option)
    if similar := difflib.get_close_matches(spelled, siblings, n=1, cutoff=_SIMILAR):
        return meant(".".join((*under, *similar)))
    if similar := difflib.get_close_matches(spelled, [key[-1] for key in keys], n=1, cutoff=_SIMILAR):
        return meant(next(".".join(key) for key in keys if key[-1] == similar[0]))
    return message("the valid keys are: {keys}", keys=joined(", ", siblings))


def _keys(kind: type[msgspec.Struct], prefix: Key) -> Iterator[Key]:
    """Yield the full names of all keys of a struct and of the structs in it."""
    for field in msgspec.structs.fields(kind):
        yield (*prefix, field.name)
        if (section := section_of(field.type)) is not None:
            yield from _keys(section, (*prefix, field.name))


def section_of(kind: object) -> type[msgspec.Struct] | None:
    """Return the struct of a section of settings; None if the type is that of a value."""
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None
