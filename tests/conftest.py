"""What all tests share: the options, the bundled samples, and where the real excerpts are, if any."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _english() -> None:
    """Have the program print English, which tests compare, whatever the locale; its encoding stays."""
    if locale := os.environ.pop("LC_ALL", ""):
        os.environ["LC_CTYPE"] = locale
    os.environ["LC_MESSAGES"] = "C"


_english()


def _temporary(name: str) -> Path:
    """A folder that is deleted when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"chat-corpus-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


CACHE = _temporary("cache")


def _default_settings() -> None:
    """Remove the user's settings from the environment: terminal, dates, and libraries that load or download data.

    These libraries read their variables only once, when they are imported, so no test may set one for itself.
    """
    proxies = (f"{scheme}_proxy" for scheme in ("http", "https", "all", "no"))
    dropped = {"columns", "lines", "pythonioencoding", "source_date_epoch", *proxies}
    for name in list(os.environ):
        if name.startswith(("HF_", "HUGGING")) or name.lower() in dropped:
            del os.environ[name]
    os.environ |= {"HF_HOME": str(CACHE), "HF_HUB_DISABLE_TELEMETRY": "1"}


_default_settings()


def _samples() -> Path:
    """A copy of the bundled samples as they are committed, whatever corpora are beside or over them."""
    copy = _temporary("samples")
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "ls-files", "-z", "raw_chat_corpus"], check=True, capture_output=True).stdout
    command = [*git, "checkout-index", "-z", "--stdin", f"--prefix={copy}/"]
    subprocess.run(command, input=listed, check=True, capture_output=True)
    return copy / "raw_chat_corpus"


SAMPLES = _samples()


def _compiled() -> Path | None:
    """A folder for compiled modules, where the environment forbids to write them.

    Tests start the program hundreds of times, and it would be compiled each time. Processes among which tests are
    shared inherit the folder of the first.
    """
    if not sys.dont_write_bytecode or "PYTEST_XDIST_WORKER" in os.environ:
        return None
    folder = _temporary("compiled")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    return folder


COMPILED = _compiled()

# A shell starts jobs in the background deaf to Ctrl-C, and so would be all programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Leave no samples and no cache behind: the processes that tests are shared among end without `atexit`."""
    shutil.rmtree(SAMPLES.parent, ignore_errors=True)
    shutil.rmtree(CACHE, ignore_errors=True)
    if COMPILED is not None:
        shutil.rmtree(COMPILED, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="rewrite golden files; read the diff before committing"
    )


