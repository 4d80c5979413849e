"""A content root → Pack: everything loaded, checked and joined. No pySigma here: `build` must be fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from an1498.content.references import Rule, resolve
from an1498.content.report import Report, reporting, stop
from an1498.content.rules import load_rule, rule_files
from an1498.content.settings import FILE_NAME, Settings, load_settings
from an1498.content.text import label
from an1498.errors import ContentError, Location
from an1498.model import Pack

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Content:
    """A pack, and what only `check` needs to know about it."""

    pack: Pack
    settings: Settings
    pipelines: Path


def packaged_root() -> Path:
    """The content that comes with the program: `an1498/pack` of the wheel, else the root of the source checkout."""
    packed = _PACKAGE / "pack"
    return packed if (packed / FILE_NAME).is_file() else _PACKAGE.parents[1]


def find_root(explicit: Path | None = None) -> Path:
    """The content root: `explicit`, else the working directory if it has an1498.toml, else the packaged content. Raises ContentError."""
    if explicit is not None:
        if not (explicit / FILE_NAME).is_file():
            raise ContentError(
                Location(label(explicit)),
                f"has no {FILE_NAME}, so it is not a content root",
                f"give a directory that has {FILE_NAME}",
                "unreadable-file",
            )
        return explicit
    working = Path.cwd()
    return working if (working / FILE_NAME).is_file() else packaged_root()


def load_pack(root: Path, overlays: Sequence[Path] = ()) -> Pack:
    """All content of a root, with overlays merged over its an1498.toml in order. Raises ContentError for the first problem."""
    return load_content(root, overlays, stop).pack


def load_content(root: Path, overlays: Sequence[Path], report: Report, extra: Sequence[Path] = ()) -> Content:
    """As `load_pack`, but gives each ContentError to `report`; what an error spoils is missing from the pack. `extra` are rule
    files outside the root, which take the place of the root's rules of the same name. An an1498.toml that cannot be read is raised."""
    own = root / "pipelines"
    pipelines = own if own.is_dir() else packaged_root() / "pipelines"
    settings = load_settings(root, overlays, pipelines, report)
    loaded: list[Rule] = []
    for path in [*extra, *rule_files(root / "rules")]:
        with reporting(report):
            rule = load_rule(path, settings.parameters)
            if path in extra or not any(other.name == rule.name for other in loaded[: len(extra)]):
                loaded.append(rule)
    resolved = resolve(loaded, settings, report)
    pack = Pack(
        root=root,
        name=settings.name,
        version=settings.version,
        attack_version=settings.attack_version,
        parameters=settings.parameters,
        targets=settings.targets,
        rules=resolved.rules,
        filters=resolved.filters,
        correlations=resolved.correlations,
    )
    return Content(pack, settings, pipelines)
