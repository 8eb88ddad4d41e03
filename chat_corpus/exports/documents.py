"""The documents of an export, as bytes by file name. They depend on its summary only."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from chat_corpus.exports import card, croissant, dataset_info, manifest, manifest_file
from chat_corpus.exports.manifest import ExportFile, ExportSummary

#: The format of a document in the manifest.
DOCUMENT = "document"
#: The documents besides the manifest.
NAMES = (card.CARD, card.LICENSES, dataset_info.DATASET_INFO, croissant.CROISSANT)


def documents(summary: ExportSummary) -> dict[str, bytes]:
    """Return README.md, LICENSE.md, dataset_info.json, croissant.json, and manifest.json, which lists the others too.

    `summary.files` are the data files; documents among them are ignored and listed anew.
    """
    data = tuple(file for file in summary.files if file.format != DOCUMENT)
    summary = replace(summary, files=data)
    made = {
        card.CARD: card.encode_card(summary),
        card.LICENSES: card.encode_licences(summary),
        dataset_info.DATASET_INFO: dataset_info.encode(summary),
        croissant.CROISSANT: croissant.encode(summary),
    }
    listed = tuple(
        ExportFile(path=name, format=DOCUMENT, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in made.items()
    )
    return {**made, manifest.MANIFEST: manifest_file.encode(replace(summary, files=data + listed))}
