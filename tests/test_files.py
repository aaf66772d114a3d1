from __future__ import annotations

import gzip
import io
import os
import time
import zipfile

import duckdb
import pytest

from conversion_audit.errors import DataError
from conversion_audit.intake import files, peek, sources

CSV = b"time,event,visitor_id\n2026-03-02,view,1\n"


@pytest.fixture
def client(tmp_path):
    (tmp_path / "client" / "raw").mkdir(parents=True)
    return tmp_path / "client"


def write(client, name: str, data: bytes):
    path = client / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def opened(client, **options):
    return files.open_files(files.find(client, ["raw"]), client, client / "scratch", **options)


def refusal(client) -> str:
    with pytest.raises(DataError) as error:
        opened(client)
    return str(error.value)


def test_patterns_folders_and_plain_names_find_files_in_order(client):
    for name in ("b.csv", "a.csv", "deep/c.csv", ".DS_Store", "_SUCCESS"):
        write(client, name, CSV)
    names = lambda *patterns: [path.name for path in files.find(client, list(patterns))]  # noqa: E731
    assert names("raw/*.csv") == ["a.csv", "b.csv"]
    assert names("raw/**/*.csv", "raw/a.csv") == ["a.csv", "b.csv", "c.csv"]
    assert names("raw") == ["a.csv", "b.csv", "c.csv"]


def test_a_name_with_pattern_characters_is_a_name_first(client):
    write(client, "g[1].csv", CSV)
    assert [path.name for path in files.find(client, ["raw/g[1].csv"])] == ["g[1].csv"]


