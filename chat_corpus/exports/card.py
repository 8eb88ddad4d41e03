"""README.md (the dataset card, for readers, the Hugging Face hub and `datasets`) and LICENSE.md of an export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from chat_corpus.errors import UsageError
from chat_corpus.exports import card_text
from chat_corpus.exports.card_text import CardText
from chat_corpus.exports.manifest import DEFAULT, MIXED, RESERVED, ConfigSplit, ExportMix, ExportSource, ExportSummary
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.relatedness import RELATEDNESS, has_relatedness
from chat_corpus.messages import message

CARD, LICENSES = "README.md", "LICENSE.md"
#: Licence names of the hub, by the licence of a source in lower case.
_HUB_LICENCES = {
    "apache-2.0": "apache-2.0",
    "bsd-3-clause": "bsd-3-clause",
    "gpl-3.0": "gpl-3.0",
    "mit": "mit",
    "cc0-1.0": "cc0-1.0",
}
#: Size categories of the hub: each is for fewer rows than its number.
_SIZES = (
    *((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")),
    *((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")),
)
#: The columns of the Parquet files. `datasets` refuses files with columns that differ from the card.
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
_SCORES = f"""\
  - name: {RELATEDNESS}
    dtype: float32
"""


def encode_card(summary: ExportSummary) -> bytes:
    """Return README.md: front matter with the configs of the export, and a body in Chinese and English.

    Raises UsageError if a source has one of the names in `RESERVED`.
    """
    for source in summary.sources:
        if source.name in RESERVED:
            raise UsageError(
                message("a source cannot be called '{name}' in an export: this means all sources", name=source.name)
            )
    return "".join((*_front_matter(summary), *_body(summary))).encode()


def encode_licences(summary: ExportSummary) -> bytes:
    """Return LICENSE.md: title, licence (as its publisher states it) and URL of each source with rows."""
    parts = (
        f"## {source.name}\n\n- {source.title}\n- {source.licence}\n" + (f"- <{source.url}>\n" if source.url else "")
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
        for name, splits in summary.configs.items():
            yield from _config(name, splits)
        yield "dataset_info:\n"
        features = _FEATURES + _SCORES if has_relatedness(summary) else _FEATURES
        for name, splits in summary.configs.items():
            yield from _info(name, splits, features)
    yield "---\n\n"


def _config(name: str, splits: Mapping[str, ConfigSplit]) -> Iterator[str]:
    """Yield the YAML lines for the files of a config."""
    yield f"- config_name: {_quoted(name)}\n"
    if name == DEFAULT:
        yield "  default: true\n"
    yield "  data_files:\n"
    for split, files in splits.items():
        if len(files.paths) == 1:
            yield f"  - split: {split}\n    path: {_quoted(files.paths[0])}\n"
        else:
            yield f"  - split: {split}\n    path:\n"
            yield from (f"    - {_quoted(path)}\n" for path in files.paths)


def _info(name: str, splits: Mapping[str, ConfigSplit], features: str) -> Iterator[str]:
    """Yield the YAML lines for the columns of a config and for the bytes and rows of its splits.

    `datasets` checks the number of rows.
    """
    yield f"- config_name: {_quoted(name)}\n{features}  splits:\n"
    for split, files in splits.items():
        yield f"  - name: {split}\n    num_bytes: {files.bytes}\n    num_examples: {files.rows}\n"


def _quoted(text: str) -> str:
    """Return a text as a quoted YAML string. A JSON string is one, whatever characters it has."""
    return json.dumps(text, ensure_ascii=False)


def _licence(sources: Iterable[ExportSource]) -> str:
    """Return the hub's name of the licence if all sources have the same one and the hub knows it; else `other`."""
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
        if summary.mix is not None:
            yield from _mix(summary, summary.mix, text)
        yield text.fields.format(relatedness=text.relatedness if has_relatedness(summary) else "")
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
        yield (source.name, source.title, *counts, source.licence, f"<{source.url}>" if source.url else "-")


