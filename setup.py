"""Put the bundled samples into the package; all else is in pyproject.toml.

The samples are in raw_chat_corpus/ alone, where a checkout reads them. Real corpora may be there too, and must not get
into a wheel: so only files with the content of a sample are copied.
"""

import json
from hashlib import sha256
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RAW = Path("raw_chat_corpus")
TARGET = Path("chat_corpus", "samples")


def samples() -> list[Path]:
    """The samples, as paths from the folder of this file."""
    sizes = json.loads(Path("chat_corpus", "discovery", "samples.json").read_text("utf-8"))
    files = [path for path in sorted(RAW.rglob("*")) if path.is_file() and path.stat().st_size in sizes.values()]
    return [path for path in files if sha256(path.read_bytes()).hexdigest() in sizes]


class BuildWithSamples(build_py):
    """Build the package with the samples in `chat_corpus/samples`."""

    def run(self) -> None:
        """Build the package."""
        super().run()
        if not self.editable_mode:
            for path, built in zip(samples(), self._built(), strict=True):
                self.mkpath(str(built.parent))
                self.copy_file(str(path), str(built))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """The files that are built."""
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else map(str, self._built()))]

    def get_source_files(self) -> list[str]:
        """The files that a source distribution needs."""
        return [*super().get_source_files(), *map(str, samples())]

    def _built(self) -> list[Path]:
        return [Path(self.build_lib, TARGET, path.relative_to(RAW)) for path in samples()]


setup(cmdclass={"build_py": BuildWithSamples})
