"""Words of a rule, made fit for one line of a .conf file and for Splunk's token replacement.

Splunk replaces `$name$` in what alert actions and drilldowns show or search by the result's field (Alerting Manual, "Use tokens in
email notifications"; Enterprise Security, "Include fields in a notable event's title and description"), and there is no documented way
to write a dollar sign there. So text of a rule that could make such a pair is refused, and searches in drilldowns call macros, whose
definitions Splunk puts in only after tokens are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from an1498.errors import ContentError, Location
from an1498.model import Correlation, EventRule
from an1498.ship.splunk.conf import Unwritable, value

Rule = EventRule | Correlation


def one_line(text: str) -> str:
    """Blanks and line breaks of prose become single spaces."""
    return " ".join(text.split())


def shown(text: str) -> str:
    """Prose as one line that Splunk shows as it stands. Raises Unwritable."""
    line = one_line(text)
    value(line)
    return without_tokens(line)


def without_tokens(text: str) -> str:
    """The text, if it has no dollar sign. Raises Unwritable."""
    if "$" in text:
        raise Unwritable("a dollar sign, with which Splunk marks tokens to replace", "write the amount or variable without '$'")
    return text


def json_line(document: Any) -> str:
    """One-line JSON in ASCII: no line break, no backslash at its end, whatever the values are."""
    return json.dumps(document, ensure_ascii=True)


def key(rule: Rule, name: str) -> str:
    """A text of the rule's document, "" where it has none."""
    found = rule.document.get(name)
    return found if isinstance(found, str) else ""


def place(rule: Rule, name: str) -> Location:
    """Where the document says the key; else where the rule begins."""
    return rule.key_locations.get((name,), rule.location)


@contextmanager
def said_by(rule: Rule, name: str, what: str = "") -> Iterator[None]:
    """Turns Unwritable into a ContentError that names the rule, the key and its line."""
    try:
        yield
    except Unwritable as error:
        holds = what or f"its {name} holds"
        raise ContentError(
            place(rule, name), f"rule '{rule.name}' cannot go into the Splunk app: {holds} {error.problem}", error.remedy
        ) from None
