"""Elastic's own ES|QL grammar and type checker (`detection-rules-esql-py`), asked about every ES|QL text that we ship.

The package needs Python ≥ 3.12 and has the Elastic licence, so it lives in an environment of its own and is run as a program. The
environment variable AN1498_ESQL_PYTHON names that environment's Python.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from an1498.errors import ExternalError
from an1498.model import ELASTIC_ASSET_TYPES, Language, Layout, Search
from an1498.proof.oracles import Verdict

ENVIRONMENT_VARIABLE = "AN1498_ESQL_PYTHON"
STACKS = ("8.19.0", "9.3.0", "9.4.0", "9.5.0", "latest")


def python() -> Path | None:
    """The interpreter that has the package, or None where there is none."""
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    return Path(named) if named and Path(named).is_file() else None


def check(searches: Iterable[Search], layouts: Sequence[Layout], interpreter: Path, stacks: Sequence[str] = STACKS) -> list[Verdict]:
    """One verdict per stack version: how many ES|QL texts its grammar and types accept, under the layouts' field types."""
    schema = _schema(layouts)
    queries = [
        {"id": f"{search.target}/{search.rule}", "text": search.text, "schema": schema}
        for search in searches
        if search.language is Language.ESQL
    ]
    request = json.dumps({"versions": list(stacks), "queries": queries})
    worker = Path(__file__).with_name("esql_worker.py")
    done = subprocess.run([str(interpreter), str(worker)], input=request, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ExternalError(f"{interpreter}: the ES|QL grammar check failed: {last[0]}")
    answer = json.loads(done.stdout)
    return [_verdict(stack, answer, len(queries)) for stack in stacks]


def _verdict(stack: str, answer: dict[str, object], asked: int) -> Verdict:
    results = answer["results"]
    assert isinstance(results, list)
    of_stack = [result for result in results if result["version"] == stack]
    refused = tuple(f"{result['id']}: {' '.join(result['error'].split())}" for result in of_stack if result["error"])
    subject = f"ES|QL grammar and types {stack}"
    return Verdict("detection-rules-esql-py", str(answer["package"]), subject, asked, len(of_stack) - len(refused), refused)


def _schema(layouts: Sequence[Layout]) -> dict[str, str]:
    # The package knows one schema for the whole query, so the lookup index's fields are in it from the start.
    fields = {"@timestamp": "date", **ELASTIC_ASSET_TYPES}
    for layout in layouts:
        for source in layout.sources:
            fields.update(dict.fromkeys(source.constants, "keyword"))
            for row in source.fields:
                fields[row.indexed] = str(row.type)
                if row.type == "text":
                    fields[f"{row.indexed}.keyword"] = "keyword"
            fields.setdefault(source.entity_field, "ip")
    return fields
