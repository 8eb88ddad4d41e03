"""`report`, `compare --html` and the page of an export as typed."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES
from tests.helpers import invoke, put
from tests.page.parsed import parse
from tests.page.test_page import number, page_table, value_of


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over two of the bundled corpora."""
    folder = tmp_path_factory.mktemp("report")
    assert invoke("-q", "--raw", SAMPLES, "--out", folder / "out", "-s", "ptt,tieba").exit_code == 0
    return folder / "out"


def test_the_report_command_writes_the_page_again_and_its_tables(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "out"))
    (copy / "report.html").unlink()
    assert invoke("report", copy).exit_code == 0
    assert (copy / "report.html").read_bytes() == (out / "report.html").read_bytes()
    tables = json.loads(invoke("report", out, "--json").stdout)
    names = [table["name"] for view in tables["views"] for table in view["tables"]]
    assert {"turns", "pairs", "query_chars", "characters"} <= set(names)
    rows = {table["name"]: table for view in tables["views"] for table in view["tables"]}
    report = json.loads((out / "report.json").read_bytes())["sources"]
    assert rows["pairs"]["rows"][0][4] == report["ptt"]["pairs"]["written"]
    markdown = invoke("report", out, "--markdown").stdout
    latex = invoke("report", out, "--latex").stdout
    written = f"{report['ptt']['pairs']['written']:,}"
    assert f"| {written} |" in markdown
    assert f"& {written} &" in latex
    assert latex.count("\\begin{table}") == latex.count("\\end{table}") == len(names)
    assert "no\\_answer" in latex
    assert "来源" in invoke("report", out, "--markdown", "--lang", "zh").stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--markdown", "--latex"), "use one of them"),
        (("--output", "no/such/folder/x.html"), "its folder no/such/folder does not exist"),
    ],
)
def test_what_the_report_command_cannot_do_is_refused(args: tuple[str, ...], words: str, out: Path) -> None:
    result = invoke("report", out, *args)
    assert result.exit_code in (1, 2)
    assert words in result.stderr


def test_the_report_command_needs_the_output_of_a_run(tmp_path: Path) -> None:
    result = invoke("report", tmp_path)
    assert result.exit_code == 2
    assert "neither the output of a run nor an export" in result.stderr


def test_a_page_of_a_comparison_needs_both_reports(tmp_path: Path) -> None:
    pairs = {f"{folder}/ptt.tsv": "在吗\t在\n" for folder in ("old", "new")}
    folders = [put(tmp_path, pairs) / folder for folder in ("old", "new")]
    page = tmp_path / "page.html"
    result = invoke("compare", *folders, "--html", page)
    assert (result.exit_code, page.exists()) == (2, False)
    assert f"{folders[0] / 'report.json'}, which is missing" in result.stderr


def test_a_comparison_does_not_replace_the_page_of_an_output(tmp_path: Path) -> None:
    put(tmp_path, {"old/ptt.tsv": "在吗\t在\n", "new/ptt.tsv": "在吗\t在\n", "new/report.html": "a page"})
    result = invoke("compare", tmp_path / "old", tmp_path / "new", "--html", tmp_path / "new/report.html")
    assert (result.exit_code, "a file of the output" in result.stderr) == (2, True)
    assert (tmp_path / "new/report.html").read_text() == "a page"


@pytest.mark.slow
def test_two_outputs_are_compared_on_a_page(out: Path, tmp_path: Path) -> None:
    config = put(tmp_path, {"c.yaml": "text: {punctuation: {limit: 1}}\n"}) / "c.yaml"
    args = ("-q", "--raw", SAMPLES, "-s", "ptt,tieba", "--config", config)
    assert invoke(*args, "--out", tmp_path / "new").exit_code == 0
    assert invoke("compare", out, tmp_path / "new", "--html", tmp_path / "c.html").exit_code == 0
    page = parse((tmp_path / "c.html").read_text("utf-8"))
    reports = {
        name: json.loads((folder / "report.json").read_bytes())
        for name, folder in {"old": out, "new": tmp_path / "new"}.items()
    }
    cells = [cell for cell in page.all("td") if "title" in cell.attributes]
    assert len(cells) > 20
    for cell in cells:
        assert cell.text == f"{value_of(reports, cell.attributes['title']):,}"
    rows = {row.children[0].text: [one.text for one in row.children[1:]] for row in page_table(page, "rows").all("tr")}
    assert number(rows["ptt"][2]) > 0
    assert page_table(page, "causes")


