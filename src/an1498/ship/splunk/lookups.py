"""Lookup tables (transforms.conf, lookups/*.csv): what the parameters trust, for analysts and the dashboard, and the assets of the site.

The searches do not read the tables of trust: their conditions hold the values, so that the proved text is the whole truth. The table of
assets is read where the target's entity is "lookup"; it is shipped with its header only, and `an1498 assets build` makes its rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from an1498.errors import ContentError
from an1498.model import SPLUNK_ASSET_COLUMNS, SPLUNK_ASSETS, Pack, Parameter
from an1498.ship.splunk.conf import Stanza
from an1498.ship.splunk.names import APP

# Table, then (kind, parameter) pairs: each value of the parameter is a row of that kind.
_TRUST = {
    f"{APP}_trusted_endpoints": (
        ("server name", "trusted_doh_endpoints"),
        ("server address", "trusted_endpoint_addresses"),
        ("certificate issuer", "trusted_issuers"),
    ),
    f"{APP}_allowed_processes": (("executable", "allowed_processes"), ("launchd label", "allowed_launchd_labels")),
}


def lookup_files(pack: Pack) -> dict[str, bytes]:
    """The tables by path inside the app. Raises ContentError where a value has a character that no table line can hold."""
    tables: dict[str, list[tuple[str, ...]]] = {name: [("kind", "value"), *_rows(pack, pairs)] for name, pairs in _TRUST.items()}
    tables[SPLUNK_ASSETS] = [SPLUNK_ASSET_COLUMNS]
    return {f"lookups/{name}.csv": _csv(rows) for name, rows in tables.items()}


def lookup_names() -> tuple[str, ...]:
    return (*sorted(_TRUST), SPLUNK_ASSETS)


def transforms() -> list[Stanza]:
    """Lookup definitions. The assets' is time-based: the row of an address that began last before the event, in whole seconds, because
    Splunk ignores subseconds there. A row's end is for the searches to mind."""
    stanzas = [Stanza(name, {"filename": f"{name}.csv", "case_sensitive_match": "0"}) for name in sorted(_TRUST)]
    timed = {
        "filename": f"{SPLUNK_ASSETS}.csv",
        "case_sensitive_match": "0",
        "time_field": "start",
        "time_format": "%s",
        "max_matches": "1",
    }
    return [Stanza(SPLUNK_ASSETS, timed), *stanzas]


def collections_example() -> bytes:
    """A KV store form of the assets, which unlike a file of the app survives updates. Only an example: AppInspect warns of any
    collections.conf."""
    fields = "".join(f"field.{name} = {'number' if name in ('start', 'end') else 'string'}\n" for name in SPLUNK_ASSET_COLUMNS)
    return (
        "# Copy to local/collections.conf to keep the assets in the KV store, where an update of the app leaves them alone,\n"
        "# and put the second stanza into local/transforms.conf.\n"
        f'[{SPLUNK_ASSETS}]\n{fields}accelerated_fields.by_address = {{"ip": 1, "start": 1}}\n\n'
        f"# [{SPLUNK_ASSETS}]\n# external_type = kvstore\n# collection = {SPLUNK_ASSETS}\n# filename =\n"
        f"# fields_list = _key, {', '.join(SPLUNK_ASSET_COLUMNS)}\n"
    ).encode()


def _rows(pack: Pack, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for kind, name in pairs:
        parameter = pack.parameters.get(name)
        if parameter is not None:
            yield from ((kind, value) for value in _values(parameter))


def _values(parameter: Parameter) -> Iterator[str]:
    for value in parameter.value if isinstance(parameter.value, tuple) else (parameter.value,):
        text = str(value)
        if not text.isprintable():
            raise ContentError(
                parameter.location,
                f"parameter '{parameter.name}' cannot go into the Splunk app: {text[:40]!r} has a character that is not printable",
                "remove it",
            )
        yield text


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