def test_a_pattern_without_a_match_says_what_is_there(client):
    write(client, "a.csv", CSV)
    with pytest.raises(DataError) as error:
        files.find(client, ["raw/*.json"])
    assert str(error.value) == (
        "raw/*.json: no file matches\n    Files there: raw/a.csv.\n"
        "    Put the export into raw/, or correct `files` in audit.yaml."
    )


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../other/raw/*.csv", "raw/../../other/raw/x.csv"])
def test_nothing_outside_the_client_s_folder_is_found(client, pattern):
    write(client.parent / "other", "x.csv", CSV)
    with pytest.raises(DataError, match="no file matches"):
        files.find(client, [pattern])


def test_links_that_lead_outside_and_pipes_are_refused_at_once(client):
    (client / "raw" / "passwd.csv").symlink_to("/etc/passwd")
    (client / "raw" / "gone.csv").symlink_to(client / "raw" / "nowhere.csv")
    os.mkfifo(client / "raw" / "pipe.csv")
    with pytest.raises(DataError) as error:
        files.find(client, ["raw"])
    assert str(error.value) == (
        "- raw/gone.csv: cannot be opened: No such file or directory\n    Put the file there again.\n"
        "- raw/passwd.csv: is a link that leads outside the client's folder\n    Copy the file here instead.\n"
        "- raw/pipe.csv: is not a regular file\n    A pipe or device never ends.\n    Save it as a file."
    )


def test_an_empty_export_is_refused(client):
    write(client, "events.csv", b"")
    assert refusal(client) == (
        "raw/events.csv: is empty (0 bytes)\n    There is nothing to audit.\n    Export it again."
    )


@pytest.mark.parametrize(
    ("text", "columns", "skip"),
    [
        ("Report\n1. Oktober 2026 - 31. Oktober 2026\nTag,Impr.,Klicks\n1,2,3\n4,5,6\n", ("Tag", "Impr.", "Klicks"), 2),
        (
            "Backend\nat 12.11., 08:00\n\nTime;Visitor;Event;Page\n1;a;b;/\n2;a;b;/\n",
            ("Time", "Visitor", "Event", "Page"),
            3,
        ),
        ("message\nHello, my, friend\nDear, old, friend\nno comma\none, comma\n", ("message",), 0),
        ("a,b,c,d,e,f\n1,2,3,4,5,6\n", ("a", "b", "c", "d", "e", "f"), 0),
        ("a,b\n1,2,3,4,5,6\n1,2,3,4,5,6\n", ("a", "b"), 0),
    ],
)
def test_the_header_is_found_below_a_report_s_title(text, columns, skip):
    found = peek.shape_of(text, None)
    assert (found.columns, found.skip) == (columns, skip)


def test_lines_above_the_header_are_said(client):
    write(client, "a.csv", b"Report\nDay,Impr.,Clicks\nx,2,3\ny,5,6\n")
    (found,) = opened(client)
    assert found.records[0] == {"Day": "x", "Impr.": "2", "Clicks": "3"}
    assert found.notes == ("raw/a.csv: lines above the header left out: 1",)


def test_a_header_alone_is_refused_and_beside_rows_it_is_not(client):
    write(client, "a.csv", b"time,event,visitor_id\n")
    assert refusal(client) == (
        "raw/a.csv: has a header but no rows\n    There is nothing to audit.\n    Export it again."
    )
    write(client, "b.csv", CSV)
    write(client, "c.csv", b"")
    assert [(file.name, file.is_empty) for file in opened(client)] == [
        ("raw/a.csv", True), ("raw/b.csv", False), ("raw/c.csv", True),
    ]  # fmt: skip


def workbook() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


def parquet(folder) -> bytes:
    path = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT range AS a, 'x' || range AS b FROM range(5000)) TO '{path}' (FORMAT parquet)")
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("orders.csv", workbook(), "is an Excel workbook\n    Only text (CSV, JSON) and Parquet are read.\n"
         "    Open it and save the sheet as 'CSV UTF-8', or export CSV from the tool. If it is not part of the export, take it out of the folder."),
        ("orders.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "is an Excel workbook\n    Only text (CSV, JSON) and Parquet are read.\n"
         "    Open it and save the sheet as 'CSV UTF-8', or export CSV from the tool. If it is not part of the export, take it out of the folder."),
        ("a.csv", b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page, not an export\n"
         "    It holds no rows that could be read.\n    The download link had expired or asked for a login: export it again."),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "is a git-lfs pointer, not the file itself\n"
         "    It holds no rows that could be read.\n    Run: git lfs pull"),
        (".a.csv.icloud", b"bplist00", "is only a placeholder: the file is still in iCloud\n    It holds no rows that could be read.\n"
         "    Download it in the Finder first, then copy it here."),
        ("a.pdf", b"%PDF-1.7", "is a PDF\n    Only text (CSV, JSON) and Parquet are read.\n    Export the data as CSV or JSON lines instead."
         " If it is not part of the export, take it out of the folder."),
    ],
)  # fmt: skip
def test_what_is_not_an_export_is_named_for_what_it_is(client, name, data, message):
    write(client, name, data)
    assert refusal(client) == f"raw/{name}: {message}"


def test_a_web_page_inside_an_archive_is_named_too(client):
    write(client, "a.csv.gz", gzip.compress(b"<html>Sign in</html>"))
    assert refusal(client).startswith("raw/a.csv.gz: is a web page, not an export")


def test_a_parquet_file_without_its_end_is_named(client, tmp_path):
    write(client, "a.parquet", parquet(tmp_path)[:-30])
    assert refusal(client) == (
        "raw/a.parquet: is a Parquet file without its end: the copy is incomplete or damaged\n"
        "    It holds no rows that could be read.\n"
        "    Copy or export it again; a Parquet file cannot be read without its footer."
    )


def test_a_damaged_parquet_page_is_named(client, tmp_path):
    data = bytearray(parquet(tmp_path))
    data[4:3000] = b"\xff" * 2996
    write(client, "a.parquet", bytes(data))
    assert refusal(client).startswith("raw/a.parquet: is a damaged Parquet file: ")


def test_archives_are_opened_member_by_member_under_names_of_ours(client):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../evil.csv", CSV)
        archive.writestr("folder/b.csv", CSV)
        archive.writestr("readme.md", "hello")
        archive.writestr("__MACOSX/._b.csv", "x")
    write(client, "all.zip", packed.getvalue())
    found = opened(client)
    assert [file.name for file in found] == ["raw/all.zip/0001-evil.csv", "raw/all.zip/0002-b.csv"]
    assert {file.path.parent.parent for file in found} == {client / "scratch"}


def test_an_archive_without_an_export_says_what_is_in_it(client):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.md", "hello")
    write(client, "all.zip", packed.getvalue())
    assert refusal(client).startswith("raw/all.zip: is an archive without an export in it (seen: 'readme.md')")


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_an_archive_that_explodes_is_refused_in_a_moment(client, kind):
    if kind == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
            for _ in range(200):
                member.write(b"0" * 1_000_000)
        data = packed.getvalue()
    else:
        data = gzip.compress(b"0" * 200_000_000)
    write(client, f"bomb.{kind}", data)
    started = time.perf_counter()
    message = refusal(client)
    assert time.perf_counter() - started < 5
    assert message.startswith(f"raw/bomb.{kind}: unpacks to ")
    assert "The limit is 200 times, and 20 GB in all" in message


def test_a_fingerprint_is_taken_once_and_again_when_the_file_changes(client, tmp_path):
    path, cache = write(client, "a.csv", CSV), tmp_path / "cache.json"
    first = files.fingerprints([path], cache)[path]
    remembered = cache.read_text()
    cache.write_text(remembered.replace(first, "remembered"))
    assert files.fingerprints([path], cache)[path] == "remembered"
    path.write_bytes(CSV + CSV)
    assert files.fingerprints([path], cache)[path] not in (first, "remembered")


def test_a_file_that_changes_while_it_is_read_is_found(client):
    path = write(client, "a.csv", CSV)
    found = opened(client)
    assert files.changed(found) == []
    path.write_bytes(CSV * 2)
    assert [str(problem) for problem in files.changed(found)] == [
        "raw/a.csv: file changed while being read\n    Half of it may be old and half new.\n"
        "    Wait until the export is complete, then run again."
    ]


def test_every_bad_file_is_named_not_only_the_first(client):
    write(client, "a.csv", b"<html>")
    write(client, "b.pdf", b"%PDF-1.7")
    assert refusal(client).count("\n- ") == 1


def test_an_unknown_encoding_is_refused(client):
    write(client, "a.csv", CSV)
    with pytest.raises(DataError, match="unknown encoding"):
        opened(client, encoding="klingon")


def test_a_file_of_another_kind_is_named_for_what_it_is(client):
    write(client, "a.jsonl", b'{"event":"x","properties":{"time":1772449200,"distinct_id":"1"}}\n')
    write(client, "b.csv", b"event_nme,event_timestamp,user_pseudo_id\nx,1772449200000000,1\n")
    with pytest.raises(DataError) as error:
        sources.refuse_strangers("ga4", opened(client))
    assert str(error.value) == (
        "- raw/a.jsonl: this looks like Mixpanel, raw event export (its rows have event and properties.distinct_id, "
        "properties.time), not like Google Analytics 4, BigQuery export\n"
        "    Give each kind of export its own source in audit.yaml.\n"
        "- raw/b.csv: this does not look like Google Analytics 4, BigQuery export: no event_name; did you mean 'event_nme'?\n"
        "    Columns found: event_nme, event_timestamp, user_pseudo_id. Needed: event_name, event_timestamp, user_pseudo_id.\n"
        "    Export it again, or read it as kind: table with `columns`."
    )


def test_an_unknown_kind_is_refused_with_the_kinds_there_are():
    with pytest.raises(DataError, match="there is no kind of source 'ga5'; did you mean 'ga4'"):
        sources.kind("ga5")
