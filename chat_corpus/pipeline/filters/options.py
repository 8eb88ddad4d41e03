"""What a user can set of filters: which turns, pairs and dialogues are rejected, and what is masked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

#: What happens to personal data of one kind: it stays, becomes a placeholder, or its turn is rejected.
Handling = Literal["keep", "mask", "drop"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Least = Annotated[int, msgspec.Meta(ge=1)]
Most = Annotated[int, msgspec.Meta(ge=0)]

#: Kinds of links and personal data; each is an option, a filter and a reason.
KINDS = ("url", "phone", "id", "qq", "wechat", "email")


#: The options of filters of pairs.
_OF_PAIRS = ("min_query_chars", "max_query_chars", "min_answer_chars", "max_answer_chars", "echo")


class WordList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of words. Results depend on its SHA-256, not on its path; it is filled in when settings are loaded."""

    path: str
    sha256: str = ""


class FilterOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which turns, pairs and dialogues are rejected, each with a reason, a count and a line of rejects."""

    #: Reject a turn when more than this share of its characters is U+FFFD, the mark of a lost character.
    max_damaged: Share = 0.25
    #: Reject a turn with fewer characters than this.
    min_chars: Least = 1
    #: Reject a turn with more characters than this; 0 for no limit.
    max_chars: Most = 0
    #: Reject a turn when less than this share of its letters and digits is Han; 0 for no limit. Turns without letters
    #: and digits pass.
    min_han: Share = 0.0
    #: Reject a turn without any letter or digit, such as `……` or `^_^`.
    no_symbols: bool = False
    #: Reject a turn that is one mark alone or several of it, such as `■` or `，`. Question and exclamation marks,
    #: ellipses (`。。。` too), tildes and emoji are answers: they pass.
    no_marks: bool = False
    #: Turns with a link, `http://…` or `www.…`: keep, mask (`<LINK>`), or drop the turn.
    url: Handling = "keep"
    #: Turns with a mobile number of mainland China: keep, mask (`<PHONE>`), or drop the turn.
    phone: Handling = "keep"
    #: Turns with an identity number of mainland China: keep, mask (`<ID>`), or drop the turn.
    id: Handling = "keep"
    #: Turns with a QQ number, by the word before it: keep, mask (`<QQ>`), or drop the turn.
    qq: Handling = "keep"
    #: Turns with a WeChat name, by the word before it: keep, mask (`<WECHAT>`), or drop the turn.
    wechat: Handling = "keep"
    #: Turns with an e-mail address: keep, mask (`<EMAIL>`), or drop the turn.
    email: Handling = "keep"
    #: Reject a turn of 12 or more characters when more than this share of its sequences of four characters occurred
    #: before in the turn; 1 for no limit.
    max_repetition: Share = 1.0
    #: Reject a turn that contains a word of these files. A line is a word; after `re:` it is a regular expression,
    #: after `#` a comment. A Latin word matches only as a whole word, also between Han; case does not count.
    deny: tuple[WordList, ...] = ()
    #: Files of words, as for deny: a word of a deny list does not count inside a word of these.
    allow: tuple[WordList, ...] = ()
    #: Reject the turns of a dialogue with fewer turns than this. Alternative answers to one turn count once.
    min_turns: Least = 1
    #: Reject the turns of a dialogue with more turns than this; 0 for no limit.
    max_turns: Most = 0
    #: Leave out a pair if its query has fewer characters than this.
    min_query_chars: Least = 1
    #: Leave out a pair if its query has more characters than this; 0 for no limit.
    max_query_chars: Most = 0
    #: Leave out a pair if its answer has fewer characters than this.
    min_answer_chars: Least = 1
    #: Leave out a pair if its answer has more characters than this; 0 for no limit.
    max_answer_chars: Most = 0
    #: Leave out a pair if its answer repeats its query. exact: the same text; loose: the same but for case,
    #: punctuation and blanks; keep: none.
    echo: Literal["keep", "exact", "loose"] = "keep"
    #: Filters of plugins by name: false switches one off, true or a value, which the filter reads, switches it on.
    #: Without an entry, filters of `--plugin` are on, and those of installed packages are off.
    custom: Mapping[str, bool | int | float | str] = {}

    def __post_init__(self) -> None:
        for unit, result in (
            ("chars", "turn is used"), ("turns", "dialogue is used"), ("query_chars", "pair is written"),
            ("answer_chars", "pair is written"),
        ):  # fmt: skip
            least, most = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
            if 0 < most < least:
                raise ValueError(f"max_{unit} {most} is less than min_{unit} {least}: no {result}")

    @property
    def masking(self) -> FilterOptions:
        """The options that decide what is masked; those of a run that masks nothing are the defaults."""
        kinds = {kind: getattr(self, kind) for kind in KINDS}
        return FilterOptions(**kinds) if "mask" in kinds.values() else FilterOptions()

    @property
    def without_pairs(self) -> FilterOptions:
        """The options without filters of pairs; those of plugins stay."""
        default = FilterOptions()
        return replace(self, **{name: getattr(default, name) for name in _OF_PAIRS})

    @property
    def without_paths(self) -> FilterOptions:
        """The options with word lists by name and content, wherever they are."""
        if not (self.deny or self.allow):
            return self
        deny, allow = (
            tuple(replace(item, path=PurePath(item.path).name) for item in lists) for lists in (self.deny, self.allow)
        )
        return replace(self, deny=deny, allow=allow)

    def kinds(self, handling: Handling) -> tuple[str, ...]:
        """The kinds of personal data that are handled in one way."""
        return tuple(kind for kind in KINDS if getattr(self, kind) == handling)


#: A value for each filter that is off by default, for a look at what it would reject.
TRIAL = FilterOptions(
    min_chars=2,
    max_chars=200,
    min_han=0.3,
    no_symbols=True,
    no_marks=True,
    **dict.fromkeys(KINDS, "drop"),  # type: ignore[arg-type]
    max_repetition=0.7,
    min_turns=2,
    max_turns=50,
    min_query_chars=2,
    max_query_chars=100,
    min_answer_chars=2,
    max_answer_chars=100,
    echo="loose",
)


def with_trial(options: FilterOptions) -> FilterOptions:
    """The options, with the values of `TRIAL` for filters that they leave off."""
    default = FilterOptions()
    names = [name for name in options.__struct_fields__ if name not in ("deny", "allow", "custom")]
    off = {name: getattr(TRIAL, name) for name in names if getattr(options, name) == getattr(default, name)}
    pairs = (("min_chars", "max_chars"), ("min_turns", "max_turns"), ("min_query_chars", "max_query_chars"),
             ("min_answer_chars", "max_answer_chars"))  # fmt: skip
    for least, most in pairs:  # a limit of the user's may be beyond that of the trial
        if 0 < off.get(most, 0) < getattr(options, least):
            del off[most]
        if off.get(least, 0) > getattr(options, most) > 0:
            del off[least]
    return replace(options, **off)