def _ledger_rows(summary: ExportSummary) -> Iterator[tuple[str, ...]]:
    for source in summary.sources:
        ledger = source.ledger
        numbers = (ledger.turns, ledger.turns_exported, ledger.records, sum(ledger.written.values()))
        dropped = (_counts(one) for one in (ledger.turns_dropped, ledger.records_dropped, ledger.masked))
        yield (source.name, *(f"{number:,}" for number in numbers), *dropped)


def _mix(summary: ExportSummary, mix: ExportMix, text: CardText) -> Iterator[str]:
    """Yield the section on the mix: the rows and shares of the sources in train and in its subsets."""
    yield text.mix.format(shares=mix.shares or "natural", max_share=f"{mix.max_share:g}", rows=f"{mix.exact_rows:,}")
    subsets = [(DEFAULT, summary.splits()["train"] if mix.sources else 0, mix.sources)]
    subsets += [(one.name, one.rows, one.sources) for one in mix.subsets]
    rows = [
        (name, f"{total:,}", *(_share(sources.get(source, 0), total) for source in mix.sources))
        for name, total, sources in subsets
    ]
    yield _table((*text.mix_columns, *mix.sources), rows)


def _share(number: int, total: int) -> str:
    return f"{number:,} ({100 * number / total:.1f} %)" if total else "-"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()) if number) or "-"


def _file_rows(summary: ExportSummary) -> Iterator[tuple[str, ...]]:
    folder = "<source>" if summary.mix is None else MIXED
    for name in ("hf", *summary.formats):
        path = f"data/{folder}/<split>-*.parquet"
        if name == "hf":
            yield ("hf", f"`{path}`", card_text.HF_READERS)
        else:
            format_ = FORMATS[name]
            yield (name, f"`{name}/{folder}/<split>.{format_.suffix}`", format_.readers)


def _examples(summary: ExportSummary) -> dict[str, str]:
    """Return the texts that fill in the examples of loading, by placeholder.

    These are a config, a folder, names of datasets for LLaMA-Factory, and lines for the eval split. The eval split is
    validation, or test if there is no validation. If there is neither, these lines are empty.
    """
    config = next((name for name in summary.configs if name != DEFAULT), DEFAULT)
    folder = summary.folders[0] if summary.folders else "ptt"
    split = next((split for split in ("validation", "test") if split in summary.splits()), "")
    lines = {
        "trl_config": ', eval_strategy="epoch"',
        "trl_eval": f', eval_dataset=data["{split}"]',
        "llamafactory_eval": f"eval_dataset: chat_{split}\neval_strategy: epoch\n",
        "swift_eval": f" --val_dataset DIR/data/*/{split}-*.parquet",
        "axolotl_eval": f"test_datasets:\n  - path: DIR\n    type: chat_template\n    split: {split}\n",
    }
    evaluation = lines if split else dict.fromkeys(lines, "")
    names = ", ".join(dict.fromkeys(_dataset_names(summary, config, folder)))
    dataset = "chat" if config == DEFAULT else f"chat_{config}"
    return {"source": config, "dataset": dataset, "folder": folder, "names": names, **evaluation}


def _dataset_names(summary: ExportSummary, config: str, folder: str) -> Iterator[str]:
    """Yield names in dataset_info.json: of all records, of one config, and of one folder in each format besides hf."""
    for name in (DEFAULT, config):
        dataset = "chat" if name == DEFAULT else f"chat_{name}"
        yield from (_dataset(dataset, split) for split in summary.configs[name])
    formats = [name for name in summary.formats if "LLaMA-Factory" in FORMATS[name].readers]
    for format_ in formats if folder in summary.folders else ():
        yield from (_dataset(f"chat_{folder}_{format_}", split) for split in summary.splits(folder))


def _dataset(name: str, split: str) -> str:
    return f"`{name}`" if split == "train" else f"`{name}_{split}`"