@pytest.mark.slow
def test_the_page_of_an_export_has_its_splits_and_mix(tmp_path: Path) -> None:
    folder = tmp_path / "ex"
    args = ("--split", "test=0.2,validation=0.2", "--mix", "equal", "--subset", "20,all")
    assert invoke("export", folder, "-q", "--raw", SAMPLES, "-s", "ptt,tieba,weibo", *args).exit_code == 0
    manifest, statistics = (json.loads((folder / name).read_bytes()) for name in ("manifest.json", "statistics.json"))
    written = (folder / "report.html").read_bytes()
    assert invoke("report", folder).exit_code == 0
    assert (folder / "report.html").read_bytes() == written
    page = parse(written.decode())
    cells = [cell for cell in page.all("td") if "title" in cell.attributes]
    assert len(cells) > 100
    for cell in cells:
        key = cell.attributes["title"]
        value = value_of(statistics if re.match("sources[.][a-z]", key) else manifest, key)
        assert cell.text in (f"{value:,}", f"{value:,.2f}"), key
    assert page_table(page, "mix")
    assert page_table(page, "subsets")
    for row, one in zip(
        page_table(page, "conversions").all("tr")[1:], statistics["conversions"]["most_frequent"], strict=True
    ):
        assert [cell.text for cell in row.children[:3]] == [one["before"], one["after"], f"{one['count']:,}"]
    assert invoke("check-export", folder).exit_code == 0


@pytest.mark.slow
def test_documents_name_every_table(tmp_path: Path) -> None:
    config = put(tmp_path, {"c.yaml": "text: {links: remove}\n"}) / "c.yaml"
    assert invoke("-q", "--raw", SAMPLES, "--out", tmp_path / "out", "--config", config).exit_code == 0
    args = ("--split", "test=0.2,validation=0.2", "--mix", "equal", "--subset", "20,all")
    assert invoke("export", tmp_path / "ex", "-q", "--raw", SAMPLES, "-s", "ptt,qingyun", *args).exit_code == 0
    printed = (invoke("report", tmp_path / "out", "--full", "--json"), invoke("report", tmp_path / "ex", "--json"))
    views = [view for result in printed for view in json.loads(result.stdout)["views"]]
    names = {table["name"] for view in views for table in view["tables"]} | {"masked", "generic"}
    assert len(names) > 25
    for document in ("docs/report.md", "docs/zh/report.md"):
        text = (ROOT / document).read_text("utf-8")
        assert sorted(name for name in names if f"`{name}`" not in text) == []


def test_full_statistics_are_on_the_page_and_in_no_report(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "out"))
    before = (copy / "report.json").read_bytes()
    assert invoke("report", copy, "--full").exit_code == 0
    page = parse((copy / "report.html").read_text("utf-8"))
    pairs = [line.split("\t") for line in (copy / "ptt.tsv").read_text("utf-8").splitlines()]
    row = next(row for row in page_table(page, "distinct").all("tr") if row.children[0].text == "ptt")
    shares = [len(set(values)) / len(pairs) for values in (map(tuple, pairs), *zip(*pairs, strict=True))]
    assert [cell.text for cell in row.children[1:4]] == [f"{share:.1%}" for share in shares]
    turns = [one["turns"] for one in json.loads(before)["sources"].values()]
    (caption,) = (one.text for one in page.all("summary") if one.attributes.get("id") == "table-conversions")
    assert caption.endswith(f" in {sum(one['changed_by_conversion'] for one in turns)} converted turns")
    examples = [row.children[0].text for row in page_table(page, "step-examples").all("tr")[1:]]
    assert sorted(examples) == sorted({step for one in turns for step in one["changed_by_step"]})
    assert (copy / "report.json").read_bytes() == before


