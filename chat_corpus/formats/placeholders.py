"""What messengers write in place of text: placeholders of media, notices of the program, and types of messages.

The texts are those of WeChat, QQ, LINE, WhatsApp and their export tools (WeChatMsg, PyWxDump, WeFlow), in simplified
and traditional Chinese and in English. All patterns are for Python and for Polars.
"""

from __future__ import annotations

import polars as pl

#: Kinds of media, as types of messages and inside of brackets.
_MEDIA = (
    r"(?i:(?:(?:分享|卡片式|动画|動畫|自定义|(?:合并|合併)(?:转发|轉發)的?)?"
    r"(?:图片|圖片|照片|相片|相簿|语音|語音|音频|音訊|视频号?|視頻|影片|表情包?|贴图|貼圖|文件|檔案|链接|鏈接|连结|連結"
    r"|位置|定位|名片|联系人|聯絡資訊|红包|紅包|转账|轉帳|小程序|聊天记录|聊天記錄|音乐|音樂|卡片|记事本|記事本)"
    r"(?:消息|訊息|分享|共享|链接|与音频)?"
    r"|(?:语音|語音|视频|視頻|視訊|音视频)(?:通话|通話|聊天)"
    r"|(?:animated )?(?:image|photo|picture|voice|audio|video|sticker|emoji|gif|file|document|attachment|link|location"
    r"|contact|album|music|mini ?program|red ?packet|transfer|(?:voice |video |audio )?call)(?:[ _]?message)?))"
)
_QUOTED = '["“”「『][^"“”」』\\n]{1,60}["“”」』]'
#: A user in a notice: a quoted name, a word for a partner, or a short name without the words of a question.
_WHO = rf"(?:你|您|我|对方|對方|{_QUOTED}|[^\s\"“”「」，。！？,.?!:：你我他她谁誰怎刚剛]{{1,20}}?)"
#: Notices of the program inside of a chat: a recalled message, a nudge, a red packet, a new member.
NOTICE = (
    rf"(?:{_WHO} ?(?:已(?:撤回|收回)了?|(?:撤回|收回)了)(?:一[条條则則])?(?:成员|成員)?(?:消息|訊息|讯息)"
    r"(?: ?重新编辑)?"
    rf"|(?:{_QUOTED}|[^\s,.?!:]{{1,20}}(?: [^\s,.?!:]{{1,20}}){{0,2}}) (?:has )?(?:recalled|unsent|retracted) a message"
    rf"|{_QUOTED} ?拍了拍(?:我|你|自己| ?{_QUOTED}).{{0,20}}|(?:你|我) ?拍了拍 ?{_QUOTED}.{{0,20}}"
    rf"|(?:你|{_QUOTED}) ?(?:领取|領取)了(?:你|{_QUOTED}) ?的(?:红包|紅包)"
    rf"|(?:你|{_QUOTED}) ?(?:邀请|邀請|通过|通過).{{1,80}}加入了?(?:群聊|群組|群组))[。.]?"
)
#: Lines that take the place of media, of a deleted message or of a recalled one, and other notices.
MEDIA = (
    r"^[\u200e ]*(?:<(?:Media omitted|媒体已省略|(?:省略|略過)[^<>]{2,10}|[^<>]{0,40}omitted)>"
    r"|<(?:attached|附件|已附加)[:：] ?[^<>]{1,100}>|[^\s<>]{1,100} \((?:file attached|文件附件|檔案已附加|附件)\)"
    r"|(?:image|video|audio|sticker|GIF|document|Contact card) omitted"
    r"|(?:图片|圖片|视频|影片|语音|音訊|表情|贴图|貼圖|文件|檔案|GIF)(?:已省略|已忽略|已略過|未显示)"
    r"|(?:此消息已删除|此訊息已刪除|已刪除此訊息|您删除了此消息|您已刪除此訊息|This message was deleted)[。.]?"
    rf"|(?:\[|【){_MEDIA}(?:\]|】)|{NOTICE}"
    r")[ \t]*$"
)
#: Speakers that are the program.
PROGRAM = (
    r"^(?i:(?:系统|系統)(?:消息|訊息|讯息|提示|通知)|system (?:message|notification)s?)"
    r"(?:[(（<][0-9A-Za-z_@.]{1,40}[)）>])?$"
    rf"|^{NOTICE}$"
)
#: Types of messages that are notices of the program: words of many programs.
NOTICE_TYPE = (
    r"(?i:service|sys|system(?:[ _-]?\w+)?|(?:系统|系統)\w*|通知|提示|撤回\w*|拍一拍\w*|notice|notification"
    r"|recall\w*|revoke\w*|channel_\w+|Guild\w+|Recipient\w+|Call|Channel\w+Change|ChannelPinnedMessage|ThreadCreated)"
)
#: Types of messages that are media.
MEDIA_TYPE = _MEDIA
#: WeChat's numbers for notices, and for all types but text (1) and notices. Spreadsheets write them with `.0`.
NOTICE_NUMBER, MEDIA_NUMBER = r"100\d\d(?:\.0)?", r"(?:[02-9]|-?\d\d+)(?:\.0)?"


def of_type(kind: pl.Expr, words: str, number: str = "") -> pl.Expr:
    """Return an expression that is true where a type is one of the words, or the number if it is given.

    >>> frame = pl.DataFrame({"kind": ["图片消息", "文本", "3", None]})
    >>> frame.select(of_type(pl.col("kind"), MEDIA_TYPE, MEDIA_NUMBER)).to_series().to_list()
    [True, False, True, False]
    """
    pattern = f"{words}|{number}" if number else words
    return kind.str.contains(rf"^\s*(?:{pattern})\s*$").fill_null(value=False)
