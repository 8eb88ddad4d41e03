"""The texts of the card of an export, in Chinese and English. `card` fills in the placeholders in braces."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "# 中文对话语料 Chinese chat dialogues\n\n[中文](#中文) | [English](#english)\n\n"
END = "---\n\nchat-corpus {version}\n"
LICENCES = """\
# Licences and origins 许可证与来源

Each source keeps its own licence, here as its origin states it. 各语料保留各自的许可证，以下按其出处的说明列出。

"""
HF_READERS = "datasets, TRL, LLaMA-Factory, ms-swift, axolotl, pandas, polars, duckdb"


@dataclass(frozen=True, kw_only=True, slots=True)
class CardText:
    """The body of the card in one language, in the order of its sections. `…_columns` are column titles of tables."""

    head: str
    units: dict[str, str]
    source_columns: tuple[str, ...]
    licence_note: str
    ledger: str
    ledger_columns: tuple[str, ...]
    mix: str
    mix_columns: tuple[str, ...]
    fields: str
    relatedness: str
    loading: str
    files: str
    file_columns: tuple[str, ...]
    upload: str


_LOADING = """\
### {load}

{folder}

#### TRL

```python
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("DIR")  # {one_source}load_dataset("DIR", "{{source}}")


def split_answer(row):
    return {{{{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}}}}


data = data.map(split_answer, remove_columns=["messages", "source", "id"])
args = SFTConfig("out"{{trl_config}})
trainer = SFTTrainer(model="Qwen/Qwen3-0.6B", args=args, train_dataset=data["train"]{{trl_eval}})
trainer.train()
```

{trl_loss}

#### LLaMA-Factory

{llamafactory}

```yaml
model_name_or_path: Qwen/Qwen3-0.6B
template: qwen3_nothink
stage: sft
do_train: true
finetuning_type: lora
dataset_dir: DIR
dataset: chat  # {one_source}{{dataset}}
{{llamafactory_eval}}output_dir: out
```

```sh
llamafactory-cli train sft.yaml
```

{names}

#### ms-swift

```sh
swift sft --model Qwen/Qwen3-0.6B --dataset DIR{{swift_eval}}  # {one_source}DIR:{{source}}
```

{loss}

#### axolotl

{axolotl}

```yaml
datasets:
  - path: DIR
    type: chat_template
    split: train
{{axolotl_eval}}```

{loss}

#### pandas, polars, duckdb

```python
pandas.read_parquet("DIR/data/{{folder}}")
polars.read_parquet("DIR/data/*/train-*.parquet")
duckdb.sql("select source, count(*) from 'DIR/data/*/*.parquet' group by source")
```

"""
_UPLOAD = """\
### {upload}

```sh
hf upload NAME/DATASET DIR . --repo-type dataset
```

{names}

| {tool} | {name} |
| --- | --- |
| datasets, TRL, axolotl | `NAME/DATASET` |
| ms-swift | {swift} |
| pandas, polars, duckdb | `hf://datasets/NAME/DATASET/data/...` |
| LLaMA-Factory | {llamafactory} |

