"""Make chat_corpus/pipeline/text/softbank.json: python -m tests.pipeline.text.softbank PACKAGE.

PACKAGE is the folder `package` that `npm pack emoji-datasource` has in its archive.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chat_corpus.pipeline.text.softbank import TABLE


def codes(entries: Iterable[dict[str, Any]]) -> dict[str, str]:
    """SoftBank's code of each emoji that has one, with the emoji's own code points, from the entries of emoji.json.

    Raises ValueError where two emoji have the same code.
    """
    found: dict[str, str] = {}
    for entry in entries:
        if code := entry.get("softbank"):
            if code in found:
                raise ValueError(f"{code} is {found[code]} and {entry['unified']}")
            found[code] = entry["unified"]
    return dict(sorted(found.items()))


def table(package: Path) -> bytes:
    """The file made of an unpacked package."""
    about = json.loads((package / "package.json").read_bytes())
    document = {
        "source": f"{about['name']} {about['version']}, emoji.json: softbank and unified",
        "licence": (package / "LICENSE").read_text("utf-8").split("\n"),
        "emoji": codes(json.loads((package / "emoji.json").read_bytes())),
    }
    return (json.dumps(document, ensure_ascii=False, indent=0) + "\n").encode()


if __name__ == "__main__":
    TABLE.write_bytes(table(Path(sys.argv[1])))
