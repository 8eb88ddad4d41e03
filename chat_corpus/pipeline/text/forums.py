"""Text that forum software adds to a post: the user it replies to, and the device or client it was sent from."""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.options import Policy, TextOptions
from chat_corpus.schema import Traits

_NAME = r"[^\s:：<>]{1,20}"
_REPLY = "回[复復覆]"
_SIGN = "(?: @?|@)"
# Characters before 回复 that show that the author wrote it: 我回复, 请回复, 怎么回复. Before a marker that the software
# writes there is nothing, or the end of another post.
_OWN = "我你您他她它们请可能会要想不没来再接敢就都也去给的已未快如何等先后谁人家主"
# Words that are not a user name, though they may come between 回复 and a colon.
_NO_NAME = (
    "如下|内容|时间|日期|说道?|称|曰|道|人|者|率|数量?|量|速度|格式|方式|对象|地址|邮箱|数字|一下|[我你他她]|姓名|电话"
    "|手机号?|微信|暗号|口令|密码|关键[字词]"
)
# With a space before its colon, the marker has the full form that the software writes, and the name may consist of
# several parts: 小 明, 3楼 小明, David Smith, 小明:D.
_LATIN = "[A-Za-z0-9_]{1,20}"
_NAME_IN_PARTS = (
    rf"(?:\d{{1,5}}楼 {_NAME}|[^\s:：<>](?: [^\s:：<>]){{1,9}}|{_LATIN}(?: {_LATIN}){{1,2}}|{_NAME}(?::[DPpOo()3])?)"
)
_WHOLE = rf"{_SIGN}(?!(?:{_NO_NAME}) ：){_NAME_IN_PARTS} ：(?![)）]) ?"
# Without that space, the colon may begin a smiley or a URL.
_ADDRESSED = rf"{_SIGN}(?!(?:{_NO_NAME}|\d{{1,3}}) ?[：:]){_NAME} ?[：:](?![)）]|//|[DPpOo](?!\w)) ?"
# Without a colon, `回复 name ` is removed only if the name is almost certainly a nickname: 回复 老师 的问题 is a
# sentence. A nickname of Han has three to seven characters (Baidu allowed at most seven), none of them a function word.
_GRAMMAR = (
    "的了是在我你您他她它们这那哪不没很太就都也还要会能可请谢怎什为吧啊呢吗么嘛和与或跟被把让给得着过每个几各某全所有"
    "多少第上下前后里外中内已将从到对于以及其此该再又才"
)
# Words that often follow 回复 (reply), or 恢复 (restore), for which many authors write 回复. No nickname contains one.
_WORDS = (
    "[帖贴楼層层]|版主|吧主|老师|同学|朋友|先生|小姐|女士|同志|领导|部门|人员|员工|客服|公司|政府|媒体|记者|读者|网友|粉丝|用户|客户|顾客"
    "|观众|听众|群众|消费|会员|专家|医生|警察|作者|评论|留言|信息|消息|短信|邮件|邮箱|私信|来信|微信|微博|公众|问题|疑问|内容|关键|密码"
    "|口令|暗号|答案|意见|建议|申请|投诉|需求|要求|支持|加分|奖励|积分|经验|签到|升级|灌水|等级|抽奖|红包|下载|资源|链接|种子|文件|图片"
    "|照片|视频|资料|功能|按钮|时间|速度|次数|数[字量据目]|超过|满|大于|达到|以上|方式|格式|热门|精品|推荐|私聊|如图|晚点|及时|迅速|正常|健康"
    "|原[状样价先本]|出厂|默认|设置|系统|模式|版本|状态|数据|备份|账[号户]|帐[号户]|权限|注册|身份|职[位务]|网络|信号|通[话信电车]|供[电水暖]|交通"
    "|秩序|生产|营业|工作|上班|上课|更新|青春|活力|弹性|体[力重型]|精[力神]|元气|视力|听力|记忆|身[材体]|皮肤|肌肤|容颜|名[誉声]|荣[光誉]|辉煌|自由"
    "|单身|关系|信心|自信|平静|平[时常]|和平|生命|生活|血量|伤[势口]|功[力能]|状况|正[面式]|全部|所有|大家|各位|谢谢|感谢|抱歉|一下|完毕|收藏|转发"
    "|手机|电脑|版(?= )|[0-9一二三四五六七八九十百千万几半两][元块折次天月年号]|主任|经理|老板|医院|爸|妈"
    "|奶奶|爷爷|哥哥|姐姐|弟弟|妹妹|老公|老婆|女友|男友|同事|邻居|房东|卖家|买家|店家|商家|司机|护士|教练"
    "|校长|班长|教授|导师|小编|博主|主播|群主|管理|机器人|力(?= )"
)
_LATIN_WORDS = (
    "windows|win\\d|iphone|ipad|ios|mac|android|app|pdf|txt|qq|vip|wifi|bug|e?mail|excel|word|photoshop|password|download"
    "|instagram|facebook|youtube|twitter|google|javascript|python|java|thank|please|hello|happy|admin|number|message|http|www"
)
_HAN = "[\u4e00-\u9fff]"
_NICKNAME = (
    rf"(?!\S*(?:{_WORDS}))(?!(?i:\S*(?:{_LATIN_WORDS})))(?:(?:(?![{_GRAMMAR}]){_HAN}){{3,7}}(?= )"
    # Names with an ornament or underscore, letters with digits, long Latin words, Han with digits, long numbers, and
    # Latin with Han.
    rf"|(?=\S*[_丶灬丨丿乀卍])[\w·-]{{4,14}}(?= )|(?=\S*[a-z])(?=\S*[0-9])[A-Za-z0-9-]{{5,20}}(?= )"
    rf"|(?=\S*[a-z])[A-Za-z]{{8,20}}(?= )|{_HAN}{{2,5}}[0-9]{{3,10}}(?= )|[0-9]{{6,14}}(?= )"
    rf"|(?=\S{{0,12}}[A-Za-z]{{3}})(?=\S{{0,12}}{_HAN})[A-Za-z0-9\u4E00-\u9FFF]{{5,14}}(?= ))"
)
# Text after the name that shows it is not a name: the rest of a sentence about it (的, 怎么办), or what one gets for
# sending it as a keyword (领, 送).
_SAID = (
    "[的了很说就是太也都才吗呢啊吧着过得地之后时里上中内送领获给让被把将会能要可请有需即在到已以获查退下]"
    "|怎么[弄办样做用设搞操回]|怎样|如何|多[少久]|看(?!来)|真[快慢]|难|晚"
)
_THEN = "(?:即可|就[能可会行送]|[可能]以?[获领看得下]|可以|获取|获得|领[取走]|查看|查询|退订|下载|送|有奖)"
_NAMED = rf"(?:(?: @|@){_NAME} (?!{_THEN})| {_NICKNAME} (?!{_SAID}))(?=[^\s:：])"
_AT_THE_START = lazy(rf"(?:{_REPLY}(?:{_WHOLE}|{_ADDRESSED}|{_NAMED}))+")
# The pattern begins with the literal 回, which is fast to search for. So the lookbehind for _OWN comes after 回复 and
# spans it.
_IN_MID_TURN = lazy(
    rf"{_REPLY}(?:{_WHOLE}|(?<![{_OWN}]回.)(?<![{_OWN}] 回.){_ADDRESSED})(?:{_REPLY}(?:{_WHOLE}|{_ADDRESSED}))*"
)

