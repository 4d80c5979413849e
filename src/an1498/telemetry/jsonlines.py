"""One line of JSON → an object, with every way to fail turned into one clear message."""

from __future__ import annotations

import json
from typing import Any

from an1498.telemetry.reject import Malformed, quoted

_REMEDY = "write one JSON object a line"


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"the line has {name}, which is not JSON", "write a number or null")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def json_object(text: str) -> dict[str, Any]:
    """The object of a line. Integers keep all their digits. Raises Malformed."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        found = f", found {quoted(text[error.pos : error.pos + 20])}" if error.pos < len(text) else ", the line ends too early"
        raise Malformed(f"the line is not JSON (column {error.colno}: {error.msg}{found})", _REMEDY) from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed("the line is not JSON that can be read: too deeply nested, or a number with too many digits", _REMEDY) from None
    if not isinstance(value, dict):
        raise Malformed(f"the line is {quoted(value)}, not a JSON object", _REMEDY)
    return value
