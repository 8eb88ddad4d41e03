"""The words of the card of an export, in Chinese and English. Braces are filled in by `card`."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "# 中文对话语料 Chinese chat dialogues\n\n[中文](#中文) | [English](#english)\n\n"
END = "---\n\nchat-corpus {version}\n"
LICENCES = """\
# Licences and origins 许可证与来源

Each source keeps its own licence, here as its origin states it. 各语料保留各自的许可证，以下按其来源的说明列出。

"""
HF_READERS = "datasets, TRL, LLaMA-Factory, ms-swift, axolotl, pandas, polars, duckdb"


@dataclass(frozen=True, kw_only=True, slots=True)
class CardText:
    """The body of the card in one language, in the order of its sections; columns are the heads of its tables."""

    head: str
    units: dict[str, str]
    source_columns: tuple[str, ...]
    licence_note: str
    ledger: str
    ledger_columns: tuple[str, ...]
    mix: str
    mix_columns: tuple[str, ...]
    fields: str
    loading: str
    files: str
    file_columns: tuple[str, ...]
    upload: str


_LOADING = """\
TRL

```python
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("DIR")  # {one_source}: load_dataset("DIR", "{{source}}")


def split_answer(row):  # {train_on_answer}
    return {{{{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}}}}


data = data.map(split_answer, remove_columns=["messages", "source", "id"])
trainer = SFTTrainer(model="Qwen/Qwen3-0.6B", args=SFTConfig("out"), train_dataset=data["train"]{{trl_eval}})
trainer.train()
```

LLaMA-Factory

```yaml
dataset_dir: DIR
dataset: chat  # {one_source}: chat_{{source}}
{{llamafactory_eval}}```

ms-swift

```sh
swift sft --model Qwen/Qwen3-0.6B --dataset DIR  # {one_source}: DIR:{{source}}
```

axolotl

```yaml
datasets:
  - path: DIR
    type: chat_template
```

pandas, polars, duckdb

```python
pandas.read_parquet("DIR/data/{{folder}}")
polars.read_parquet("DIR/data/*/train-*.parquet")
duckdb.sql("select source, count(*) from 'DIR/data/*/*.parquet' group by source")
```

"""

CHINESE = CardText(
    head=(
        "## 中文\n\n{sources} 个来源的中文对话，共 {rows} 条，每条是一{unit}，可以直接用于训练。"
        "由 chat-corpus 生成。\n\n"
    ),
    units={"dialogue": "段对话", "pairs": "组问答"},
    source_columns=("名称", "语料", "train", "validation", "test", "许可证", "来源"),
    licence_note="各语料保留各自的许可证，见 [LICENSE.md](LICENSE.md)。使用前请阅读来源处的说明。\n\n",
    ledger=(
        "### 数量\n\n读入的轮次要么在输出中，要么按原因计数：轮次 = 导出的轮次 + 去掉的轮次；"
        "记录 = 写出 + 去掉的记录。\n\n"
    ),
    ledger_columns=("名称", "轮次", "导出的轮次", "记录", "写出", "去掉的轮次", "去掉的记录", "遮盖的个人信息"),
    mix=(
        "### 混合\n\n各来源混合在一起，顺序固定：比例 {shares}，单个来源最多占 {max_share}。"
        "子集依次包含：较小的子集是较大子集的开头部分。前 {rows} 条的任何开头部分都符合所定比例。\n\n"
    ),
    mix_columns=("config", "train"),
    fields=(
        "### 字段\n\n"
        "- `messages`：`role`（user 与 assistant 交替，以 user 开头，条数为偶数；有系统提示时第一条为 system）"
        "与 `content`\n"
        "- `source`：来源名称\n"
        "- `id`：由内容决定，增加数据或来源时不变\n\n"
        "手机号、身份证号、QQ、微信与邮箱写作 `<PHONE>` `<ID>` `<QQ>` `<WECHAT>` `<EMAIL>`。"
        "内容相近的对话在同一划分中。\n\n"
    ),
    loading="### 加载\n\n`DIR` 是本文件夹，或上传后的数据集名称。\n\n"
    + _LOADING.format(one_source="只用一部分", train_on_answer="只对回答计算损失"),
    files=(
        "### 文件\n\n`manifest.json` 记有每个文件的 SHA-256、行数以及生成时的设置；"
        "`chat-corpus check-export DIR` 逐条检查。\n\n"
    ),
    file_columns=("格式", "文件", "适用于"),
    upload="### 上传\n\n```sh\nhf upload NAME/DATASET DIR . --repo-type dataset\n```\n\n",
)

ENGLISH = CardText(
    head=(
        "## English\n\n{rows} records of Chinese chat from {sources} source(s), each {unit}, ready for training. "
        "Made with chat-corpus.\n\n"
    ),
    units={"dialogue": "a dialogue", "pairs": "a query and its answer"},
    source_columns=("name", "corpus", "train", "validation", "test", "licence", "origin"),
    licence_note=(
        "Each source keeps its own licence: see [LICENSE.md](LICENSE.md), and read what its origin says before use.\n\n"
    ),
    ledger=(
        "### Counts\n\nEvery turn read is exported, or counted as dropped by reason: turns = turns exported + turns "
        "dropped; records = written + records dropped.\n\n"
    ),
    ledger_columns=(
        *("name", "turns", "turns exported", "records", "written"),
        *("turns dropped", "records dropped", "personal data masked"),
    ),
    mix=(
        "### Mix\n\nSources are mixed in one fixed order: shares {shares}, no source above {max_share}. Subsets are "
        "nested: each is the beginning of the next larger one. The first {rows} records have these shares at every "
        "size.\n\n"
    ),
    mix_columns=("config", "train"),
    fields=(
        "### Fields\n\n"
        "- `messages`: `role` (user and assistant alternate, user first, of even number; a system message, if any, "
        "comes first) and `content`\n"
        "- `source`: name of the source\n"
        "- `id`: depends on the content alone, and stays when data or sources are added\n\n"
        "Mobile, identity, QQ and WeChat numbers and e-mail addresses are written `<PHONE>` `<ID>` `<QQ>` `<WECHAT>` "
        "`<EMAIL>`. Dialogues that begin alike are in the same split.\n\n"
    ),
    loading="### Load\n\n`DIR` is this folder, or the name of the dataset once it is uploaded.\n\n"
    + _LOADING.format(one_source="a part", train_on_answer="loss on the answer only"),
    files=(
        "### Files\n\n`manifest.json` has the SHA-256 and the rows of each file, and the settings; "
        "`chat-corpus check-export DIR` checks every record.\n\n"
    ),
    file_columns=("format", "files", "for"),
    upload="### Upload\n\n```sh\nhf upload NAME/DATASET DIR . --repo-type dataset\n```\n\n",
)
