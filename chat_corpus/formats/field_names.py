"""Names of fields in data sets: of questions, answers and whole conversations.

One list serves JSON keys and the headers of tables. The names are those of Alpaca (Stanford), ShareGPT, OpenAI's chat
messages, ms-swift, LLaMA-Factory, STC, and the Chinese question and answer files that circulate.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Additional text of a prompt, appended to it on a new line. Without a prompt, this text is the prompt.
INPUT = "input"
PROMPTS = _words(
    "instruction prompt query question questions ques q ask post request source_text human user "
    "问 问题 提问 问句 問 問題 提問 用户 用户问题 用户输入 指令 输入"
)
ANSWERS = _words(
    "output response answer answers ans a reply target completion std_answer standard_answer comment target_text "
    "cmnt assistant bot gpt 答 答案 回答 回复 答复 答句 回覆 標準答案 标准答案 机器人回复 输出"
)
#: Names of the question if there is no field with a name in `PROMPTS` or `INPUT`.
SECOND_PROMPTS = _words("context title text content message utterance sentence subject src 标题 標題 内容 上文 上句")
#: Names of the turns before the question.
HISTORIES = _words("history histories chat_history dialog_history dialogue_history 历史 历史对话 对话历史")
INSTANCES = "instances"
CONVERSATIONS = _words(
    "conversations conversation messages message dialog dialogs dialogue dialogues chat turns utterances data"
)
#: Names of the role and the text of a message.
ROLES = _words("from role speaker")
TEXTS = _words("value content text utterance")
#: Fields that are not turns: numbers and names of records, origins, labels, scores, and the system prompt. "name" is
#: the title of a seed task.
NO_TURN = _words(
    "id _id idx uid uuid guid index no num number row row_number rownum key conversation_id conversations_id "
    "dialog_id dialogue_id message_id question_id prompt_id session_id user_id post_id thread_id parent_id hash md5 "
    "sha256 source sources src origin dataset dataset_name data_source corpus class classes category categories "
    "cate subcategory type task task_type task_name subset split domain topic topics tag tags label labels intent "
    "language lang locale script level difficulty score scores rating reward quality weight length len tokens "
    "num_turns turn_num count is_classification kind model model_name engine generator author created created_at "
    "updated_at date time timestamp year url link href path file filename licence license version name system "
    "system_prompt meta metadata loss "
    "编号 序号 类别 分类 来源 标签 类型 時間 时间 日期 链接"
)
#: Names of the column of row numbers that data-frame libraries and spreadsheets put first.
_ROW_NUMBERS = frozenset(["", "unnamed: 0", "unnamed:0", "#", "index", "level_0", "__index_level_0__"])
#: Pairs of names that mean question and answer only if they occur together, in this order.
_TOGETHER = frozenset(
    tuple(pair.split("/"))
    for pair in _words(
        "x/y src/tgt source/target in/out human/ai user/ai user/system user/agent customer/agent s1/s2 "
        "上句/下句 上文/下文 用户/机器人 客户/客服 用户/客服 顾客/客服 問/答"
    )
)
#: Names with numbers: sentence1, sentence2.
_COUNTED = re.compile(
    r"(sentence|sent|text|turn|utt|utterance|col|column|field|question|query|dialog|dialogue|line|句子|对话|文本|列)"
    r"[ _-]?(\d)"
)
#: Suffixes without meaning: question_text, 问题内容, answer (str).
_AFFIX = re.compile(r"(?<=.)(?:\s*\(.*\)|[\s_-]+(?:text|content|string)|内容|文本|文字|列)$")


@lru_cache(maxsize=1 << 12)
def normal(name: str) -> str:
    r"""Return a name for comparison: without quotes, outer blanks, invisible characters, case and width.

    >>> normal('\ufeff"Ｑuestion " '), normal(" 问题")
    ('question', '问题')
    """
    seen = "".join(character for character in name if unicodedata.category(character) != "Cf")
    plain = unicodedata.normalize("NFKC", seen)
    return plain.strip().strip("\"'“”‘’`").strip().casefold()


def is_row_number(name: str) -> bool:
    """Return whether a column with this name has row numbers."""
    return normal(name) in _ROW_NUMBERS


def columns(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the indices of question and answer in the header of a table; None if the names do not show them.

    >>> columns(["", "answer", "question"]), columns(["id", "tgt", "src"]), columns(["标题", "回复"])
    ((2, 1), (2, 1), (0, 1))
    >>> columns(["question", "question"]), columns(["早安", "早"]), columns(["title", "text"])
    (None, None, None)
    """
    plain = [normal(name) for name in names]
    complete = PROMPTS | ANSWERS | {INPUT} | NO_TURN
    bare = [name if name in complete else _AFFIX.sub("", name) for name in plain]
    prompts = [index for index, name in enumerate(bare) if name in PROMPTS]
    answers = [index for index, name in enumerate(bare) if name in ANSWERS]
    for others in (frozenset({INPUT}), SECOND_PROMPTS):
        if not prompts:
            prompts = [index for index, name in enumerate(bare) if name in others]
    if len(prompts) == 1 and len(answers) == 1:
        return prompts[0], answers[0]
    for skipped in (frozenset[str](), NO_TURN - {name for pair in _TOGETHER for name in pair}):
        indices = [index for index, name in enumerate(plain) if not is_row_number(name) and name not in skipped]
        if len(indices) == len(("question", "answer")):
            first, second = indices
            if _are_pair(plain[first], plain[second]):
                return first, second
            if _are_pair(plain[second], plain[first]):
                return second, first
    return None


def _are_pair(question: str, answer: str) -> bool:
    """Return whether two names together mean a question and its answer."""
    first, second = _COUNTED.fullmatch(question), _COUNTED.fullmatch(answer)
    counted = first is not None and second is not None and first[1] == second[1] and int(first[2]) + 1 == int(second[2])
    # Data-frame libraries name columns without names "0" and "1".
    return counted or (question, answer) in _TOGETHER or (question, answer) == ("0", "1")
