"""Load the scripts of examples/ as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.conftest import ROOT


def load(example: str) -> ModuleType:
    """The script `examples/<example>/<example>.py` as a module."""
    file = ROOT / "examples" / example / f"{example}.py"
    spec = importlib.util.spec_from_file_location(f"examples_{example}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