"""
_DOWNLOAD = "`hf download NAME/DATASET --repo-type dataset --local-dir DIR`"

CHINESE = CardText(
    head=(
        "## 中文\n\n{sources} 个语料的中文对话，共 {rows} 个样本，每个样本是一{unit}，可以直接用于训练。"
        "由 chat-corpus 生成。\n\n"
    ),
    units={"dialogue": "段对话", "pairs": "组问答"},
    source_columns=("来源", "语料", "train", "validation", "test", "许可证", "出处"),
    licence_note="各语料保留各自的许可证，见 [LICENSE.md](LICENSE.md)。使用前请阅读出处的说明。\n\n",
    ledger=(
        "### 数量\n\n读入的轮次要么在输出中，要么按原因计数：轮次 = 导出的轮次 + 去掉的轮次；"
        "样本 = 写出 + 去掉的样本。\n\n"
    ),
    ledger_columns=("来源", "轮次", "导出的轮次", "样本", "写出", "去掉的轮次", "去掉的样本", "脱敏的个人信息"),
    mix=(
        "### 混合\n\n各语料混合在一起，顺序固定：比例 {shares}，单个语料最多占 {max_share}。"
        "子集依次包含：较小的子集是较大子集的开头部分。前 {rows} 个样本的任何开头部分都符合所定比例。\n\n"
    ),
    mix_columns=("config", "train"),
    fields=(
        "### 字段\n\n"
        "- `messages`：`role`（user 与 assistant 交替，以 user 开头，条数为偶数；有系统提示时第一条为 system）"
        "与 `content`\n"
        "- `source`：语料的名称\n"
        "- `id`：由内容决定，增加数据或语料时不变\n{relatedness}\n"
        "手机号、身份证号、QQ、微信与邮箱写作 `<PHONE>` `<ID>` `<QQ>` `<WECHAT>` `<EMAIL>`。"
        "开头相同的对话在同一划分（split）中。\n\n"
    ),
    relatedness=(
        "- `relatedness`：各个回答与其问题的相关度的平均值；大于 0 表示所用的字同时出现的次数多于偶然，"
        "没有常用汉字时为空\n"
    ),
    loading=_LOADING.format(
        load="加载",
        folder="`DIR` 是本文件夹；上传后的写法见“上传”。",
        one_source="只用一部分：",
        trl_loss=(
            "以上只对每个样本的最后一个回答计算损失。要对全部回答计算，请去掉 `map`，"
            "并在 `SFTConfig` 中加上 `assistant_only_loss=True`（要求 TRL 认识模型的对话模板，如 Qwen3）。"
        ),
        llamafactory="`sft.yaml`：",
        names=(
            "数据集名称：{names}。某个语料没有的划分也没有对应的名称，全部名称见 `dataset_info.json`。"
            "对全部回答计算损失；设 `mask_history: true` 则只对最后一个回答计算。"
        ),
        axolotl="`sft.yaml` 中与数据有关的几行：",
        loss="对全部回答计算损失。",
    ),
    files=(
        "### 文件\n\n`manifest.json` 记有每个文件的 SHA-256、行数以及生成时的设置；"
        "`chat-corpus check-export DIR` 逐条检查。\n\n"
    ),
    file_columns=("格式", "文件", "适用于"),
    upload=_UPLOAD.format(
        upload="上传",
        names="上传后，各工具用以下写法代替 `DIR`：",
        tool="工具",
        name="写法",
        swift=f"`hf::NAME/DATASET`；`--val_dataset` 需要本地文件，先执行 {_DOWNLOAD}",
        llamafactory=f"只读取本地目录，先执行 {_DOWNLOAD}",
    ),
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
        "- `id`: depends on the content alone, and stays when data or sources are added\n{relatedness}\n"
        "Mobile, identity, QQ and WeChat numbers and e-mail addresses are written `<PHONE>` `<ID>` `<QQ>` `<WECHAT>` "
        "`<EMAIL>`. Dialogues that begin alike are in the same split.\n\n"
    ),
    relatedness=(
        "- `relatedness`: how well the answers fit their queries, the mean of their scores; above 0, their characters "
        "occur together more often than by chance; null without frequent Chinese characters\n"
    ),
    loading=_LOADING.format(
        load="Load",
        folder="`DIR` is this folder. For the names after an upload see Upload.",
        one_source="a part: ",
        trl_loss=(
            "The loss is on the last answer of each record. For a loss on every answer leave out `map`, and add "
            "`assistant_only_loss=True` to `SFTConfig` (TRL has to know the chat template of the model, such as Qwen3)."
        ),
        llamafactory="`sft.yaml`:",
        names=(
            "Names of datasets: {names}. A source has names for its own splits only; `dataset_info.json` has them all. "
            "The loss is on every answer; with `mask_history: true` on the last one only."
        ),
        axolotl="The lines of `sft.yaml` that concern the data:",
        loss="The loss is on every answer.",
    ),
    files=(
        "### Files\n\n`manifest.json` has the SHA-256 and the rows of each file, and the settings; "
        "`chat-corpus check-export DIR` checks every record.\n\n"
    ),
    file_columns=("format", "files", "for"),
    upload=_UPLOAD.format(
        upload="Upload",
        names="After the upload, write instead of `DIR`:",
        tool="tool",
        name="name",
        swift=f"`hf::NAME/DATASET`; `--val_dataset` needs local files: first {_DOWNLOAD}",
        llamafactory=f"reads a local folder only: first {_DOWNLOAD}",
    ),
)
