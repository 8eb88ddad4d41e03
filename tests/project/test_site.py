"""The documentation site builds without warnings in both languages, and its pages load nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.project.documents import CHINESE, ENGLISH, language, text

CONFIGS = {"zensical.toml": ENGLISH, "zensical.zh.toml": CHINESE}
#: Attributes with an address that a browser fetches by itself.
FETCHED = re.compile(r"<(?:img|script|iframe|source|video|audio|embed)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>")
LINKED = re.compile(r"<link\b[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as CI builds it. Skips where the extra `docs` is not installed."""
    pytest.importorskip("zensical", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    for config in CONFIGS:
        shutil.copy(ROOT / config, folder)
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", config]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def built(site: Path) -> dict[str, str]:
    """The pages that were built, by their path within the site."""
    return {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}


def test_every_page_is_in_both_languages_with_a_switch_to_the_other(built: dict[str, str]) -> None:
    names = {"index.html", *(f"{Path(page).stem}/index.html" for page in ENGLISH if not page.endswith("index.md"))}
    for name in names:
        up = "../" * name.count("/") or "./"
        assert f'href="{up}zh/{name}" hreflang="zh" class="md-select__link"' in built[name]
        assert f'href="../{up.removeprefix("./")}{name}" hreflang="en" class="md-select__link"' in built[f"zh/{name}"]
        assert '<html lang="zh"' in built[f"zh/{name}"]
        assert "查找" in built[f"zh/{name}"]


def test_no_page_fetches_anything_from_elsewhere(built: dict[str, str], site: Path) -> None:
    for name, page in built.items():
        assert FETCHED.findall(page) == [], name
        for link in LINKED.findall(page):
            if "canonical" not in link and "alternate" not in link:
                assert "//" not in link, f"{name}: {link}"
        assert "fonts.g" not in page, name
        assert 'class="mermaid"' not in page, f"{name}: the script for diagrams is fetched from elsewhere"
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text("utf-8")) == []


def test_tables_and_examples_are_rendered(built: dict[str, str]) -> None:
    """A table that is not recognized as one leaves its lines of hyphens in the text."""
    for name, page in built.items():
        body = re.sub(r"<(pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert "| ---" not in body, name
        assert "```" not in body, name


def test_the_search_index_of_each_language_has_its_own_pages_only(site: Path) -> None:
    english, chinese = (json.loads((site / at / "search.json").read_text("utf-8")) for at in (".", "zh"))
    assert english["config"]["lang"] == ["en"]
    assert chinese["config"]["lang"] == ["zh"]
    assert not any(item["location"].startswith("zh/") for item in english["items"])
    assert any("繁简转换" in item["title"] for item in chinese["items"])


@pytest.mark.parametrize("config", CONFIGS)
def test_the_navigation_has_every_page_once(config: str) -> None:
    folder = "docs/zh/" if language(config) == "zh" else "docs/"
    listed = list(_pages(tomllib.loads(text(config))["project"]["nav"]))
    assert sorted(f"{folder}{page}" for page in listed) == sorted(CONFIGS[config])


def test_both_configurations_differ_in_words_and_folders_only() -> None:
    english, chinese = (tomllib.loads(text(config))["project"] for config in CONFIGS)
    assert list(_pages(english.pop("nav"))) == list(_pages(chinese.pop("nav")))
    for key in ("site_description", "docs_dir", "exclude_docs", "site_dir", "copyright", "extra_javascript"):
        for project in (english, chinese):
            project.pop(key, None)
    for project in (english, chinese):
        project["theme"].pop("language")
        for one in project["extra"]["alternate"]:
            one.pop("link")
    assert english == chinese


def _pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from _pages(value)