# Operating systems and devices in the names of clients.
_SYSTEM = (
    "(?:安卓|Android|iPhone|iPad|iOS|苹果|Windows(?: ?Phone)? ?(?:7|8(?:\\.1)?|10)?|WP ?(?:7|8|10)?|塞班|Symbian|"
    "S60|Java|BlackBerry|黑莓|手机|电脑|PC|平板|触屏版?)"
)
_FORUM = "(?:手机|掌上|百度|爱|i|wap) ?贴吧"
_CLIENT = rf"(?:(?:(?:{_FORUM}|贴吧)? ?(?:{_SYSTEM}版? ?)?客户端)|{_FORUM}|(?:掌上|手机) ?百度)"
# Product series in the names of devices: Note 2, 5s Plus, 青春版. The name of a maker must have a digit or a series
# after it: the maker alone is a company, and 来自华为 may be part of a sentence.
_SERIES = (
    "(?:手机|平板|畅玩|畅享|青春|旗舰|标准|大神|盖世|锋尚|麦芒|乐檬|蝴蝶|渴望|红辣椒|青葱|炫影|星星"
    "|(?<![A-Za-z])(?:Note|Max|Mate|Plus|Pro|SE|mini|Air|One|Desire|Sensation|Butterfly|Find|Reno|Xplay"
    "|Xshot|NEX|MIX|Play|Nova|Ascend|Magic|Xperia|Galaxy|Nexus|Lumia|Optimus|Vibe|Lite|Ultra|Edge"
    "|Fold|Flip|Grand|Ace|Pad|Tab)(?![A-Za-z]))"
)
_MODEL = (
    rf"(?:[ A-Za-z+＋._/\-]{{0,12}}(?:[0-9]|{_SERIES})"
    rf"(?:[ A-Za-z0-9+＋._/\-]|手机|平板|[联移电][通动信]|全网通|{_SERIES}|版){{0,20}})"
)
_DEVICE = (
    rf"(?:(?:iPhone|iPad|iPod|Lumia|Android|安卓|BlackBerry|黑莓|Galaxy|Nexus|Xperia|Windows ?Phone|WP[78]){_MODEL}?"
    "|(?:诺基亚|小米|红米|华为|荣耀|三星|索尼|联想|酷派|中兴|努比亚|一加|锤子|坚果|乐视|金立|步步高|魅族|魅蓝|摩托罗拉|"
    "天语|海信|华硕|苹果|美图|朵唯|夏新|奇酷|优米|欧新|波导|康佳|长虹|海尔|创维|小辣椒|青橙|纽曼|宏碁|夏普|神舟|"
    "昂达|台电|酷比魔方|黑鲨|多普达|360|HTC|OPPO|vivo|LG|HUAWEI|Xiaomi|Redmi|Honor|Meizu|ZTE|Samsung|Sony|Lenovo|Coolpad|"
    "OnePlus|Smartisan|Gionee|Nubia|Moto(?:rola)?|Nokia|MI |realme|iQOO|Pixel|ZUK|TCL|Hisense|K-?Touch|Surface|Meitu|"
    rf"Doov|Amoi|Konka|Haier|ASUS|Acer|Sharp|Philips|ivvi|LeEco|Letv|Alcatel){_MODEL}"
    # Model codes that identify the maker without its name: Samsung, Motorola and Huawei.
    "|(?-i:(?:SM|GT|SCH|SGH|SHV)-[A-Z]{0,3}[0-9]{3,5}[A-Z]{0,2}|XT[0-9]{3,4}"
    "|[A-Z]{3}-(?:AL|TL|UL|CL|NX|L)[0-9]{1,3}))"
)
_DASH = "[-—–―─━－]"
_SAYS = "(?:来自|发自)[:：]? ?"
# Custom text that users let the client write before the name of their device.
_OWNER = r"[^\s,，。!！?？;；:：、《》<>“”\x22「」『』()（）【】…—\-]{0,20}"
# Any other client except one of a news outlet (新闻客户端, 日报客户端), which may be the source of a quotation.
_ANY_CLIENT = r"[A-Za-z0-9.\u4E00-\u9FFF]{0,12}[^闻报讯视\s] ?客户端"
_SIGNATURE = (
    rf"(?:{_DASH}+ ?{_SAYS}(?:{_CLIENT}|{_ANY_CLIENT}|{_OWNER} ?{_DEVICE})|{_DASH}{{2,}} ?{_SAYS}"
    rf"|[(（\[【]?(?:本[帖贴])?{_SAYS}{_CLIENT}[)）\]】]?|发自[:：]? ?(?:我的)? ?{_DEVICE}|sent from my {_DEVICE})"
)
# A signature begins the line, or follows a space or the end of a sentence. Two forms may follow any text: one after
# hyphens, which Chinese authors do not write as a dash, and one after dashes if 来自 comes before a client, or before a
# space and a device.
_SIGNED = lazy(
    rf"(?:(?<![ \u3000])[ \u3000]+|(^|[。！？!?…~～.)）」』”])){_SIGNATURE}(?: *{_SIGNATURE})* *$"
    rf"|(?<!-)--+ ?{_SAYS}(?:{_CLIENT}|[\w]{{0,8}}贴吧 ?客户端|{_DEVICE}) *$"
    rf"|(?<!{_DASH}){_DASH}{{2,}}(?:{_SAYS}{_CLIENT}|[来发]自[:：]? {_DEVICE}) *$",
    re.IGNORECASE | re.MULTILINE,
)
# A cheap check before _SIGNED: most sentences with 来自 do not have it so close to the end of a line.
_AT_THE_END = lazy(r"(?:来自|发自|[Ss][Ee][Nn][Tt] [Ff][Rr][Oo][Mm] [Mm][Yy])[^\n]{0,64}$", re.MULTILINE)

