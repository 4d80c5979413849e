"""dist/<target>/: what `an1498 build` writes and what `an1498 test` reads back.

    searches.json            all searches of the target (formats.md), sorted by rule and language
    searches/<rule>.<ext>    each search's text and nothing else; the extension is the language
    macros.conf              Splunk only: the macros that searches use
    an1498/…, an1498-V.tar.gz  Splunk only: the app, as a directory and packed (ship/splunk)
    bundle/…                 Elastic only: what Kibana and Elasticsearch import (ship/elastic)
    manifest.json            the files that the build wrote, with their SHA-256

A build is written to a temporary directory inside the output directory and renamed into place, so that a target's directory is
always one whole build. Files that no build wrote are kept; a directory that no build wrote is not touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from an1498 import __version__
from an1498.errors import ExternalError, Location, UsageError
from an1498.model import Deviation, Language, Pack, Search
from an1498.ship.macros_conf import macros_conf, read_macros_conf

if TYPE_CHECKING:
    from an1498.compiler import Compilation  # brings pySigma, which reading a build does not need

SEARCHES = "searches.json"
MACROS = "macros.conf"
MANIFEST = "manifest.json"
BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Build:
    """A build read back from its files. `macros` are by target, then by name."""

    searches: tuple[Search, ...]
    macros: Mapping[str, Mapping[str, str]]


# --- write -------------------------------------------------------------------------------------------------------------------


def write_build(compilation: Compilation, out: Path, *, pack: Pack | None = None, prune: bool = False) -> tuple[Path, ...]:
    """Write `out/<target>/` for every target of the compilation; returns those directories, sorted. `pack` is what was compiled:
    with it, each target's artefact for its SIEM is written too.

    `prune` also removes other targets' directories that an earlier build wrote. Raises UsageError where a target's directory
    holds something that is not a build, ExternalError where the file system refuses. Nothing is left half-written."""
    files = build_files(compilation, pack)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(out, files)
        with _workshop(out) as workshop:
            for target, contents in files.items():
                _write(workshop / target, contents)
                _keep_foreign(out / target, workshop / target)
            stale = [path.name for path in _built(out) if path.name not in files] if prune else []
            for target in (*files, *stale):
                _swap(workshop, out, target)
    except OSError as error:
        where = error.filename or out
        raise ExternalError(f"{where}: cannot write the build: {error.strerror or error}") from error
    return tuple(out / target for target in files)


def build_files(compilation: Compilation, pack: Pack | None = None) -> dict[str, dict[str, bytes]]:
    """Per target, every file of the build by its path inside the target's directory."""
    files: dict[str, dict[str, bytes]] = {}
    for target in sorted({search.target for search in compilation.searches}):
        searches = sorted((s for s in compilation.searches if s.target == target), key=lambda s: (s.rule, s.language))
        contents = {SEARCHES: _json([search_entry(search) for search in searches])}
        for search, name in zip(searches, _file_names(searches), strict=True):
            contents[name] = f"{search.text}\n".encode()
        macros = compilation.macros.get(target)
        if macros:
            contents[MACROS] = macros_conf(macros).encode()
        if pack is not None:
            contents |= _artefact(pack, target, searches)
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(contents.items())}
        contents[MANIFEST] = _json({"generator": f"an1498 {__version__}", "target": target, "files": hashes})
        files[target] = contents
    return files


def _artefact(pack: Pack, target: str, searches: Sequence[Search]) -> dict[str, bytes]:
    """What the target's SIEM installs."""
    if pack.targets[target].backend == "elastic":
        from an1498.ship.elastic import bundle_files

        return {f"{BUNDLE}/{path}": content for path, content in bundle_files(pack, target, searches).items()}
    if pack.targets[target].backend == "splunk":
        from an1498.ship.splunk import app_files

        return app_files(pack, target, searches)
    return {}


def _file_names(searches: Sequence[Search]) -> Iterator[str]:
    """`searches/<rule>.<language>`; a rule's second search in a language (EQL under a clock skew) is `<rule>.2.<language>`."""
    seen: Counter[tuple[str, str]] = Counter()
    for search in searches:
        key = (search.rule, str(search.language))
        seen[key] += 1
        yield f"searches/{search.rule}{'' if seen[key] == 1 else f'.{seen[key]}'}.{search.language}"


