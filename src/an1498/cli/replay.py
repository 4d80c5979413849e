"""`an1498 replay`: run any search text over events in indexed form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from an1498.cli.console import console
from an1498.cli.settings import Settings
from an1498.errors import UsageError

if TYPE_CHECKING:
    from an1498.model import FieldType
    from an1498.replay.lookup import Lookup

EPILOG = """\b
Examples:
  an1498 replay --language eql --search hunt.eql --events events.ndjson
  an1498 replay --language spl --search s.spl --events - --lookup assets=assets.csv < events.ndjson

\b
Events are one JSON object a line, as the SIEM stores them: `_time` or `@timestamp` in epoch seconds or RFC 3339, nested objects
and dotted keys alike, arrays as multivalues. Result rows are JSON lines. What replay does not model it refuses (exit code 2); it
never guesses.
"""
_TEXT = click.File(encoding="utf-8")


@click.command(epilog=EPILOG, short_help="Run a search text over indexed events.")
@click.option("--language", required=True, type=click.Choice(["spl", "eql", "esql", "lucene"]), help="The search's language.")
@click.option("--search", required=True, metavar="FILE", type=_TEXT, help="The search's text.")
@click.option("--events", required=True, metavar="FILE", type=_TEXT, help="Events, one JSON object a line; - is stdin.")
@click.option("--lookup", "lookups", metavar="NAME=FILE", multiple=True, help="A lookup table as CSV; may be repeated.")
@click.option("--macros", metavar="FILE", type=click.Path(path_type=Path), help="SPL: a macros.conf.  [default: the content's macros]")
@click.option("--mapping", metavar="FILE", type=_TEXT, help='Field types as JSON, such as {"source.ip": "ip"}.')
@click.option("--timestamp-field", metavar="F", default="@timestamp", show_default=True, help="EQL: the field with the event's time.")
@click.option("--tiebreaker-field", metavar="F", default="", help="EQL: orders events of one time.")
@click.option("--event-category-field", metavar="F", default="event.category", show_default=True, help="EQL: what `process where` tests.")
@click.option("--format", "form", type=click.Choice(["json"]), default="json", show_default=True, help="Output: JSON lines.")
@click.pass_obj
def replay(
    settings: Settings,
    language: str,
    search: TextIO,
    events: TextIO,
    lookups: tuple[str, ...],
    macros: Path | None,
    mapping: TextIO | None,
    timestamp_field: str,
    tiebreaker_field: str,
    event_category_field: str,
    form: str,  # noqa: ARG001 - there is one format so far
) -> None:
    """Run the search text in FILE over events and print the rows of its result."""
    from an1498.model import Language
    from an1498.replay import EqlFields, read_ndjson, replay_text

    text = _read(search)
    rows = replay_text(
        Language(language),
        text,
        read_ndjson(_read(events), events.name),
        name=search.name,
        macros=_macros(settings, language, text, macros),
        lookups=_lookups(lookups),
        mapping=_mapping(mapping),
        eql_fields=EqlFields(timestamp_field, tiebreaker_field, event_category_field),
    )
    for row in rows:
        console.data(json.dumps(row, ensure_ascii=False))


def _read(stream: TextIO) -> str:
    try:
        return stream.read()
    except UnicodeDecodeError as error:
        raise UsageError(f"{stream.name}: is not UTF-8 text (byte {error.start})") from error


def _macros(settings: Settings, language: str, text: str, file: Path | None) -> dict[str, str]:
    """The content is read only for a text that has macros, so that plain searches do not depend on it."""
    from an1498.ship import read_macros_conf

    if file is not None:
        return read_macros_conf(file)
    if language != "spl" or "`" not in text:
        return {}
    return {name: definition for target in settings.load_pack().targets.values() for name, definition in target.macros.items()}


def _lookups(arguments: Iterable[str]) -> dict[str, Lookup]:
    from an1498.replay.assets import as_assets
    from an1498.replay.lookup import read_lookup

    tables = {}
    for argument in arguments:
        name, equals, file = argument.partition("=")
        if not (name and equals and file):
            raise UsageError(f"--lookup {argument}: write NAME=FILE.csv")
        tables[name] = as_assets(read_lookup(Path(file), name))
    return tables


def _mapping(stream: TextIO | None) -> dict[str, FieldType]:
    from an1498.model import FieldType

    if stream is None:
        return {}
    try:
        value = json.loads(_read(stream))
        return {str(field): FieldType(kind) for field, kind in value.items()}
    except (ValueError, AttributeError) as error:
        kinds = ", ".join(kind.value for kind in FieldType)
        raise UsageError(f"{stream.name}: a mapping is a JSON object of field: type, where a type is one of {kinds} ({error})") from error
