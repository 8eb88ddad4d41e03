"""Opening of an export, and of the sources that it was made from, so that they can be read again."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import manifest_file
from chat_corpus.exports.manifest import MANIFEST, ExportSource, ExportSummary
from chat_corpus.exports.options import ExportOptions
from chat_corpus.lineage.open_run import permitted_plugins
from chat_corpus.messages import error_text, joined, message
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import Definition

#: Advice if an export cannot be traced.
AGAIN = message("export again to have records that can be traced")
_NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class OpenExport:
    """An export, and where its sources are according to the user: raw folder, plugins, and paths of added corpora."""

    folder: Path
    summary: ExportSummary
    raw: str | None
    plugins: tuple[str, ...]
    places: Mapping[str, str]

    @property
    def options(self) -> ExportOptions:
        """The options that the export was made with. Raises ChatCorpusError if this version does not know them."""
        try:
            return msgspec.convert(self.summary.settings["export"], ExportOptions)
        except (KeyError, msgspec.ValidationError) as error:
            raise _other_version(self, error) from error


def find_export(path: Path) -> Path | None:
    """Return the folder of the export that contains a file; None if the file is not in an export."""
    return next((folder for folder in path.absolute().parents if (folder / MANIFEST).is_file()), None)


def open_export(
    folder: Path, raw: str | None = None, plugins: Sequence[str] = (), places: Mapping[str, str] = _NOWHERE
) -> OpenExport:
    """Return the export in a folder. `raw` is the folder of raw corpora, `places` the paths of added corpora by name.

    Raises UsageError if the folder has no manifest, or if `places` has a name that no added corpus has. Raises
    ChatCorpusError if the manifest cannot be read, or was edited.
    """
    manifest_file.check_name(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            message(
                "{folder}: has no {file}; name the folder that 'chat-corpus export' wrote", folder=folder, file=MANIFEST
            )
        )
    try:
        data = path.read_bytes()
        summary = manifest_file.decode(data)
    except (OSError, ValueError) as error:
        fault = message("{file}: {error}; {advice}", file=path, error=error_text(error), advice=AGAIN)
        raise ChatCorpusError(fault) from error
    if manifest_file.encode(summary) != data:
        raise ChatCorpusError(message("{file}: edited after the export; {advice}", file=path, advice=AGAIN))
    added = [source.name for source in summary.sources if source.fingerprint.definition is not None]
    for name in places:
        if name not in added:
            fault = message(
                "--add {name}: no corpus of this name was added to the export; added: {names}",
                name=name, names=joined(", ", added or ["-"]),
            )  # fmt: skip
            raise UsageError(fault)
    return OpenExport(folder=folder, summary=summary, raw=raw, plugins=tuple(plugins), places=places)


def source_of(export: OpenExport, entry: ExportSource) -> tuple[Source, Settings]:
    """Return a source of an export, and the settings that it was exported with.

    Raises ChatCorpusError if the code, the plugins or the settings of the export are not available. Raises UsageError
    if the user has not given a plugin of the source.
    """
    fingerprint, name = entry.fingerprint, entry.name
    if fingerprint.code != versions.code_digest():
        raise ChatCorpusError(
            message(
                "{source}: exported by another version of chat-corpus, or of its packages; {advice}",
                source=name, advice=AGAIN,
            )
        )  # fmt: skip
    plugins = permitted_plugins(name, fingerprint.plugin_files, fingerprint.plugins, export.plugins)
    try:
        own = msgspec.convert(fingerprint.settings_of_source, SourceSettings)
        corpora = {name: _definition(export, entry)} if fingerprint.definition is not None else {}
    except msgspec.ValidationError as error:
        raise _other_version(export, error) from error
    sections = {section: getattr(own, section) for section in SourceSettings.__struct_fields__}
    raw = export.raw or str(_raw_folder(export, entry))
    settings = Settings(raw=raw, plugins=plugins, corpora=corpora, **sections)
    source = sources.load(plugins, settings.added).get(name)
    if source is None or plugin_digest.code(name, plugins, settings.added) != fingerprint.source:
        raise ChatCorpusError(
            message("{source}: the code of its source is missing, or changed; {advice}", source=name, advice=AGAIN)
        )
    return source, settings


def _other_version(export: OpenExport, error: Exception) -> ChatCorpusError:
    return ChatCorpusError(
        message(
            "{file}: settings of another version: {error}; {advice}",
            file=export.folder / MANIFEST, error=str(error), advice=AGAIN,
        )
    )  # fmt: skip


def _definition(export: OpenExport, entry: ExportSource) -> Definition:
    """Return the definition of an added corpus, with the current paths of its files."""
    definition = msgspec.convert(entry.fingerprint.definition, Definition)
    if place := export.places.get(entry.name):
        return msgspec.structs.replace(definition, path=(glob.escape(place),))
    folder = Path(glob.escape(str(_raw_folder(export, entry))))
    return msgspec.structs.replace(definition, path=tuple(str(folder / path) for path in definition.paths))


def _raw_folder(export: OpenExport, entry: ExportSource) -> Path:
    """Return the raw folder of a source. The manifest has only its name, since a path would be valid on one machine.

    Folders with this name are looked for in the working directory and in the folders above the export. The first one
    that has the first raw file is used. The digests of the files are verified later.
    """
    name = Path(entry.raw_folder)
    found = [folder / name for folder in (Path(), *export.folder.absolute().parents) if (folder / name).is_dir()]
    first = entry.raw[0].file.split("/")[0]  # a folder, a file, or an archive
    return next((folder for folder in found if (folder / first).exists()), (found or [name])[0])
