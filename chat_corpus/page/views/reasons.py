"""The meaning of each reason for which a record, turn or pair is missing from an output."""

from __future__ import annotations

from chat_corpus.messages import Message, message
from chat_corpus.schema import Reason

REASONS: dict[str, Message] = {
    Reason.ENCODING: message("bytes that are not text in the encoding of the file"),
    Reason.LAYOUT: message("a record in a layout that differs from that of the file"),
    Reason.FIELDS: message("too many or too few fields"),
    Reason.EMPTY: message("a turn without text"),
    Reason.NO_ANSWER: message("the text that the source uses where there is no answer"),
    Reason.NEGATIVE: message("a random response that the source labels as wrong"),
    Reason.UNPAIRED: message("a line without counterpart in the parallel file"),
    Reason.DAMAGED: message("too many replacement characters"),
    Reason.LENGTH: message("shorter or longer than the settings allow"),
    Reason.LITTLE_HAN: message("too few of its letters and digits are Han"),
    Reason.SYMBOLS: message("no letter and no digit"),
    Reason.MARK: message("one mark alone"),
    Reason.URL: message("holds a link"),
    Reason.PHONE: message("holds a mobile number"),
    Reason.ID: message("holds an identity number"),
    Reason.QQ: message("holds a QQ number"),
    Reason.WECHAT: message("holds a WeChat name"),
    Reason.EMAIL: message("holds an e-mail address"),
    Reason.REPETITION: message("the turn repeats itself"),
    Reason.DENIED: message("holds a word of a deny list"),
    Reason.TURNS: message("its dialogue has too few or too many turns"),
    Reason.PAIR_LENGTH: message("the query or the answer is shorter or longer than the settings allow"),
    Reason.PAIR_ECHO: message("the answer repeats the query"),
    Reason.DUPLICATE: message("the same pair is earlier in the output"),
    Reason.DUPLICATE_DIALOGUE: message("a pair of a dialogue that repeats an earlier one"),
    Reason.NEAR_DUPLICATE: message("query and answer resemble those of an earlier pair"),
    Reason.ANSWERS_PER_QUERY: message("more pairs with this query than the settings allow"),
    Reason.QUERIES_PER_ANSWER: message("more pairs with this answer than the settings allow"),
    Reason.UNRELATED: message("query and answer are less related than the settings allow"),
}