#: Tests with many cases of one kind, or that start several processes, and how many of their cases are tried by default:
#: so many at equal distances. All others are slow.
SOME_BY_DEFAULT = {
    "test_a_broken_line_costs_one_record_in_any_place": 6,
    "test_a_changed_text_file_is_found_by_its_content_too": 2,
    "test_a_clone_of_a_repository_gives_each_exchange_once": 2,
    "test_a_closed_stdout_is_an_error_without_traceback": 1,
    "test_a_corpus_in_a_form_that_is_not_read_is_unusable": 8,
    "test_a_corrupted_stage_fails_the_run_by_name_and_leaves_the_earlier_output": 8,
    "test_a_document_with_much_of_a_corpus_in_it_is_nobodys": 6,
    "test_a_faulty_plugin_is_named_and_exits_2": 14,
    "test_a_file_that_changes_between_two_shards_is_reported": 6,
    "test_a_file_that_is_not_read_is_reported_with_advice": 12,
    "test_a_folder_may_have_any_name": 1,
    "test_a_full_disk_behind_stdout_is_an_error": 1,
    "test_a_full_disk_exits_1_and_leaves_the_earlier_files": 0,
    "test_a_killed_export_is_made_by_the_same_command_again": 0,
    "test_a_known_header_wins_over_lines_that_look_like_a_chat": 3,
    "test_a_layout_is_found_from_the_content": 12,
    "test_a_million_lines_of_nothing_are_accounted_for": 2,
    "test_a_named_layout_is_judged_from_the_content_as_a_found_one": 6,
    "test_a_program_without_any_streams_works": 0,
    "test_a_record_that_breaks_a_rule_is_found_with_its_row": 2,
    "test_a_renamed_sample_is_recognised_or_unknown": 8,
    "test_a_repeated_text_is_traced_to_the_turn_at_its_place": 1,
    "test_a_report_that_names_what_is_no_source_deletes_nothing": 5,
    "test_a_result_that_cannot_be_written_fails_any_command": 7,
    "test_a_row_of_every_format_leads_to_its_record": 3,
    "test_a_run_killed_after_any_shard_goes_on_from_there": 0,
    "test_a_run_killed_at_a_moment_between_two_states_goes_on_from_there": 0,
    "test_a_shape_that_circulates_is_read": 10,
    "test_a_shape_that_is_not_read_is_named_and_gives_nothing": 8,
    "test_a_store_gives_the_data_that_the_raw_corpora_give": 1,
    "test_a_terminal_has_colours_unless_they_are_not_wanted": 1,
    "test_a_worker_killed_at_any_moment_costs_no_shard_and_none_is_counted_twice": 0,
    "test_all_samples_give_the_same_output_in_any_encoding": 0,
    "test_an_answer_in_the_store_has_the_relatedness_to_its_query": 0,
    "test_an_earlier_output_stays_until_the_new_one_is_whole": 0,
    "test_an_edited_index_is_found": 1,
    "test_an_export_has_no_offences": 1,
    "test_an_export_is_the_same_twice_and_dates_come_from_the_environment": 0,
    "test_an_input_that_becomes_another_during_the_run_fails_with_its_name": 5,
    "test_an_interrupted_run_goes_on_and_does_no_shard_twice": 0,
    "test_bytes_do_not_depend_on_who_does_the_work": 0,
    "test_chats_of_other_programs_are_read": 4,
    "test_chunks_and_files_of_any_size_hold_the_same_records": 0,
    "test_clean_turns_come_back_from_the_store_as_they_were": 4,
    "test_commands_work_without_stderr": 1,
    "test_content_made_to_hurt_a_reader_is_rejected": 11,
    "test_cuts_do_not_change_what_is_read": 16,
    "test_datasets_loads_the_folder": 0,
    "test_every_record_of_a_hard_sample_can_be_explained": 4,
    "test_explain_names_the_pass_as_the_rejects_do": 0,
    "test_few_of_the_pairs_of_one_template_are_compared": 1,
    "test_files_json_and_exit_codes_do_not_depend_on_the_locale": 0,
    "test_force_replaces_an_export_and_leaves_nothing_of_it": 0,
    "test_formats_take_time_in_proportion": 11,
    "test_groups_above_the_cap_are_held_and_in_no_split": 0,
    "test_ids_are_unique_and_do_not_depend_on_other_data": 0,
    "test_json_is_utf_8_whatever_the_console": 1,
    "test_libraries_load_the_subsets": 0,
    "test_matches_and_hunks_give_both_files": 2,
    "test_names_that_no_manifest_has_are_offences": 2,
    "test_near_twins_of_evaluation_are_held_with_its_id_and_no_others": 0,
    "test_no_source_has_more_than_the_largest_share": 0,
    "test_nothing_is_traced_by_a_damaged_report": 6,
    "test_nothing_raises_or_is_lost_at_any_cut": 5,
    "test_one_command_reads_a_file": 4,
    "test_other_content_takes_linear_time": 12,
    "test_pairs_equal_the_output_of_the_program": 2,
    "test_pairs_that_resemble_each_other_in_parts_give_those_of_the_definition": 1,
    "test_pandas_pyarrow_polars_and_duckdb_read_the_parquet_files": 0,
    "test_preferences_are_the_wrong_responses_of_the_source_each_once": 0,
    "test_preview_run_and_trace_agree": 0,
    "test_raw_corpora_and_settings_for_pairs_give_the_same_bytes": 0,
    "test_records_after_the_largest_subset_are_held_and_counted": 0,
    "test_repeats_are_those_that_a_set_would_find": 1,
    "test_text_steps_and_conversion_take_time_in_proportion": 2,
    "test_texts_that_all_resemble_each_other_give_what_brute_force_gives": 3,
    "test_the_encoding_of_a_large_file_is_detected": 6,
    "test_the_exit_code_of_a_stopped_program_names_the_signal": 1,
    "test_the_failure_of_a_source_does_not_stop_the_others": 0,
    "test_the_figures_of_files_are_the_same_for_any_shards": 1,
    "test_the_output_does_not_depend_on_the_number_of_processes": 0,
    "test_the_prints_of_a_plugin_are_in_no_result": 0,
    "test_the_python_examples_run": 6,
    "test_the_result_does_not_depend_on_shards": 0,
    "test_the_results_of_a_function_of_a_format_are_checked": 8,
    "test_the_setting_that_was_changed_is_the_cause": 3,
    "test_the_size_of_shards_changes_nothing": 4,
    "test_the_test_of_a_new_source_passes": 0,
    "test_traditional_samples_give_the_same_output_in_big5": 0,
    "test_turns_and_pairs_are_frames_of_the_same_columns_for_every_source": 2,
    "test_what_a_run_wrote_is_not_changed_by_the_filter_of_its_source": 4,
    "test_what_cannot_be_added_is_refused_with_the_reason": 6,
    "test_what_is_held_and_mixed_is_said": 0,
    "test_what_is_not_the_file_never_gets_its_name": 3,
    "test_what_no_run_puts_into_the_work_folder_leads_nowhere": 8,
    "test_what_passes_is_overcome": 1,
    "test_what_the_hub_does_wrong_is_reported": 1,
    "test_what_was_made_of_the_samples_gives_way_to_a_real_corpus": 0,
    "test_where_files_cannot_grow_none_is_half_written": 0,
    "test_workers_read_an_added_corpus_to_the_same_bytes": 0,
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real excerpts are long: tests on them are slow by nature. Of many cases of one kind, most are slow."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "realdata" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
        elif item.get_closest_marker("slow") is None:
            cases.setdefault(getattr(item, "originalname", item.name), []).append(item)
    for name, some in SOME_BY_DEFAULT.items():
        alike = sorted(cases.get(name, []), key=lambda item: item.nodeid)
        chosen = {index * len(alike) // some for index in range(some)} if some else set()
        for index, item in enumerate(alike):
            if index not in chosen:
                item.add_marker(pytest.mark.slow)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many processes as there are processors; one where goldens are rewritten, since two may be in one file."""
    return 0 if config.getoption("--update-goldens") else min(os.cpu_count() or 1, 8)


def examples(suite: int) -> int:
    """How many examples a property is tried on: `suite`, unless CHAT_CORPUS_EXAMPLES asks for another number."""
    return int(os.environ.get("CHAT_CORPUS_EXAMPLES", suite))


def slow_from(first: int, values: Iterable[Any]) -> list[Any]:
    """Parameters, a tuple being those of one test, of which all from index `first` on are marked slow."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        if index >= first
        else value
        for index, value in enumerate(values)
    ]


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command line, run in this process, may leave it deaf to signals: so would be what other tests start."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _is_local(address: object) -> bool:
    """Whether an address is one of this machine: of a socket that can be bound here, or no address of the internet."""
    if not isinstance(address, tuple):
        return True
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.bind((address[0], 0))
        except OSError:
            return False
    return True


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that connects to another machine from this process fails, whatever becomes of the error."""
    attempts: list[object] = []
    connect = socket.socket.connect

    def guarded(one: socket.socket, address: Any) -> None:
        if one.type == socket.SOCK_STREAM and not _is_local(address):
            attempts.append(address)
            raise ConnectionRefusedError(f"{address}: tests do not leave this machine")
        connect(one, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
    assert attempts == [], "tests do not leave this machine"


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, runs that name no number of workers start none: what is tried in a pool names it."""
    monkeypatch.setattr("chat_corpus.engines.select.cores", lambda: 1)


@pytest.fixture
def never_hangs() -> Iterator[None]:
    """A test that waits, for the writer of a FIFO say, is ended."""

    def ended(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(update=bool(request.config.getoption("--update-goldens")))


class Golden:
    """Compare bytes with a committed file, or rewrite it."""

    def __init__(self, *, update: bool) -> None:
        self._update = update

    def check(self, path: Path, actual: bytes) -> None:
        if self._update:
            path.write_bytes(actual)
        assert path.exists(), f"{path.relative_to(ROOT)} is missing: write it with --update-goldens, and read it"
        assert actual.decode("utf-8").split("\n") == path.read_bytes().decode("utf-8").split("\n")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real excerpts, which are no part of the project; a test that wants them skips where they are absent."""
    folder = os.environ.get("CHAT_CORPUS_REALDATA", "")
    if not folder:
        pytest.skip("CHAT_CORPUS_REALDATA does not name a folder with real excerpts")
    if not (Path(folder) / "raw_chat_corpus").is_dir():
        pytest.fail(f"CHAT_CORPUS_REALDATA={folder}: no raw_chat_corpus/ there")
    return Path(folder)
