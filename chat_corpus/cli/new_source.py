"""The `new-source` command: write the skeleton of a plugin, with a sample and a test that passes."""

from __future__ import annotations

from pathlib import Path

import click

from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.terminal import echo
from chat_corpus.errors import UsageError
from chat_corpus.messages import message


@click.command(
    name="new-source",
    cls=Command,
    short_help="begin a plugin, with a sample and a test",
    arguments=(("NAME", "Name of the source."),),
    examples=(("chat-corpus new-source mine", "writes mine/mine.py, its test and mine/raw/mine.txt"),),
)
@click.argument("name", metavar="NAME")
@option("Output", "--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder to write to (default: NAME).")
@LANG
def new_source(name: str, out: Path | None) -> None:
    """Write the skeleton of a plugin: a source with comments, a tiny sample and a test that passes.

    Existing files are never replaced.
    """
    from importlib.resources import files

    from chat_corpus import sources
    from chat_corpus.schema import is_source_name

    if not is_source_name(name):
        raise UsageError(
            message(
                "'{name}' cannot be the name of a source: use a-z, 0-9, '-' and '_', begin with a letter or digit, and "
                "avoid device names of Windows such as con",
                name=name,
            )
        )
    if name in sources.load():
        raise UsageError(message("{name}: a source of this name exists already; choose another name", name=name))
    folder, module = out or Path(name), name.replace("-", "_")
    module = f"source_{module}" if module[0].isdigit() else module
    templates = files("chat_corpus").joinpath("templates")
    outputs = {
        folder / f"{module}.py": "source.py.txt",
        folder / f"test_{module}.py": "test_source.py.txt",
        folder / "raw" / f"{name}.txt": "sample.txt",
    }
    for path in outputs:
        if path.exists():
            raise UsageError(message("{path}: exists already; use another --out, or another name", path=path))
    for path, template in outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = templates.joinpath(template).read_text("utf-8")
        path.write_text(text.replace("@NAME@", name).replace("@MODULE@", module), "utf-8", newline="\n")
        echo(str(path))
