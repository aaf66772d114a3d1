"""The first audit.yaml, from the export itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from conversion_audit.config import placed, typed
from conversion_audit.engine import Engine, Table
from conversion_audit.errors import ConfigError, DataError, Problem, listing
from conversion_audit.folders import Folders, home
from conversion_audit.intake import agents, devices, files, sources
from conversion_audit.intake.sources import ga4_report, mapping
from conversion_audit.intake.sources.columns import settled
from conversion_audit.new import by_session, named, totals
from conversion_audit.new.archives import refuse_mixed_archives
from conversion_audit.new.profile import Profile, profile
from conversion_audit.new.related import Part, Recognised, related
from conversion_audit.new.suggest import page_event, suggest
from conversion_audit.new.writing import written
from conversion_audit.schema import Source

Days = tuple[date, date]
SITES = ("shop", "leads", "subscription", "content", "app")


def new_client(client: str, paths: Sequence[str | Path], *, site: str | None = None, columns: str = "") -> Path:
    """
    Make a client's folder from an export: the files under ``raw/``, and an audit.yaml that runs.

    Parameters
    ----------
    client : str
        Folder under ``data/``. It may exist and hold ``raw/``, but no audit.yaml.
    paths : sequence of path
        Files or folders of the export. They are linked where the disk allows it, else copied, and never changed.
    site : {"shop", "leads", "subscription", "content", "app"}, optional
        Kind of site; guessed from the events otherwise.
    columns : str
        Columns whose headings do not tell what they hold: ``time=Created at,event=Action``. The others are guessed.

    Returns
    -------
    Path
        The new audit.yaml.

    Raises
    ------
    ConfigError
        If the client exists, a path or a named column does not, or the kind of site is none of these.
    DataError
        If the export cannot be read, or is of no known kind. Nothing is left behind.
    """
    folders = Folders(client)
    _check(folders, paths, site)
    asked = named.columns(columns) if columns else {}
    (home() / "data").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".new-{client}-", dir=home() / "data") as name:
        folder = Path(name).resolve()
        if folders.raw.is_dir():
            _place([folders.raw], folder / "raw")
        _place(paths, folder / "raw")
        text = _suggested(client, folder, site, asked)
        draft = folder / "audit.yaml"
        draft.write_text(text, encoding="utf-8")
        typed(*placed(draft, f"data/{client}/audit.yaml"))
        _publish(folder, folders)
    return folders.config


def _check(folders: Folders, paths: Sequence[str | Path], site: str | None) -> None:
    problems = [Problem("no such file or folder", str(path)) for path in paths if not Path(path).exists()]
    empty = [path for path in map(Path, paths) if path.is_dir() and not any(map(files.is_export, path.rglob("*")))]
    mend = "Put the files of the export there, or name another folder."
    problems += [Problem("there is no file in this folder", str(path), mend=mend) for path in empty]
    if folders.config.exists():
        mend = f"Edit it, choose another name, or remove the client with: audit forget {folders.client}"
        problems.append(Problem("this client exists already", f"data/{folders.client}/audit.yaml", mend=mend))
    if not paths and not any(map(files.is_export, folders.raw.rglob("*"))):
        mend = f"Put it into data/{folders.client}/raw/, or type: audit new {folders.client} --from PATH-TO-EXPORT"
        problems.append(Problem("no export given", mend=mend))
    if site is not None and site not in SITES:
        problems.append(Problem("not a kind of site", seen=site, mend=f"One of: {', '.join(SITES)}"))
    if problems:
        raise ConfigError(*problems)


def _place(paths: Iterable[str | Path], raw: Path) -> None:
    for path in map(Path, paths):
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in inside:
            relative = file.relative_to(path) if path.is_dir() else Path(file.name)
            _link(file, _free(raw / relative))


def _free(target: Path) -> Path:
    numbered = (target.with_name(f"{number}-{target.name}") for number in range(2, 10_000))
    return target if not target.exists() else next(path for path in numbered if not path.exists())


def _link(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file.resolve(), target)
    except OSError:
        shutil.copy2(file, target)


def _publish(folder: Path, folders: Folders) -> None:
    """The export first, audit.yaml last: a client without one is no client yet."""
    folders.data.mkdir(parents=True, exist_ok=True)
    if folders.raw.is_dir():
        for file in sorted(p for p in (folder / "raw").rglob("*") if p.is_file()):
            target = folders.raw / file.relative_to(folder / "raw")
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
    else:
        (folder / "raw").replace(folders.raw)
    (folder / "audit.yaml").replace(folders.config)


def _suggested(client: str, folder: Path, site: str | None, asked: dict[str, list[str]]) -> str:
    scratch = folder / ".scratch"
    opened = files.open_files(files.find(folder, ["raw"]), folder, scratch)
    found = sources.recognise(opened)
    of_asked = named.taken(asked, found)
    strangers = found.pop("", [])
    several, strangers = _sorted(found, strangers)
    several += of_asked
    if not several:
        raise DataError(*(_stranger(file) for file, _ in strangers[:5]))
    refuse_mixed_archives(client, several, strangers)
    engine = Engine([folder / "raw", scratch], scratch)
    described, tables, counts = [], [], []
    for part in several:
        described.append(_source(engine, part, is_mixed=bool(strangers) or len(several) > 1))
        table = _read(engine, part, described[-1], scratch)
        gives = sources.KINDS[part.kind].GIVES
        tables += [devices.told(agents.told(table))] if gives == "rows" else []
        counts += [table] if gives == "stage_counts" else []
    if strangers and not (tables or counts):
        raise DataError(
            _only_totals([one["kind"] for one in described]), *(_stranger(file) for file, _ in strangers[:5])
        )
    if tables:
        seen = profile(engine, tables)
        _name_page_event(described, seen)
        if "outcomes" in found:
            site = site or "leads"  # a CRM says what became of leads
        text = written(client, described, seen, suggest(seen, site))
    else:
        days = [ga4_report.period(file) for file, _ in found.get("ga4_report", [])]
        opened = [
            file for kind, some in found.items() if sources.KINDS[kind].GIVES == "stage_counts" for file, _ in some
        ]
        text = _of_totals(engine, client, described, counts, site, days, totals.currencies(opened))
    engine.close()
    unread = "".join(f"# CHECK: not read, of no known kind: {file.name}\n" for file, _ in strangers)
    return text + unread


def _sorted(found: dict[str, Recognised], strangers: Recognised) -> tuple[list[Part], Recognised]:
    """Return what makes one source each, and the files of which nobody knows what they are."""
    parts = [Part(kind, recognised) for kind, recognised in found.items() if kind != "table"]
    tables, strangers = related(found.get("table", []), strangers)
    by_steps = [(file, steps) for file, _ in strangers if (steps := by_session.steps(file))]
    for file, steps in by_steps:
        reason = f"one row a session; its steps look like {listing(list(steps.values()), 6)}"
        tables.append(Part("table", [(file, reason)], steps=steps))
    return [*parts, *tables], [one for one in strangers if one[0].name not in [file.name for file, _ in by_steps]]


def _name_page_event(described: list[dict], seen: Profile) -> None:
    """Only a table leaves open which event is a page view: the other kinds have their own."""
    event = page_event(seen.events)
    for source in described:
        if source["kind"] == "table" and event and "steps" not in source:
            source["also"] = {"page_events": event}


def _of_totals(
    engine: Engine,
    client: str,
    described: list[dict],
    counts: list[Table],
    site: str | None,
    days: Sequence[Days | None],
    currencies: Sequence[str],
) -> str:
    stages = totals.read_stages(engine, counts) if counts else pd.DataFrame()
    if stages.empty:
        raise DataError(_only_totals([source["kind"] for source in described]))
    return totals.written(client, described, stages, site, [day for pair in days if pair for day in pair], currencies)


def _stranger(file: files.InputFile, columns: Mapping[str, object] | None = None) -> Problem:
    lacking = named.lacking(mapping.guess(file) if columns is None else columns)
    return Problem(
        "is of no kind that is known",
        file.name,
        why=f"Columns found: {listing(file.columns, 20) or 'none'}. None of them is headed like {lacking}.",
        mend=f"Name them: {named.EXAMPLE}; what is the same in every row: event==purchase. Read as they are: "
        f"{'; '.join(module.TITLE for name, module in sources.KINDS.items() if name != 'table')}. "
        "Where one row is a session, steps in audit.yaml stand for the event: {add_to_cart: In cart, purchase: Bought}.",
    )


def _only_totals(kinds: list[str]) -> Problem:
    return Problem(
        f"these files hold no visitors' events, only {', '.join(kinds)}",
        "raw",
        why="Goals, journey and intents are suggested from events.",
        mend="Add the analytics export itself.",
    )


def _source(engine: Engine, part: Part, *, is_mixed: bool) -> dict:
    opened = [file for file, _ in part.recognised]
    names = sorted(map(_name, [*opened, *part.looked_up]))
    described = {"kind": part.kind, "files": _patterns(names, is_mixed), "reason": part.recognised[0][1]}
    if part.kind == "table":
        used = {name for names in part.columns.values() for name in names}
        guessed = mapping.guess(*settled(engine, opened))
        described["columns"] = {t: names for t, names in guessed.items() if used.isdisjoint(names)} | part.columns
        if not part.steps and named.lacking(described["columns"]):
            raise DataError(_stranger(opened[0], described["columns"]))
    if part.looked_up:
        described["join"] = {_name(file): key for file, key in zip(part.looked_up, part.keys, strict=True)}
    return described | ({"steps": part.steps} if part.steps else {})


def _name(file: files.InputFile) -> str:
    return file.original.relative_to(file.original.parents[_depth(file)]).as_posix()


def _depth(file: files.InputFile) -> int:
    """How many folders above the file its client's folder lies."""
    parts = file.original.parts
    return len(parts) - 1 - (len(parts) - 1 - parts[::-1].index("raw"))


def _patterns(names: list[str], is_mixed: bool) -> list[str]:
    if len(names) == 1 or is_mixed:
        return names
    folders = {name.rsplit("/", 1)[0] for name in names}
    suffixes = {"".join(Path(name).suffixes[-2:]) for name in names}
    if len(folders) == 1 and len(suffixes) == 1:
        return [f"{folders.pop()}/*{suffixes.pop()}"]
    return ["raw"]


def _read(engine: Engine, part: Part, described: dict, scratch: Path) -> Table:
    given = {name: described[name] for name in ("columns", "steps", "join") if name in described}
    source = Source(kind=part.kind, files=described["files"], **given)
    opened = [*(file for file, _ in part.recognised), *part.looked_up]
    return sources.KINDS[part.kind].read(engine, source, opened, timezone=None, scratch=scratch)
