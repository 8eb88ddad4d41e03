"""The `normalize` verb: one line in, one line out, as soon as it is there."""

from __future__ import annotations

import contextlib
import io
import itertools
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, BinaryIO, ClassVar, cast

import pytest
from click.testing import Result

from chat_corpus import pairs, sources
from chat_corpus.cli import normalize_lines as filter_
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT, SAMPLES, slow_from
from tests.helpers import invoke, put

PLAIN = filter_.Filter.of(Settings(), None)
WEIBO = filter_.Filter.of(Settings(), sources.load()["weibo"])


def normalized(data: bytes, *args: str) -> Result:
    return invoke("normalize", *args, stdin=data)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("這裡  有人嗎？\n", "这里 有人吗？\n"),
        ("一\n\n \n二\n", "一\n\n\n二\n"),
        ("一\r\n二\r\n", "一\n二\n"),
        ("没有换行", "没有换行\n"),
        ("", ""),
        ("\n", "\n"),
        ("\ufeff一\n二\n", "一\n二\n"),
        ("一\u2028二\x0b三\x85四\n五\n", "一 二 三 四\n五\n"),
        ("一\r二\n三\n", "一\\n二\n三\n"),
        ("一<br>二&#10;三\n四\n", "一\\n二\\n三\n四\n"),
        ("a\tb\n", "a b\n"),
    ],
    ids=["text", "blank lines", "CR LF", "no last line break", "nothing", "a line break", "BOM", "other breaks", "CR",
         "breaks by markup", "tab"],
)  # fmt: skip
def test_one_line_goes_in_and_one_comes_out(given: str, expected: str) -> None:
    done = normalized(given.encode())
    assert (done.exit_code, done.stdout_bytes.decode(), done.stderr) == (0, expected, "")


def test_bad_bytes_pass_unchanged_and_exit_1_with_their_lines() -> None:
    bad = "這裡\n".encode() + b"\xff\xfe x  y\n" + "嗎\n".encode() + b"\xe4\xb8"
    done = normalized(bad)
    assert done.stdout_bytes == "这里\n".encode() + b"\xff\xfe x  y\n" + "吗\n".encode() + b"\xe4\xb8\n"
    assert done.exit_code == 1
    assert done.stderr == "error: <stdin>: 2 lines not in UTF-8, written unchanged: 2, 4\n"


def test_of_many_bad_lines_the_first_are_named() -> None:
    done = normalized(b"\xff\n" * 7)
    assert "7 lines not in UTF-8, written unchanged: 1, 2, 3, 4, 5, …" in done.stderr


def test_segmentation_is_undone_for_a_source_that_has_it() -> None:
    text = "今天 天气 真 好 ， 我 用 iPhone 6 plus\n"
    assert normalized(text.encode(), "--source", "weibo").stdout == "今天天气真好，我用iPhone 6 plus\n"
    assert normalized(text.encode()).stdout == text


SLASHES = "圣母/妓女情结\n/\n好的/不好\n十点/十一点\n"


@pytest.mark.parametrize("name", ["subtitle", "xiaohuangji"])
def test_slashes_stay_if_a_line_may_be_segmented_or_not(name: str, tmp_path: Path) -> None:
    turns = [*SLASHES.splitlines(), *(f"第{number}句没有分词的话" for number in range(9))]
    conv = "".join(f"E\nM {turn}\nM 好\n" for turn in turns)
    raw = put(tmp_path, {f"{name}.conv" if name == "xiaohuangji" else "lost.conv": conv})
    assert next(pairs(name, raw))["query"].to_list() == turns
    assert normalized(SLASHES.encode(), "-s", name).stdout == SLASHES


def test_the_settings_say_whether_lines_are_segmented(tmp_path: Path) -> None:
    config = put(tmp_path, {"a.yaml": "read: {segmentation: slash}", "b.yaml": "read: {segmentation: none}"})
    result = normalized("今天/天气/好\n".encode(), "-s", "subtitle", "--config", str(config / "a.yaml"))
    assert result.stdout == "今天天气好\n"
    assert normalized("早 啊\n".encode(), "-s", "weibo", "--config", str(config / "b.yaml")).stdout == "早 啊\n"


def rewritten(raw: Path, name: str) -> tuple[bytes, bytes]:
    """The queries and answers that a run over `raw` gives, and what the filter makes of these lines."""
    rows = [row for frame in pairs(name, raw) for row in frame.select("query", "answer").iter_rows()]
    texts = [text.replace("\n", r"\n").replace("\t", " ") for row in rows for text in row]
    clean = "".join(f"{text}\n" for text in texts).encode()
    return clean, filter_.Filter.of(Settings(), sources.load()[name]).lines(clean, 1)[0]


