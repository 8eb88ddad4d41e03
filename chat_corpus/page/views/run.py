"""The view of the run: settings that differ from the defaults, versions, encodings, times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from chat_corpus.messages import message
from chat_corpus.outputs.report import Report, SourceEntry
from chat_corpus.page.material import Material
from chat_corpus.page.model import Column, Kind, Number, Row, Table, View
from chat_corpus.page.views.shared import SOURCE, columns
from chat_corpus.settings.model import Settings


def run_view(material: Material) -> View:
    """Return the view of the run that made the output."""
    report = material.report
    return View(
        name="run",
        title=message("How it was made"),
        sentence=message(
            "chat-corpus {version} with Python {python}; the last run began at {started} and took {seconds:,} s.",
            version=report.chat_corpus,
            python=report.python,
            started=report.run.started.replace("T", " ").replace("+00:00", " UTC"),
            seconds=report.run.seconds,
        ),
        tables=tuple(_tables(report)),
    )


def _tables(report: Report) -> Iterator[Table]:
    setting = Column(title=message("setting"), kind=Kind.CODE)
    values = (message("value"), message("default"))
    yield Table(
        name="settings",
        caption=message("Settings that differ from the defaults"),
        columns=(setting, *columns(*values, kind=Kind.CODE)),
        rows=tuple(_changed(msgspec.to_builtins(Settings()), report.settings)),
    )
    reading = (message("file"), message("encoding"), message("evidence"))
    yield Table(
        name="reading",
        caption=message("Encodings, with the evidence for them"),
        columns=(SOURCE, *columns(*reading, kind=Kind.CODE)),
        rows=tuple(_encodings(report.sources)),
        folded=True,
    )
    speeds = (message("seconds"), message("MB/s"))
    yield Table(
        name="speed",
        caption=message("Time of the run that made each output"),
        columns=(SOURCE, *columns(*speeds, kind=Kind.DECIMAL)),
        rows=tuple(_speeds(report.sources)),
        folded=True,
    )
    names = (message("name"), message("version"))
    yield Table(
        name="versions",
        caption=message("Packages and dictionaries"),
        columns=columns(*names, kind=Kind.CODE),
        rows=(*report.packages.items(), *report.script_conversion.items()),
        folded=True,
    )


def _changed(defaults: Mapping[str, Any], values: Mapping[str, Any], key: str = "") -> Iterator[Row]:
    """Yield (key, value, default) of settings that differ from the default.

    The default is None for a setting that only other versions have.
    """
    for name, value in values.items():
        path, default = f"{key}{name}", defaults.get(name)
        if isinstance(value, Mapping) and isinstance(default, Mapping) and default:
            yield from _changed(default, value, f"{path}.")
        elif _shown(value) != _shown(default) and path not in ("raw", "out"):  # paths depend on the machine
            yield path, _shown(value), None if default is None else _shown(default)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _encodings(sources: Mapping[str, SourceEntry]) -> Iterator[Row]:
    for name, entry in sources.items():
        for file in entry.files:
            yield name, file.file, file.encoding, file.encoding_evidence


def _speeds(sources: Mapping[str, SourceEntry]) -> Iterator[Row]:
    for name, entry in sources.items():
        key, speed = f"sources.{name}", entry.megabytes_per_second
        yield (
            name,
            Number(value=entry.seconds, key=f"{key}.seconds"),
            None if speed is None else Number(value=speed, key=f"{key}.megabytes_per_second"),
        )
