"""The command: instant help, one message and an exit code for whatever goes wrong, never a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from inputs import as_csv, changed, clean, config, written

import conversion_audit
from conversion_audit import batch, cli
from conversion_audit.batch import Ended
from conversion_audit.folders import Folders

NAMES = [
    "../../etc", "a/b", "con", "nul", "com1", ".git", ".", "..", "", " ", "acme ", " acme", "acme.", "acme\x00", "Acme", "ACME",
    "Ａcme", "ａcme", "acmé", "acme\n", "-acme", "_acme", "~", "~root", "$HOME", "acme;ls", "acme|ls", "acme&", "a*", "a?", "[a]",
    "'acme'", '"acme"', "a\\b", "C:", "C:\\x", "/etc", "acme/../x", "%2e%2e", "a" * 64, "lpt9", "aux",
]  # fmt: skip


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Call the command in this process."""
    code = cli.guarded(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_help_groups_the_commands(capsys, audit_home):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")] == [
        "Options:",
        *(f"{heading}:" for heading in cli.HEADINGS),
    ]
    assert "..." not in out.replace("ARGS]...", "")


def test_every_command_stands_under_a_heading():
    assert {one.rich_help_panel for one in cli.command().commands.values()} == set(cli.HEADINGS)


def cpu(*command: str) -> float:
    """CPU seconds of a Python process, the best of three."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)"
    code += "; u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
    asked = [sys.executable, "-c", code, sys.executable, *command]
    return min(float(subprocess.check_output(asked)) for _ in range(3))


def test_help_costs_little_more_than_the_library_that_prints_it():
    assert cpu("-m", "conversion_audit.cli", "--help") < 2.5 * cpu("-c", "import typer")


def test_help_imports_nothing_heavy():
    code = "import sys, conversion_audit.cli; print([m for m in ('pandas', 'duckdb', 'rich', 'papermill', 'numpy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_is_not_one_part_of_a_path_is_refused_and_creates_nothing(name, capsys, audit_home):
    for command in (
        ["run", "--", name],
        ["new", "--from", str(audit_home), "--", name],
        ["forget", "--yes", "--", name],
    ):
        code, out, err = run(capsys, *command)
        assert code == 2
        assert out == ""
        assert err.startswith("audit: ")
        assert "Traceback" not in err
    assert sorted(path.relative_to(audit_home).as_posix() for path in audit_home.rglob("*")) == ["data", "reports"]


def test_a_client_folder_that_is_a_link_elsewhere_is_refused(capsys, audit_home, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (audit_home / "data" / "acme").symlink_to(elsewhere)
    code, _, err = run(capsys, "run", "acme")
    assert code == 2
    assert err == (
        "audit: data/acme: the client's folder is a link that leads elsewhere\n"
        "    Clients are kept apart by their folders.\n"
        "    Replace the link by a real folder.\n"
    )


def test_an_unknown_client_is_told_with_those_there_are_and_the_closest(capsys, audit_home):
    (audit_home / "data" / "northlight").mkdir()
    (audit_home / "data" / "northlight" / "audit.yaml").write_text("client: N\n")
    code, _, err = run(capsys, "check", "northligt")
    assert code == 2
    assert err == (
        "audit: data/northligt/audit.yaml: there is no client 'northligt'; did you mean 'northlight'?\n"
        "    Clients here: northlight.\n"
        "    Make it with: audit new northligt --from PATH-TO-EXPORT\n"
    )


def test_an_export_that_lies_in_raw_already_needs_no_path(capsys, audit_home):
    raw = audit_home / "data" / "acme" / "raw"
    raw.mkdir(parents=True)
    there = "    Put it into data/acme/raw/, or type: audit new acme --from PATH-TO-EXPORT\n"
    assert run(capsys, "new", "acme") == (2, "", f"audit: no export given\n{there}")
    (raw / "log.csv").write_bytes(as_csv(clean()))
    code, _, err = run(capsys, "run", "acme")
    assert (code, err.splitlines()[-1]) == (2, "    Its export lies there; write its audit.yaml with: audit new acme")


def test_the_command_says_which_version_it_is(capsys):
    assert run(capsys, "--version") == (0, f"audit {conversion_audit.__version__}\n", "")


def test_an_export_does_not_steer_the_terminal_that_tells_of_it(capsys, audit_home):
    rows = changed(clean(), {n: {"what": "add_\x1b[31m\x1b]0;mine\x07\x9b\u202e"} for n in (2, 6)})
    written(audit_home, {"a\x1b[31m.csv": as_csv(rows), "b\x1b[31m.csv": b"x\n1\n"}, config().replace("/*", "/a*"))
    cli.guarded(["check", "acme"])
    cli.guarded(["sql", "acme", "SELECT event FROM events"])
    cli.guarded(["run", "acme", "--start", "1999-01-01", "--end", "1999-01-02"])
    told = "".join(capsys.readouterr())
    assert "\\x1b[31m\\x1b]0;mine\\x07\\x9b\\u202e" in told
    assert "b[31m.csv" in told  # the sentences of the report leave it out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told)


def test_a_refusal_quotes_no_personal_data(capsys, audit_home):
    written(audit_home, b"jo@example.com,+49 171 1234567\n1,2\n")
    for more in ([], ["--json"]):
        assert cli.guarded(["check", "acme", *more]) == 4
        told = "".join(capsys.readouterr())
        assert "[email]" in told
        assert "jo@example.com" not in told
        assert "1234567" not in told


def test_an_error_is_one_json_object_where_a_scheduler_reads(capsys, audit_home):
    code, out, err = run(capsys, "run", "nobody", "--json")
    answer = json.loads(out)
    assert (code, err, answer["status"], answer["exit"]) == (2, "", "error", 2)
    assert answer["errors"][0].startswith("data/nobody/audit.yaml: there is no client 'nobody'")


def test_an_unknown_command_or_option_is_a_usage_error(capsys, audit_home):
    assert run(capsys, "new", "acme", "export.csv")[2] == (
        "audit: Got unexpected extra argument(s) (export.csv)\n"
        "    Options that take a value: --from PATH, --site KIND, --columns TARGET=COLUMN,...\n    See: audit new --help\n"
    )
    assert run(capsys, "rnu") == (2, "", "audit: No such command 'rnu'. Did you mean 'run'?\n    See: audit --help\n")
    assert run(capsys, "run", "acme", "--fast")[0] == 2
    assert run(capsys, "run")[2] == (
        "audit: name clients, or say --all\n    E.g. audit run acme, audit run acme globex, audit run --all\n"
    )
    assert run(capsys, "run", "--all")[2] == (
        "audit: data/: there are no clients yet\n    Make one with: audit new acme --from PATH-TO-EXPORT\n"
    )


def test_a_bug_is_exit_70_without_a_traceback_and_with_one_on_demand(capsys, audit_home, monkeypatch):
    def broken():
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("conversion_audit.folders.clients", broken)
    code, _, err = run(capsys, "run", "--all")
    assert (code, "Traceback" in err) == (70, False)
    assert err.startswith("audit: this is a bug of ours: ZeroDivisionError: oh\n")
    code, _, err = run(capsys, "run", "--all", "--debug")
    assert (code, "Traceback" in err) == (70, True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full\n    Free some space, then run this again."),
        (
            OSError(errno.EROFS, "x", "/srv/agency/reports/acme/handover"),
            "acme/handover: the file system is read-only\n    Set AUDIT_HOME to a folder that can be written.",
        ),
        (MemoryError(), "out of memory\n    Close other programs, or use --memory 2GB."),
    ],
)
@pytest.mark.parametrize("command", ["handover", "pack"])
def test_what_the_machine_refuses_is_no_bug_of_ours_in_any_command(
    command, said, words, capsys, audit_home, monkeypatch
):
    def refuse(*_, **__):
        raise said

    monkeypatch.setattr(f"conversion_audit.archive.{command}", refuse)
    code, out, err = run(capsys, command, "acme", "--to", "acme.zip")
    assert (code, out, err) == (5, "", f"audit: {words}\n")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
@pytest.mark.parametrize(("before", "goes_on"), [(lambda *_: None, False), (signal.SIG_IGN, True)])
def test_a_closed_terminal_ends_a_command_as_ctrl_c_does_and_nohup_does_not(before, goes_on, monkeypatch):
    kept = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    monkeypatch.setattr(cli, "guarded", lambda _: signal.raise_signal(signal.SIGHUP))
    try:
        signal.signal(signal.SIGHUP, before)
        with pytest.raises(SystemExit if goes_on else KeyboardInterrupt):
            cli.main()
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def test_forgetting_needs_a_yes(capsys, audit_home, monkeypatch):
    Folders("acme").raw.mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", StringIO())
    code, _, err = run(capsys, "forget", "acme")
    assert (code, Folders("acme").raw.is_dir()) == (2, True)
    assert err == "audit: data/acme: nothing was removed\n    Confirm with: audit forget acme --yes\n"
    code, out, _ = run(capsys, "forget", "acme", "--yes")
    assert (code, Folders("acme").data.exists()) == (0, False)
    assert out == "Removed data/acme.\n"


@pytest.mark.parametrize(
    ("codes", "code"),
    [([0, 0], 0), ([0, 1], 1), ([0, 4], 1), ([1, 70], 1), ([4, 5], 5), ([3], 3), ([], 0)],
)
def test_a_batch_has_one_exit_code(codes, code):
    assert batch.exit_code([Ended(str(n), one, {}) for n, one in enumerate(codes)]) == code


def test_output_to_a_reader_that_is_gone_is_no_error(audit_home):
    command = f"{sys.executable} -m conversion_audit.cli --help | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert (done.stderr, done.stdout) == ("", "Usage: audit [OPTIONS] COMMAND [ARGS]...\n")


@pytest.mark.parametrize("command", ["list", "sql acme"])
def test_a_reader_that_is_gone_needs_nobody(command, audit_home):
    Folders("acme").data.mkdir()
    Folders("acme").config.write_text("client: Acme\n")
    piped = f"{{ {sys.executable} -m conversion_audit.cli {command}; echo $? >&2; }} | true"
    assert subprocess.run(piped, shell=True, capture_output=True, text=True).stderr == "0\n"


def test_the_package_runs_from_any_folder(audit_home, tmp_path):
    done = subprocess.run(
        [Path(sys.executable).with_name("audit"), "list"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