@pytest.mark.parametrize("name", sorted(sources.load()))
@pytest.mark.parametrize("hard", slow_from(1, [True, False]), ids=["hard samples", "samples"])
def test_what_a_run_wrote_is_not_changed_by_the_filter_of_its_source(name: str, *, hard: bool) -> None:
    clean, again = rewritten(ROOT / "tests" / "sources" / name / "raw" if hard else SAMPLES, name)
    assert again.decode().splitlines() == clean.decode().splitlines()
    assert clean or name == "sms"


@pytest.mark.parametrize("name", ["douban", "ptt", "tieba", "weibo", "xiaohuangji"])
def test_what_a_run_over_real_excerpts_wrote_is_not_changed_either(name: str, realdata: Path) -> None:
    clean, again = rewritten(realdata / "raw_chat_corpus", name)
    assert again.decode().splitlines() == clean.decode().splitlines()


def test_a_source_brings_its_markup_and_its_script() -> None:
    assert normalized("{br}是的{face:5}".encode(), "-s", "qingyun").stdout == "是的\n"
    assert normalized("{br}是的{face:5}".encode()).stdout == "{br}是的{face:5}\n"


def test_settings_hold_for_the_filter_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = tmp_path_factory.mktemp("config") / "my.yaml"
    config.write_text("text: {max_repeats: {limit: 1}}\nsources: {weibo: {text: {max_repeats: {limit: 2}}}}\n")
    assert normalized("哈哈哈哈".encode(), "--config", str(config)).stdout == "哈\n"
    assert normalized("哈哈哈哈".encode(), "--config", str(config), "-s", "weibo").stdout == "哈哈\n"


TWO = pytest.param("weibo,ptt")


@pytest.mark.parametrize("name", ["wiebo", TWO])
def test_what_is_not_the_name_of_one_source_exits_2(name: str) -> None:
    done = normalized(b"x\n", "--source", name)
    assert (done.exit_code, done.stdout) == (2, "")


def test_explain_shows_each_step_that_changes_a_line() -> None:
    done = normalized("ＯＫ！！！！！\n沒事\n好\n".encode(), "--explain")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "1\tＯＫ！！！！！", "\twidth\tOK！！！！！", "\tpunctuation\tOK！！！",
        "2\t沒事", "\tconversion (traditional)\t没事",
        "3\t好",
    ]  # fmt: skip


def test_explain_keeps_a_change_on_one_line_and_control_characters_from_the_terminal() -> None:
    done = normalized("一<br>二\x1b[31m\n".encode() + b"\xff\x1b\n", "--explain")
    assert done.stdout.splitlines()[:2] == [r"1" + "\t一<br>二" + r"\x1b[31m", r"	invisible	一<br>二[31m"]
    assert "\ttags\t一\\n二[31m" in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == "2\t(not in UTF-8, unchanged)"
    assert "\x1b" not in done.stdout


def test_what_explain_ends_with_is_what_the_filter_writes() -> None:
    for result in (PLAIN, WEIBO):
        for text in (
            "沒 事 ， ＯＫ ！！！！！",
            "一<br>&amp;lt;二  三",
            "哈 哈 哈 哈 哈 哈 哈 哈 //@某人 : 轉發",
            "好",
        ):
            *_, last = [("", text), *result.explained(text)]
            written, _ = result.lines(text.encode(), 1)
            assert written.decode() == last[1].replace("\n", "\\n") + "\n"


