"""README.md and LICENSE.md of an export: the card that Hugging Face and `datasets` read, and people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from chat_corpus.errors import UsageError
from chat_corpus.exports import card_text
from chat_corpus.exports.manifest import ExportSource, ExportSummary
from chat_corpus.exports.records import FORMATS

CARD, LICENSES = "README.md", "LICENSE.md"
#: Licences that the hub knows, by what sources say.
_HUB_LICENCES = {
    "apache-2.0": "apache-2.0",
    "bsd-3-clause": "bsd-3-clause",
    "gpl-3.0": "gpl-3.0",
    "mit": "mit",
    "cc0-1.0": "cc0-1.0",
}
#: The size categories of the hub: fewer rows than the number.
_SIZES = (
    *((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")),
    *((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")),
)
#: The columns of the Parquet files. `datasets` refuses files with other columns than the card says.
_FEATURES = """\
  features:
  - name: messages
    list:
    - name: role
      dtype: string
    - name: content
      dtype: string
  - name: source
    dtype: string
  - name: id
    dtype: string
"""


def encode_card(summary: ExportSummary) -> bytes:
    """README.md: front matter with a config `default` and one for each source, and a body in Chinese and English.

    Raises UsageError for a source that is called `default`, which is the name of the config of all sources.
    """
    if any(source.name == "default" for source in summary.sources):
        raise UsageError("a source cannot be called 'default' in an export: this is the config of all; rename it")
    return "".join((*_front_matter(summary), *_body(summary))).encode()


def encode_licences(summary: ExportSummary) -> bytes:
    """LICENSE.md: title, licence as its origin states it, and origin of each source."""
    parts = (
        f"## {source.name}\n\n- {source.title}\n- {source.licence}\n- <{source.url}>\n"
        for source in summary.written_sources
    )
    return (card_text.LICENCES + "\n".join(parts)).encode()


def _front_matter(summary: ExportSummary) -> Iterator[str]:
    names = [source.name for source in summary.written_sources]
    licence = _licence(summary.written_sources)
    yield "---\n"
    yield f"pretty_name: {_quoted('Chinese chat dialogues: ' + ', '.join(names))}\n"
    yield "language:\n- zh\n"
    yield f"license: {licence}\n"
    if licence == "other":
        yield "license_name: mixed-see-sources\nlicense_link: LICENSE.md\n"
    yield "task_categories:\n- text-generation\n"
    yield f"size_categories:\n- {_size(summary.rows)}\ntags:\n- chat\n- chat-corpus\n"
    if names:
        yield "configs:\n"
        for name in (None, *names):
            yield from _config(summary, name)
        yield "dataset_info:\n"
        for name in (None, *names):
            yield from _info(summary, name)
    yield "---\n\n"


def _config(summary: ExportSummary, source: str | None) -> Iterator[str]:
    """The files of a config; `default` is that of all sources, and ms-swift loads no other by itself."""
    yield f"- config_name: {_quoted(source or 'default')}\n"
    if source is None:
        yield "  default: true\n"
    yield "  data_files:\n"
    for split in summary.splits(source):
        path = f"data/{source or '*'}/{split}-*.parquet"
        yield f"  - split: {split}\n    path: {_quoted(path)}\n"


def _info(summary: ExportSummary, source: str | None) -> Iterator[str]:
    """The columns and the rows of a config; `datasets` checks the rows."""
    yield f"- config_name: {_quoted(source or 'default')}\n{_FEATURES}  splits:\n"
    for split, rows in summary.splits(source).items():
        size = sum(file.bytes for file in summary.data_files(source) if file.split == split)
        yield f"  - name: {split}\n    num_bytes: {size}\n    num_examples: {rows}\n"


def _quoted(text: str) -> str:
    """A text as a YAML string, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _licence(sources: Iterable[ExportSource]) -> str:
    """The licence of all sources, if it is one that the hub knows; else `other`."""
    licences = {source.licence.lower() for source in sources}
    return _HUB_LICENCES.get(licences.pop(), "other") if len(licences) == 1 else "other"


def _size(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), "1B<n<10B")


def _body(summary: ExportSummary) -> Iterator[str]:
    yield card_text.TITLE
    for text in (card_text.CHINESE, card_text.ENGLISH):
        yield text.head.format(
            rows=f"{summary.rows:,}", sources=len(summary.written_sources), unit=text.units[summary.turns]
        )
        yield _table(text.source_columns, _source_rows(summary))
        yield text.licence_note
        yield text.ledger
        yield _table(text.ledger_columns, _ledger_rows(summary))
        yield text.fields
        yield text.loading.format(**_examples(summary))
        yield text.files
        yield _table(text.file_columns, _file_rows(summary))
        yield text.upload
    yield card_text.END.format(version=summary.chat_corpus)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines) + "\n"


def _source_rows(summary: ExportSummary) -> Iterator[tuple[str, ...]]:
    for source in summary.written_sources:
        rows = summary.splits(source.name)
        counts = (f"{rows[split]:,}" if split in rows else "-" for split in ("train", "validation", "test"))
        yield (source.name, source.title, *counts, source.licence, f"<{source.url}>")


def _ledger_rows(summary: ExportSummary) -> Iterator[tuple[str, ...]]:
    for source in summary.sources:
        ledger = source.ledger
        numbers = (ledger.turns, ledger.turns_exported, ledger.records, sum(ledger.written.values()))
        dropped = (_counts(one) for one in (ledger.turns_dropped, ledger.records_dropped, ledger.masked))
        yield (source.name, *(f"{number:,}" for number in numbers), *dropped)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()) if number) or "-"


def _file_rows(summary: ExportSummary) -> Iterator[tuple[str, ...]]:
    for name in ("hf", *summary.formats):
        path = "data/<source>/<split>-*.parquet"
        if name == "hf":
            yield ("hf", f"`{path}`", card_text.HF_READERS)
        else:
            format_ = FORMATS[name]
            yield (name, f"`{name}/<source>/<split>.{format_.suffix}`", format_.readers)


def _examples(summary: ExportSummary) -> dict[str, str]:
    """Names for the examples of loading: a source, the datasets of LLaMA-Factory, and lines for the eval split, if any.

    The eval split is validation, or test if there is no validation.
    """
    sources = summary.written_sources
    source = sources[0].name if sources else "ptt"
    split = next((split for split in ("validation", "test") if split in summary.splits()), "")
    lines = {
        "trl_config": ', eval_strategy="epoch"',
        "trl_eval": f', eval_dataset=data["{split}"]',
        "llamafactory_eval": f"eval_dataset: chat_{split}\neval_strategy: epoch\n",
        "swift_eval": f" --val_dataset DIR/data/*/{split}-*.parquet",
        "axolotl_eval": f"test_datasets:\n  - path: DIR\n    type: chat_template\n    split: {split}\n",
    }
    evaluation = lines if split else dict.fromkeys(lines, "")
    return {"source": source, "names": ", ".join(_dataset_names(summary, source)), **evaluation}


def _dataset_names(summary: ExportSummary, source: str) -> Iterator[str]:
    """The names in dataset_info.json of all sources, of one source, and of that one in each further format."""
    formats = [name for name in summary.formats if "LLaMA-Factory" in FORMATS[name].readers]
    yield from (_dataset("chat", split) for split in summary.splits())
    for name in (f"chat_{source}", *(f"chat_{source}_{format_}" for format_ in formats)):
        yield from (_dataset(name, split) for split in summary.splits(source))


def _dataset(name: str, split: str) -> str:
    return f"`{name}`" if split == "train" else f"`{name}_{split}`"
