"""What a user can switch in the text steps: one field per step, in the order in which the steps run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec


class Policy(StrEnum):
    """What a step does with one kind of markup."""

    KEEP = "keep"
    REMOVE = "remove"
    PLACEHOLDER = "placeholder"


class RepostPolicy(StrEnum):
    """What the step `reposts` does with the older comments of a repost chain. They have no placeholder."""

    KEEP = "keep"
    REMOVE = "remove"


class MaxRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step that cuts runs of the same thing to at most `limit` of it."""

    #: Whether the step runs.
    enabled: bool = True
    #: The longest run that stays.
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3


class Templates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer templates of a QQ bot."""

    #: Whether the step runs: `{br}` and `【换行】` become line breaks, `{r+}` and `{r-}` go.
    enabled: bool = True
    #: Emoticons by number, `{face:51}`: keep, remove, or placeholder (`<FACE>`).
    faces: Policy = Policy.REMOVE


class TextOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which text steps run, and with what parameters. The defaults keep what an author wrote, not what a platform did.

    Structured sources (code, tables, Markdown) only get `mojibake`, `line_breaks`, `invisible`, `unicode_nfc`,
    `ideographs` and, at the ends of a turn, `whitespace`; of the rest only what they declare, `minus`,
    `emoji` and `bbcode`.
    """

    #: Repair turns that are provably UTF-8 read in a one-byte encoding: `ĺź\x80` is 开 again.
    mojibake: bool = True
    #: Decode HTML entities, twice-escaped ones too: `&amp;lt;` becomes `<`. Without its semicolon nothing is an entity.
    entities: bool = True
    #: CR LF and CR become LF; vertical tab, form feed, U+0085, U+2028 and U+2029 become a blank.
    line_breaks: bool = True
    #: A soft hyphen before a digit becomes a minus sign; only in sources where it was one. Others are `invisible`.
    minus: bool = True
    #: Private-use characters that were emoji on SoftBank's phones become those emoji; only in sources that have them,
    #: and in files in UTF-8 or UTF-16, since in others the same code points are something else.
    emoji: bool = True
    #: Drop what cannot be seen: control, zero-width, bidi, BOM, soft hyphen, private use. Emoji stay whole.
    invisible: bool = True
    #: Unicode normalization form C.
    unicode_nfc: bool = True
    #: Compatibility ideographs and CJK radicals become the unified character: ⻓ becomes 长.
    ideographs: bool = True
    #: Full-width Latin letters, digits and decimal points become ASCII: ＡＢＣ８．２５ becomes ABC8.25. Other
    #: punctuation stays full width.
    width: bool = True
    #: Answer templates of a QQ bot; only in sources that have them.
    templates: Templates = Templates()
    #: Remove ASS and SRT tags, `{\an8}`, and turn `\N` into a line break; only in subtitles.
    subtitle_tags: bool = True
    #: Remove HTML tags; `<br>` becomes a line break. Only names of HTML that format text: `<TIME>` and `<_<` stay.
    tags: bool = True
    #: Every kind of blank becomes a plain one, runs become one blank, and lines lose the blanks at their ends.
    whitespace: bool = True
    #: Undo word segmentation, in sources that are segmented by blanks or slashes.
    segmentation: bool = True
    #: Remove the tags of BBCode, `[b]`, `[url=…]`, `[mw_shl_code=…]`, and keep what is between them; only in sources
    #: that have it. Addresses of links and images stay, or become what `links` says.
    bbcode: bool = True
    #: Repost chains `//@name: …` of microblogs: keep, or remove all but the newest comment, which is the turn.
    reposts: RepostPolicy = RepostPolicy.REMOVE
    #: `回复 name ：` of forums, which the forum writes: keep, remove, or placeholder (`回复 <USER>：`).
    replies: Policy = Policy.REMOVE
    #: The device or client that a post of a forum was sent from, `——来自 小米 Note 2`, `来自手机贴吧`, which the client
    #: writes: keep, remove, or placeholder (`<CLIENT>`).
    signatures: Policy = Policy.REMOVE
    #: Links, `http://…`, and `_url_` in place of one: keep, remove, or placeholder (`<LINK>`).
    links: Policy = Policy.KEEP
    #: `alink`, which the microblog corpus has for a link: keep, remove, or placeholder (`<LINK>`).
    link_words: Policy = Policy.REMOVE
    #: Mentions `@name` in microblogs and forums: keep, remove, or placeholder (`<USER>`).
    mentions: Policy = Policy.KEEP
    #: Hashtags `#topic#` of microblogs: keep, remove, or placeholder (`<TOPIC>`).
    hashtags: Policy = Policy.KEEP
    #: Emoticons `[哈哈]` of microblogs: keep, remove, or placeholder (`<FACE>`).
    emoticons: Policy = Policy.KEEP
    #: Ellipses: at most `limit` of `…`, or three times as many full stops or middle dots.
    ellipses: MaxRun = MaxRun(limit=2)
    #: Dashes: at most `limit` of `—`, or twice as many hyphens.
    dashes: MaxRun = MaxRun(limit=2)
    #: Other punctuation, `！！！！！！`: at most `limit` of the same mark, or of the pair `？！`.
    punctuation: MaxRun = MaxRun(limit=3)
    #: Laughter and emphasis, 哈哈哈哈哈哈哈: at most `limit` of the same letter, emoji, symbol, `[emoticon]` or `ha`.
    #: Digits, codes (#DDDDDD, hashes) and addresses are left alone.
    max_repeats: MaxRun = MaxRun(limit=5)
    #: Make ASCII punctuation between Han full width: 好,走吧! becomes 好，走吧！
    han_punctuation: bool = False
