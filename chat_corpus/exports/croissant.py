"""croissant.json: a description of the Parquet files of an export in the vocabulary of MLCommons Croissant 1.0."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chat_corpus.exports.manifest import ExportFile, ExportSummary
from chat_corpus.exports.relatedness import RELATEDNESS, has_relatedness

CROISSANT = "croissant.json"
#: The JSON-LD context that mlcroissant 1.1 writes and accepts.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in ("citeAs", "column")},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            *("extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isLiveDataset"),
            *("jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated"),
            *("replace", "samplingRate"),
        )
    },
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in ("separator", "source", "subField", "transform")},
}


def encode(summary: ExportSummary) -> bytes:
    """Return the content of croissant.json: a FileObject and a RecordSet for each Parquet file.

    A RecordSet is named `<source>_<split>`, with `_<number>` if the split has several files; its FileObject has the
    same name and `_file`. Paths are relative to the folder of the export.
    """
    files = summary.data_files()
    names = {file.path: _name(file, files) for file in files}
    scores = (RELATEDNESS,) if has_relatedness(summary) else ()
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "chat-corpus-export",
        "description": "Chinese chat dialogues: " + ", ".join(source.name for source in summary.written_sources),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": sorted({source.licence for source in summary.written_sources}),
        "url": sorted({source.url for source in summary.written_sources if source.url}),
        "version": "1.0.0",
        **({"datePublished": summary.date} if summary.date else {}),
        "distribution": [_file_object(file, f"{names[file.path]}_file") for file in files],
        "recordSet": [_record_set(names[file.path], scores) for file in files],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _name(file: ExportFile, files: list[ExportFile]) -> str:
    alike = [other.path for other in files if (other.source, other.split) == (file.source, file.split)]
    number = f"_{alike.index(file.path):05d}" if len(alike) > 1 else ""
    return f"{file.source}_{file.split}{number}"


def _file_object(file: ExportFile, identifier: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": identifier,
        "name": identifier,
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        # With application/vnd.apache.parquet, mlcroissant accepts the description but cannot read the file.
        "encodingFormat": "application/x-parquet",
        "sha256": file.sha256,
    }


def _record_set(name: str, scores: Sequence[str]) -> dict[str, Any]:
    """Return the RecordSet of a file; `scores` are the names of its columns with numbers."""

    def field(column: str, key: str | None = None, kind: str = "sc:Text") -> dict[str, Any]:
        return {
            "@type": "cr:Field",
            "@id": f"{name}/{column}/{key}" if key else f"{name}/{column}",
            "name": key or column,
            "dataType": kind,
            "source": {
                "fileObject": {"@id": f"{name}_file"},
                "extract": {"column": column},
                **({"transform": {"jsonPath": key}} if key else {}),
            },
        }

    messages = field("messages")
    del messages["dataType"]
    messages |= {"repeated": True, "subField": [field("messages", "role"), field("messages", "content")]}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [messages, field("source"), field("id"), *(field(score, kind="sc:Float") for score in scores)],
    }