# Characters of a signature that may come before 来自.
_BEFORE = " \u3000-—–―─━－([（【本帖贴"

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {"replies": "回[复復覆][ @]", "signatures": r"[来发]自|(?-u:(?i:ent from my))"}
#: Signs: every such text has at least one of the signs of the step.
SIGNS = {
    "replies": (Sign(characters="回", then="复復覆"),),
    "signatures": (Sign(characters="来发", then="自"), Sign(characters="Mm", then="Yy")),
}


def reply_parts(options: TextOptions, _traits: Traits) -> tuple[Part, ...]:
    """Return `strip_replies`, with placeholders if the options say so."""
    placeholder = options.replies is Policy.PLACEHOLDER
    return ((GATES["replies"], partial(strip_replies, placeholder=placeholder)),)


def signature_parts(options: TextOptions, _traits: Traits) -> tuple[Part, ...]:
    """Return `strip_signatures`, with placeholders if the options say so."""
    placeholder = options.signatures is Policy.PLACEHOLDER
    return ((GATES["signatures"], partial(strip_signatures, placeholder=placeholder)),)


def strip_replies(text: pl.Expr, *, placeholder: bool = False) -> pl.Expr:
    """Remove the `回复 name ：` that forum software writes, and `回复 name ` at the start of a post.

    The marker must have the space (or `@`) that the software writes after 回复, so 回复率：九成 stays. Inside a turn,
    where two posts were joined, a space replaces the marker: a line break would be one that nobody wrote. Without a
    colon, only a name that is clearly a nickname counts (小明2015). Sentences stay: 回复 老师 的问题, 我回复 他：好.
    With `placeholder` the name becomes `<USER>`.

    >>> pl.select(strip_replies(pl.lit("回复 小明 ：是吗回复 user01 :是的"))).item()
    '是吗 是的'
    >>> pl.select(strip_replies(pl.lit("回复 小明2015 别说了"))).item()
    '别说了'
    """

    def strip(post: str) -> str:
        start = _AT_THE_START().match(post)
        written = start[0] if start else ""
        sign = ("：" if written.rstrip().endswith((":", "：")) else " ") if written else ""
        begin = f"回复 <USER>{sign}" if placeholder and written else ""
        rest = post[len(written) :]
        parts, at = [], 0
        for marker in _IN_MID_TURN().finditer(rest):
            parts.append(rest[at : marker.start()].removesuffix(" "))
            at = marker.end()
        return begin + (" 回复 <USER>：" if placeholder else " ").join([*parts, rest[at:]])

    return text.map_elements(strip, return_dtype=pl.String)