def search_entry(search: Search) -> dict[str, Any]:
    """A search as searches.json holds it. `group_by`, `time_field`, `tiebreaker` and `stages` are for replay: the result's
    columns with the alert's group and time, EQL's tiebreaker field, and the rules that a correlation joins. Staged targets only: `staged`
    marks a correlation over written events, `staged_as` is the id under which an event search's results are written."""
    return {
        "rule": search.rule,
        "id": search.id,
        "title": search.title,
        "target": search.target,
        "language": str(search.language),
        "kind": search.kind,
        "text": search.text,
        "timespan_s": search.timespan_s,
        "interval_s": search.interval_s,
        "lookback_s": search.lookback_s,
        "entity_fields": list(search.entity_fields),
        "required_fields": list(search.required_fields),
        "level": search.level,
        "risk_score": search.risk_score,
        "deviations": [{"code": deviation.code, "text": deviation.text} for deviation in search.deviations],
        "group_by": list(search.group_by),
        "time_field": search.time_field,
        "tiebreaker": search.tiebreaker,
        "stages": [{"rule": rule, "condition": condition} for rule, condition in search.stages],
        **({"staged": True} if search.staged else {}),
        **({"staged_as": search.staged_as} if search.staged_as else {}),
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _refuse_foreign(out: Path, targets: Mapping[str, object]) -> None:
    for target in targets:
        path = out / target
        if path.is_symlink() or (path.exists() and not path.is_dir()) or (path.is_dir() and any(path.iterdir()) and not _is_build(path)):
            raise UsageError(f"{path}: is in the way and was not written by an1498 build; remove it, or choose another --out")


def _is_build(path: Path) -> bool:
    return (path / MANIFEST).is_file() and (path / SEARCHES).is_file()


def _built(out: Path) -> Iterator[Path]:
    return (path for path in sorted(out.iterdir()) if path.is_dir() and not path.is_symlink() and _is_build(path))


@contextlib.contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=".an1498-build-", dir=out))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _write(directory: Path, contents: Mapping[str, bytes]) -> None:
    for path, content in contents.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _keep_foreign(old: Path, new: Path) -> None:
    """Carry over what people put into a target's directory; what an earlier build wrote there is not carried over."""
    if not old.is_dir():
        return
    written = {MANIFEST, *_manifest_files(old / MANIFEST)}
    for file in sorted(old.rglob("*")):
        relative = file.relative_to(old)
        if relative.as_posix() not in written and not file.is_dir() and not (new / relative).exists():
            (new / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, new / relative, follow_symlinks=False)


def _manifest_files(manifest: Path) -> tuple[str, ...]:
    try:
        return tuple(json.loads(manifest.read_bytes())["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Without a readable manifest nothing is known to be stale, so everything is kept.
        return ()


def _swap(workshop: Path, out: Path, target: str) -> None:
    """Put the new directory (none: the target is stale) in the old one's place; if that fails, the old one stays."""
    old, new, aside = out / target, workshop / target, workshop / f"{target}.old"
    if old.exists():
        old.rename(aside)
    if new.exists():
        try:
            new.rename(old)
        except OSError:
            if aside.exists():
                aside.rename(old)
            raise


# --- read --------------------------------------------------------------------------------------------------------------------


def read_build(directory: Path, targets: tuple[str, ...] = ()) -> Build:
    """The build in a directory, of the named targets or of all that are there. Raises UsageError."""
    files = [directory / target / SEARCHES for target in targets] or sorted(directory.glob(f"*/{SEARCHES}"))
    if not files:
        raise UsageError(f"{directory}: there is no build here (no */{SEARCHES}); run: an1498 build --out {directory}")
    searches: list[Search] = []
    macros: dict[str, dict[str, str]] = {}
    for file in files:
        searches += _read_searches(file)
        conf = file.parent / MACROS
        if conf.is_file():
            macros[file.parent.name] = read_macros_conf(conf)
    return Build(tuple(searches), macros)


def _read_searches(file: Path) -> Iterator[Search]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"{file}: there is no build here; run: an1498 build --target {file.parent.name} --out {file.parent.parent}"
        ) from error
    except OSError as error:
        raise UsageError(f"{file}: cannot read the build: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file}: is not JSON: {error}; build it again") from error
    if not isinstance(entries, list):
        raise UsageError(f"{file}: is not a list of searches; build it again")
    for number, entry in enumerate(entries):
        try:
            yield _search(entry, file)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{file}: search {number} is not as an1498 writes it ({type(error).__name__}: {error}); build it again"
            ) from error


def _search(entry: Mapping[str, Any], file: Path) -> Search:
    return Search(
        rule=str(entry["rule"]),
        id=str(entry["id"]),
        title=str(entry["title"]),
        target=str(entry["target"]),
        language=Language(entry["language"]),
        kind=str(entry["kind"]),
        text=str(entry["text"]),
        timespan_s=int(entry["timespan_s"]),
        interval_s=int(entry["interval_s"]),
        lookback_s=int(entry["lookback_s"]),
        entity_fields=tuple(entry["entity_fields"]),
        required_fields=tuple(entry["required_fields"]),
        level=str(entry["level"]),
        risk_score=int(entry["risk_score"]),
        deviations=tuple(Deviation(item["code"], item["text"]) for item in entry["deviations"]),
        group_by=tuple(entry["group_by"]),
        time_field=str(entry["time_field"]),
        stages=tuple((item["rule"], item["condition"]) for item in entry["stages"]),
        tiebreaker=str(entry["tiebreaker"]),
        location=Location(str(file)),
        staged=entry.get("staged") is True,
        staged_as=str(entry.get("staged_as", "")),
    )
