"""Runs inside a Python ≥ 3.12 that has Elastic's `detection-rules-esql-py` (test-only, Elastic licence); imports nothing of ours.

Standard input: {"versions": [stack, …], "queries": [{"id", "text", "schema": {field: type}}]}. Standard output: a list of
{"id", "version", "error"}, error empty where the grammar and the type checker of that stack accept the text.
"""

import json
import sys
from importlib.metadata import version

import esql


def main() -> None:
    request = json.load(sys.stdin)
    results = []
    for stack in request["versions"]:
        for query in request["queries"]:
            error = ""
            try:
                with esql.Schema(query["schema"]), esql.ParserConfig(min_stack_version=stack):
                    esql.parse_query(query["text"])
            except esql.EsqlError as problem:
                error = f"{type(problem).__name__}: {problem}"
            results.append({"id": query["id"], "version": stack, "error": error})
    json.dump({"package": version("detection-rules-esql-py"), "results": results}, sys.stdout)


if __name__ == "__main__":
    main()