def strip_signatures(text: pl.Expr, *, placeholder: bool = False) -> pl.Expr:
    """Remove the device or client that a post was sent from, at the end of a line: `——来自 小米 Note 2`.

    The signature must begin the line, or follow a space or the end of a sentence; forms that only clients write may
    follow any text. Without a dash, only the wording of clients counts (`来自手机贴吧`). Other text with 来自 stays:
    ——来自《红楼梦》, 最大的压力——来自华为. With `placeholder` the signature becomes `<CLIENT>`, separated by a space
    from an ASCII letter or digit before it.

    >>> pl.select(strip_signatures(pl.lit("说得在理 ——来自 小米 Note 2"))).item()
    '说得在理'
    """

    def left(signature: re.Match[str]) -> str:
        mark, before = signature[1] or "", signature.string[: signature.start()][-1:]
        glued = not mark and before.isascii() and before.isalnum()
        return f"{mark}{' ' * glued}<CLIENT>" if placeholder else mark

    def strip(post: str) -> str:
        if (found := _AT_THE_END().search(post)) is None:
            return post
        before = len(post[: found.start()].rstrip(_BEFORE)) - 1
        return post[: max(0, before)] + _SIGNED().sub(left, post[max(0, before) :])

    return text.map_elements(strip, return_dtype=pl.String)
