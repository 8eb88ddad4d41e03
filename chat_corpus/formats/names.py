"""What data sets call their fields: the names under which a question, an answer or a whole conversation is found.

One list serves JSON keys and the headers of tables. The names are those of Alpaca (Stanford), ShareGPT, OpenAI's chat
messages, ms-swift, LLaMA-Factory, STC, and the Chinese question and answer files that circulate.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Further text of a prompt, put after it on a line by itself; alone, it is the prompt.
INPUT = "input"
PROMPTS = _words(
    "instruction prompt query question questions q ask post request source_text human user "
    "问 问题 提问 问句 提问内容 問 問題 用户 用户问题 指令"
)
ANSWERS = _words(
    "output response answer answers a reply target completion std_answer standard_answer comment target_text "
    "assistant bot gpt 答 答案 回答 回复 答复 回答内容 答句 回覆 標準答案 标准答案 输出"
)
HISTORY = "history"
INSTANCES = "instances"
CONVERSATIONS = _words(
    "conversations conversation messages message dialog dialogs dialogue dialogues chat turns utterances data"
)
#: Who says a message, and what.
ROLES = _words("from role speaker")
TEXTS = _words("value content text utterance")
#: Fields of a record that hold no turn: numbers and names of records, origins, labels, measures, and the system prompt,
#: which nobody answers. "name" is the title of a seed task.
NO_TURN = _words(
    "id _id idx uid uuid guid index no num number row row_number rownum key conversation_id conversations_id "
    "dialog_id dialogue_id message_id question_id prompt_id session_id user_id post_id thread_id parent_id hash md5 "
    "sha256 source sources src origin dataset dataset_name data_source corpus class classes category categories "
    "cate subcategory type task task_type task_name subset split domain topic topics tag tags label labels intent "
    "language lang locale script level difficulty score scores rating reward quality weight length len tokens "
    "num_turns turn_num count is_classification model model_name engine generator author created created_at "
    "updated_at date time timestamp year url link href path file filename licence license version name system "
    "system_prompt meta metadata loss "
    "编号 序号 类别 分类 来源 标签 类型 時間 时间 日期 链接"
)
#: Names of a column of row numbers: what data-frame libraries and spreadsheets put first.
_ROW_NUMBERS = frozenset(["", "unnamed: 0", "unnamed:0", "#", "index", "level_0"])


@lru_cache(maxsize=1 << 12)
def normal(name: str) -> str:
    r"""A name as it is compared: without quotes, blanks around it, a byte order mark, case and width.

    >>> normal('\ufeff"Ｑuestion " '), normal(" 问题")
    ('question', '问题')
    """
    plain = unicodedata.normalize("NFKC", name.replace("\ufeff", ""))
    return plain.strip().strip("\"'“”‘’`").strip().casefold()


def is_row_number(name: str) -> bool:
    """Whether a column of this name holds the numbers of the rows."""
    return normal(name) in _ROW_NUMBERS


def columns(names: Sequence[str]) -> tuple[int, int] | None:
    """The places of the question and the answer in the header of a table; None if these are no such names.

    A Chinese name of one character alone, as 问, may be a turn.

    >>> columns(["", "answer", "question"]), columns(["question", "question"]), columns(["早安", "早"])
    ((2, 1), None, None)
    """
    plain = [normal(name) for name in names]
    plain = [name if name.isascii() or len(name) > 1 else "…" for name in plain]
    prompts = [place for place, name in enumerate(plain) if name in PROMPTS] or [
        place for place, name in enumerate(plain) if name == INPUT
    ]
    answers = [place for place, name in enumerate(plain) if name in ANSWERS]
    if len(prompts) == 1 and len(answers) == 1:
        return prompts[0], answers[0]
    # What a data-frame library writes of columns that have no names.
    numbered = plain[1:] if len(plain) > len(answers) + len(prompts) and is_row_number(names[0]) else plain
    return (len(plain) - 2, len(plain) - 1) if numbered == ["0", "1"] else None
