"""props.conf: names that searches use for lists. Splunk's JSON extraction (KV_MODE = json) calls a list `field{}`; the layouts, as Zeek,
call it `field`. ASNEW leaves a field alone that is already there, as TSV logs have it (props.conf, FIELDALIAS)."""

from __future__ import annotations

from collections.abc import Sequence

from an1498.model import LayoutSource
from an1498.ship.splunk.conf import Stanza
from an1498.ship.splunk.names import APP


def props(sources: Sequence[LayoutSource]) -> list[Stanza]:
    """One stanza per sourcetype with lists, sorted."""
    aliases: dict[str, set[str]] = {}
    for source in sources:
        found = {row.indexed for row in source.fields if row.array}
        if found and "sourcetype" in source.constants:
            aliases.setdefault(str(source.constants["sourcetype"]), set()).update(found)
    return [
        Stanza(sourcetype, {f"FIELDALIAS-{APP}_{_class(name)}": f'"{name}{{}}" ASNEW "{name}"' for name in sorted(names)})
        for sourcetype, names in sorted(aliases.items())
    ]


def _class(name: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in name)