def test_lines_come_out_before_the_next_go_in() -> None:
    command = [sys.executable, str(ROOT / "main.py"), "normalize"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        given, shown = process.stdin, process.stdout
        assert given is not None
        assert shown is not None
        for line, expected in (("這裡\n", "这里\n"), ("一\n二", "一\n"), ("三\n", "二三\n")):
            given.write(line.encode())
            given.flush()
            assert shown.readline().decode() == expected  # waits for ever where the filter waits for more
        given.close()
        assert shown.read() == b""
    assert process.returncode == 0


def test_a_reader_that_goes_away_ends_the_filter_without_a_traceback() -> None:
    command = [sys.executable, str(ROOT / "main.py"), "normalize"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        streams: list[IO[bytes] | None] = [process.stdin, process.stdout, process.stderr]
        given, shown, errors = (stream for stream in streams if stream is not None)
        shown.close()
        with contextlib.suppress(BrokenPipeError):
            given.write("這裡\n".encode() * 99_999)
        with contextlib.suppress(BrokenPipeError):
            given.close()
        result = errors.read().decode()
    assert "Traceback" not in result


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        got = self._data.read(min(self._size, len(buffer)))
        buffer[: len(got)] = got
        return len(got)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_how_the_bytes_arrive_changes_nothing(size: int) -> None:
    data = "\ufeff這裡  一\n".encode() + b"\xff\n" + "二\r\n\n哈哈哈哈哈哈哈\n末".encode()
    out = io.BytesIO()
    bad = filter_.run(WEIBO, io.BufferedReader(Trickle(data, size)), out)
    assert (bad, out.getvalue().split(b"\n")[1:]) == (
        {filter_.Fault.NOT_UTF8: [2]}, [b"\xff", "二".encode(), b"", "哈哈哈哈哈".encode(), "末".encode(), b""],
    )  # fmt: skip


def test_a_line_is_treated_alike_alone_and_among_others() -> None:
    lines = ["這裡有人嗎？", "什么", "乾坤", "ＡＢＣ", "哈哈哈哈哈哈哈哈"] * 3
    together, _ = PLAIN.lines("\n".join(lines).encode(), 1)
    alone = b"".join(PLAIN.lines(line.encode(), 1)[0] for line in lines)
    assert together == alone


def test_a_stream_that_fails_gives_its_lines_and_then_its_error() -> None:
    class Failing(io.RawIOBase):
        def __init__(self) -> None:
            self.blocks = [b"a\nb", b"c\nd"]

        def read(self, size: int = -1) -> bytes:
            if not self.blocks:
                raise OSError(5, f"no more than {size} bytes")
            return self.blocks.pop(0)

    lines = filter_.whole_lines(cast("BinaryIO", Failing()))
    assert list(itertools.islice(lines, 1)) in ([(b"a\n", False)], [(b"a\nbc\n", False)])
    with pytest.raises(OSError, match="no more"):
        list(lines)


LONG = "這".encode() * 400_000  # 1.2 MB


@pytest.mark.parametrize("size", [1000, 1 << 17, 1 << 22])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_that_is_too_long_is_written_unchanged(end: bytes, size: int) -> None:
    data = "這\n".encode() + LONG + b"\n" + "裡\n".encode() + LONG + end
    out = io.BytesIO()
    unchanged = filter_.run(PLAIN, io.BufferedReader(Trickle(data, size)), out)
    assert out.getvalue() == "这\n".encode() + LONG + b"\n" + "里\n".encode() + LONG + end
    assert unchanged == {filter_.Fault.TOO_LONG: [2, 4]}
    result = list(filter_.explain(PLAIN, io.BufferedReader(Trickle(data, size)), {}))
    assert [line for line in result if not line.startswith("\t")] == [
        "1\t這", "2\t(longer than 1 MiB, unchanged)", "3\t裡", "4\t(longer than 1 MiB, unchanged)",
    ]  # fmt: skip


def test_a_line_of_the_greatest_length_is_worked_on_however_it_arrives() -> None:
    line = "裡".encode() * (filter_.LONGEST // 3) + b"\n"
    for size in (1000, 1 << 20):
        out = io.BytesIO()
        assert filter_.run(PLAIN, io.BufferedReader(Trickle(line, size)), out) == {}
        assert out.getvalue().startswith("里".encode())


def test_a_stream_that_has_nothing_yet_is_waited_for() -> None:
    class Late(io.RawIOBase):
        blocks: ClassVar[list[bytes | None]] = [None, "這\n裡".encode(), None, None, b"\n", b""]

        def read(self, size: int = -1) -> bytes | None:  # noqa: ARG002 one block at a time
            return self.blocks.pop(0)

    out = io.BytesIO()
    assert filter_.run(PLAIN, cast("BinaryIO", Late()), out) == {}
    assert out.getvalue().decode() == "这\n里\n"


def test_personal_data_is_masked_as_the_settings_say() -> None:
    filters = FilterOptions(phone="mask", qq="drop", min_chars=5)
    masking = filter_.Filter.of(SourceSettings(filters=filters), None)
    out = io.BytesIO()
    assert filter_.run(masking, io.BytesIO("電話13800138000，QQ：123456789\n".encode() + b"\xff\n"), out) == {
        filter_.Fault.NOT_UTF8: [2]
    }
    assert out.getvalue() == "电话<PHONE>，QQ：123456789\n".encode() + b"\xff\n"
    shown = list(filter_.explain(masking, io.BytesIO("手机13800138000\n".encode()), {}))
    assert shown[-1] == "\tmasking\t手机<PHONE>"


def test_settings_that_drop_lines_are_named() -> None:
    result = normalized("手机13800138000\n".encode(), "--profile", "strict")
    assert result.stdout == "手机<PHONE>\n"
    assert result.stderr.startswith(
        "warning: no line is dropped, so these settings have no effect: filters.max_damaged,"
    )
