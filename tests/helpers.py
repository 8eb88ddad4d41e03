"""What many tests do: call the command line, lay out files, look at what was written."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from chat_corpus.cli import language
from chat_corpus.cli.main import main
from tests.conftest import ROOT

TIEBA = {"tieba.dialogues": "在吗\t在\n你好\t好\n"}
UNEQUAL = {"stc_weibo_train_post": "早 上 好\n吃 了 吗\n", "stc_weibo_train_response": "早\n"}

CHAIN = "".join(f"楼主第{n}句\t楼主第{n + 1}句\n" for n in range(60))

HARD = ROOT / "tests" / "sources"

PLUGIN = '''
"""Lines of two fields, from a file of our own."""

from chat_corpus.plugins import Input, Source, delimited

SOURCE = Source(
    name="{name}", title="Ours", url="https://example.org", licence="CC0-1.0", obtain="write it",
    inputs=(Input(files=("ours*.txt",), format=delimited("|")),), no_answer=frozenset({{"{no_answer}"}}),
)
'''


def invoke(*args: object, stdin: bytes | None = None) -> Result:
    """The command line in this process, which is left as it was."""
    handler, before = signal.getsignal(signal.SIGTERM), language.in_use()
    try:
        return CliRunner().invoke(main, [str(one) for one in args], input=stdin)
    finally:
        signal.signal(signal.SIGTERM, handler)
        language.use(before)
        log = logging.getLogger("chat_corpus")
        log.handlers.clear()  # they write to the streams of this call
        log.propagate = True


def program(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, str(ROOT / "main.py"), *map(str, args)]
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8", **options)


def visible(folder: Path) -> dict[str, bytes]:
    """The files of a folder that are not hidden, with their content; but for the page, which is made from them."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "report.html")
    named = {path.relative_to(folder): path for path in paths}
    shown = {name: path for name, path in named.items() if not any(part.startswith(".") for part in name.parts)}
    return {name.as_posix(): path.read_bytes() for name, path in shown.items()}


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files below a folder, which is returned."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def plugin(folder: Path, text: str = "", *, name: str = "ours", no_answer: str = "-", file: str = "ours.py") -> Path:
    path = folder / file
    path.write_text(text or PLUGIN.format(name=name, no_answer=no_answer), "utf-8")
    return path
