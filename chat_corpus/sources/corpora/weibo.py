"""Huawei Noah's short-text conversation corpus (STC): Weibo posts and their comments, word-segmented."""

from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.schema import Markup, Segmentation, Traits
from chat_corpus.sources.base import Input, Source, question_answer_inputs
from chat_corpus.sources.signature import SEGMENTED, Rate, Signature

#: Long lines without segmentation are documents.
_WORDS = (
    Rate(pattern=SEGMENTED, least=1),
    Rate(pattern="\t", most=0),
    Rate(pattern=r"^[\[{<]\S", most=0.05),
    Rate(pattern=r'^\s*"', most=0.05),
    Rate(pattern=r"^\S{6,}$", most=0.02),
)
#: Posts have topics and links, written `alink`; comments are segmented lines without such features.
_POSTS = Signature(rates=(*_WORDS, Rate(pattern=r"\balink\b", least=0.02), Rate(pattern=r"# [^#\n]+ #", least=0.01)))
_COMMENTS = Signature(rates=_WORDS, file_index=1, needs_partner=True)

SOURCE = Source(
    name="weibo",
    title="微博短文本对话 (STC)",
    url="https://arxiv.org/abs/1503.02364",
    licence="research use; see the origin",
    obtain="ask the authors of Shang et al. (ACL 2015), or take the archive that chinese_chatbot_corpus links to; "
    "unpack stc_weibo_train_post and stc_weibo_train_response into weibo-400w/",
    inputs=(
        Input(
            files=("stc_weibo_train_post", "stc_weibo_train_response"),
            format=PARALLEL,
            signatures=(_POSTS, _COMMENTS),
        ),
        Input(files=("stc_weibo_train_post.txt", "stc_weibo_train_response.txt"), format=PARALLEL, remade=True),
        *question_answer_inputs("STC*", many=True),
    ),
    traits=Traits(segmentation=Segmentation.BLANK, markup=frozenset({Markup.MICROBLOG, Markup.SOFTBANK})),
)
