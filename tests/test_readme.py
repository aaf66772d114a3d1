"""The README promises nothing that is not there: its parts are those of the code, its commands and paths exist."""

from __future__ import annotations

import re

import pytest
import readme
from readme import DATA, README, REPOSITORY, part

from conversion_audit import cli

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "name"), readme.PARTS, ids=lambda value: str(getattr(value, "name", value)))
def test_a_part_written_from_the_code_is_up_to_date(path, name):
    assert part(path, name) == readme.PARTS[path, name](), "run: make readme"


def test_every_command_in_the_text_exists_with_its_options():
    commands = cli.command().commands
    texts = TEXT + DATA.read_text(encoding="utf-8") + (REPOSITORY / "reports" / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", texts, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", texts, flags=re.MULTILINE | re.DOTALL))
    lines = [*spans, *(line for block in blocks for line in block.splitlines())]
    found = [match.groups() for line in lines if (match := re.match(r"(?:\S*[\\/])?audit ([a-z]+)\b([^#]*)", line))]
    assert found
    for name, rest in found:
        assert name in commands, f"audit {name}"
        known = {option for parameter in commands[name].params for option in parameter.opts} | {"--debug"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"audit {name}{rest}"


def test_every_make_target_in_the_text_exists():
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {one or other for one, other in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", TEXT, re.MULTILINE)}
    assert named <= targets


def test_the_tour_names_modules_that_exist():
    for modules, _ in readme.TOUR.values():
        for module in re.findall(r"`([^`]+)`", modules):
            package = REPOSITORY / "src" / "conversion_audit" / module
            assert package.with_suffix(".py").is_file() or package.is_dir(), module


def test_every_link_leads_somewhere():
    for page in (README, DATA, REPOSITORY / "reports" / "README.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_promise_is_held_by_tests_that_exist():
    from scorecard import PROMISES

    for name in (test for tests in PROMISES.values() for test in tests):
        file, function = name.split("::")
        assert f"def {function}(" in (REPOSITORY / "tests" / file).read_text(encoding="utf-8"), name


def test_the_promises_stand_in_the_readme_with_the_cases_the_tests_counted():
    from scorecard import PROMISES, table, written

    told = part(README, "promises")
    assert written(told).keys() == PROMISES.keys(), "run: make scorecard"
    assert table(written(told)) == told
    assert min(written(told).values()) > 0