def test_a_page_replaces_no_file_of_an_output(out: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for file in ("ptt.tsv", "report.json", "index/ptt.jsonl", "rejects/ptt.jsonl"):
        for args in (("report", out, "--output"), ("compare", out, out, "--html")):
            done = invoke(*args, out / file)
            assert (done.exit_code, "a file of the output in" in done.stderr) == (2, True), done.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    for name, words in (
        ("", "the name is empty"),
        (tmp_path, "a folder; name a file"),
        (tmp_path / "a/b", "not exist"),
    ):
        for args in (("report", out, "--output"), ("compare", out, out, "--html")):
            done = invoke(*args, name)
            assert (done.exit_code, words in done.stderr) == (2, True), done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_page_replaces_no_device(out: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for args in (("report", out, "--output"), ("compare", out, out, "--html")):
        done = invoke(*args, tmp_path / "pipe")
        assert (done.exit_code, "not a regular file" in done.stderr) == (2, True), done.stderr
    assert (tmp_path / "pipe").is_fifo()


def test_full_statistics_of_a_copied_output_are_those_of_the_output(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy", copy_function=shutil.copyfile))
    tables = [json.loads(invoke("report", folder, "--full", "--json").stdout) for folder in (out, copy)]
    assert tables[0] == tables[1]
    lines = (copy / "ptt.tsv").read_bytes()
    first, tab, rest = lines.partition(b"\t")
    edited = first[-3:] + first[3:-3] + first[:3] + tab + rest  # the first and the last character of the first query
    for changed in (lines.replace(b"\n", b" ", 1), edited):
        assert changed != lines
        (copy / "ptt.tsv").write_bytes(changed)
        (copy / "report.html").unlink(missing_ok=True)
        done = invoke("report", copy, "--full")
        assert (done.exit_code, "ptt.tsv: missing, or changed" in done.stderr) == (3, True)
        assert "ptt.tsv: missing, or changed" in (copy / "report.html").read_text("utf-8")


@pytest.mark.parametrize("full", [(), ("--full",)])
def test_a_page_without_a_file_of_pairs_or_with_a_changed_one_says_so(
    out: Path, tmp_path: Path, full: tuple[str, ...]
) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    with (copy / "ptt.tsv").open("ab") as stream:
        stream.write("多\t出\n".encode())
    changed = invoke("report", copy, *full)
    assert (changed.exit_code, "ptt: no samples: ptt.tsv: changed since the run" in changed.stderr) == (3, True)
    assert "ptt.tsv: changed since the run" in (copy / "report.html").read_text("utf-8")
    (copy / "ptt.tsv").unlink()
    missing = invoke("report", copy, *full)
    assert (missing.exit_code, "ptt: no samples: ptt.tsv: " in missing.stderr) == (3, True)
    assert ("no statistics of all pairs" in missing.stderr) == bool(full)


@pytest.mark.slow
def test_what_a_page_lacks_is_said_and_is_exit_code_3(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    (copy / "index/ptt.jsonl").unlink()
    done = invoke("report", copy, "--json")
    assert (done.exit_code, "ptt: no samples: ptt.jsonl" in done.stderr) == (3, True)
    assert "ptt: no samples: ptt.jsonl" in json.loads(done.stdout)["views"][4]["notes"][0]
    done = invoke("report", copy, "--raw", SAMPLES)
    assert (done.exit_code, "need --full" in done.stderr) == (2, True)
    folder = tmp_path / "ex"
    assert invoke("export", folder, "-q", "--raw", SAMPLES, "-s", "ptt").exit_code == 0
    (folder / "statistics.json").unlink()
    done = invoke("report", folder)
    assert (done.exit_code, "statistics.json: not found; export again" in done.stderr) == (3, True)
    assert "statistics.json: not found" in (folder / "report.html").read_text("utf-8")


def test_a_source_without_a_turn_has_a_page(tmp_path: Path) -> None:
    config = put(tmp_path, {"c.yaml": "filters: {min_chars: 900}\n"}) / "c.yaml"
    done = invoke("-q", "--raw", SAMPLES, "--out", tmp_path / "out", "-s", "sms", "--config", config)
    assert done.exit_code == 0
    assert "not made" not in done.stderr
    assert "no usable turn (rejected: empty 1, length 31); check the filters" in done.stderr
    assert (tmp_path / "out/report.html").is_file()
