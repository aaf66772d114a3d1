"""
What is promised, and by which tests it is held. As a script it runs them and writes how many cases were tried into the README.

A case is one input, fault or moment that was tried; tests that try many say how many by ``record_property("cases", n)``.
``pytest --scorecard`` does the same on the way, e.g. of `make test-all`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import readme

HERE = Path(__file__).parent
PROMISES: dict[str, tuple[str, ...]] = {
    "A run that is killed, or refused by the disk, at any step leaves the old report or the new one, and the next run works": (
        "test_publish.py::test_two_hundred_faults_leave_the_old_report_or_the_new_one",
        "test_publish.py::test_a_run_met_by_a_fault_at_any_step_leaves_the_old_report_or_the_new_one",
    ),
    "Ctrl-C, a scheduler's stop and a kill, while loading and while analysing: exit 130, lock released, old report intact": (
        "test_runner.py::test_an_interrupted_run_leaves_the_old_report_and_needs_no_cleaning",
    ),
    "A real run killed while it loads, makes sessions, analyses, renders or publishes: the old report stands, the next run works": (
        "test_batch.py::test_a_real_run_killed_at_any_moment_leaves_the_old_report_and_the_next_run_works",
    ),
    "A dead kernel, a cell that hangs, one that leaves early: told by chapter, cell and line, never a success": (
        "test_chapters.py::test_a_killed_kernel_is_told_within_ten_seconds",
        "test_chapters.py::test_a_cell_that_takes_too_long_is_told",
        "test_chapters.py::test_leaving_early_is_no_success",
        "test_chapters.py::test_an_exception_is_told_by_chapter_cell_and_last_line",
        "test_runner.py::test_a_killed_kernel_publishes_nothing_and_the_next_run_works",
    ),
    "Too little disk, memory or a file size limit: exit 5 in words, nothing half-written": (
        "test_publish.py::test_too_little_space_is_refused_before_the_work",
        "test_publish.py::test_what_the_machine_refuses_is_told_in_words",
        "test_chapters.py::test_a_shortage_of_the_machine_ends_the_run_and_not_only_the_chapter",
        "test_runner.py::test_a_file_size_limit_ends_in_one_message_and_no_file",
    ),
    "An export that changes while it is read is refused": (
        "test_runner.py::test_an_export_that_changes_meanwhile_is_refused",
        "test_files.py::test_a_file_that_changes_while_it_is_read_is_found",
    ),
    "One run of a client at a time; other clients go on": (
        "test_publish.py::test_a_second_run_is_refused_with_the_process_that_holds_the_client",
        "test_runner.py::test_a_second_run_of_the_same_client_is_refused_and_another_client_is_not",
    ),
    "A chapter that cannot be computed says so on the first page and by the exit code; the others stand": (
        "test_runner.py::test_a_chapter_that_raises_is_named_on_the_first_page_and_the_others_stand",
        "test_runner.py::test_a_chapter_without_its_table_says_so_and_is_no_failure",
        "test_runner.py::test_without_one_complete_chapter_nothing_is_published",
    ),
    "Time zone, locale, terminal, home folder and network change no byte of the report": (
        "test_runner.py::test_the_surroundings_change_no_byte",
        "test_runner.py::test_two_runs_on_the_same_input_give_the_same_bytes",
    ),
    "A missing, changed or added file of a run is found": (
        "test_runs.py::test_verify_misses_no_file",
        "test_runs.py::test_verify_sees_changed_and_added_files",
    ),
    "A client's name is one part of a path; no link, archive or pattern leads elsewhere": (
        "test_cli.py::test_a_name_that_is_not_one_part_of_a_path_is_refused_and_creates_nothing",
        "test_cli.py::test_a_client_folder_that_is_a_link_elsewhere_is_refused",
        "test_runs.py::test_an_archive_that_leads_elsewhere_is_refused_and_leaves_nothing",
        "test_files.py::test_nothing_outside_the_client_s_folder_is_found",
        "test_files.py::test_links_that_lead_outside_and_pipes_are_refused_at_once",
    ),
    "Archives that explode are refused in a moment": (
        "test_files.py::test_an_archive_that_explodes_is_refused_in_a_moment",
        "test_runs.py::test_an_archive_that_would_grow_beyond_measure_is_refused",
    ),
    "Nothing of one client is in another's artefacts, in either order and side by side": (
        "test_runner.py::test_nothing_of_one_client_is_in_anothers_artefacts",
        "test_batch.py::test_nothing_of_one_client_reaches_another",
    ),
    "Forty clients in one batch, one of them broken: the others are whole": (
        "test_batch.py::test_forty_clients_one_of_them_broken",
        "test_batch.py::test_a_batch_goes_on_past_a_client_that_fails",
    ),
    "YAML is text: no code, no aliases, no duplicate keys, no guessed types": (
        "test_config.py::test_yaml_that_could_mean_two_things_is_refused",
        "test_config.py::test_values_stay_text_until_the_schema_types_them",
        "test_config.py::test_a_file_too_large_is_not_read",
    ),
    "Mangled configs and exports end in a result or a clear message": (
        "test_fuzz.py::test_a_mangled_config_is_read_or_refused_with_its_line",
        "test_fuzz.py::test_a_mangled_export_is_counted_to_the_last_row_or_refused",
    ),
    "The engine reads and writes in the client's folders alone, and the fence cannot be taken down": (
        "test_engine.py::test_the_engine_reads_and_writes_only_in_its_folders",
        "test_engine.py::test_the_fence_cannot_be_taken_down",
        "test_engine.py::test_names_with_quotes_are_only_names",
    ),
    "Whatever an export writes is inert in the page; no cell of the workbook or CSV is a formula": (
        "test_page.py::test_whatever_the_export_or_the_client_writes_is_inert",
        "test_page.py::test_the_page_asks_for_nothing",
        "test_export.py::test_text_that_a_spreadsheet_would_execute_gets_an_apostrophe",
        "test_export.py::test_no_cell_of_the_workbook_is_a_formula_or_a_link",
    ),
    "Personal data planted in the export are found, and clean texts left alone": (
        "test_privacy.py::test_each_planted_piece_is_found_once_under_its_kind",
        "test_privacy.py::test_order_numbers_dates_prices_articles_and_versions_are_left_alone",
    ),
    "No artefact names this machine; nothing of a client can enter git": (
        "test_runner.py::test_no_artefact_names_this_machine",
        "test_chapters.py::test_evidence_holds_no_path_no_timing_and_no_random_id",
        "test_layout.py::test_nothing_of_a_client_can_enter_git",
        "test_batch.py::test_nothing_of_a_client_is_staged_by_git",
    ),
}


class Count:
    """Counts what passed, by promise, and writes it into the README."""

    def __init__(self, readme: Path) -> None:
        self.readme = readme
        self.cases: dict[str, int] = dict.fromkeys(PROMISES, 0)
        self.broken: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.removeprefix("tests/").split("[")[0]
        for promise, tests in PROMISES.items():
            if name in tests:
                self.broken |= {promise} if report.failed or report.skipped else set()
                if report.when == "call" and report.passed:
                    self.cases[promise] += int(dict(report.user_properties).get("cases", 1))

    def pytest_sessionfinish(self) -> None:
        untried = self.broken | {promise for promise, cases in self.cases.items() if not cases}
        if untried:
            print("\nThe README was left as it is. Not held, or not tried:", *sorted(untried), sep="\n  ")
        else:
            readme.write(self.readme, "promises", table(self.cases))
            print(f"\n{self.readme.name}: {sum(self.cases.values()):,} cases of {len(self.cases)} promises")


def table(cases: Mapping[str, int]) -> str:
    """Return the promises with the cases tried and where their tests stand."""
    lines = ["| Promise | Cases tried | Where |", "| --- | ---: | --- |"]
    for promise, tests in PROMISES.items():
        where = ", ".join(f"`{name}`" for name in sorted({test.split("::")[0] for test in tests}))
        lines.append(f"| {promise} | {cases[promise]:,} | {where} |")
    return "\n".join(lines) + "\n"


def written(content: str) -> dict[str, int]:
    """Return promise -> cases from what `table` returned."""
    rows = [line.strip("| ").split(" | ") for line in content.splitlines()[2:]]
    return {promise: int(cases.replace(",", "")) for promise, cases, _ in rows}


if __name__ == "__main__":
    wanted = dict.fromkeys(str(HERE / test) for tests in PROMISES.values() for test in tests)
    sys.exit(pytest.main(["--scorecard", *sys.argv[1:], *wanted]))
