"""Small packs for the compiler's tests: YAML documents in short form, completed and loaded as a content root."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from an1498.compiler import compile_search
from an1498.content import load_pack
from an1498.errors import Unsupported
from an1498.model import Language, Pack

BASE = Path(__file__).parent / "pack"
_ROOTS = tempfile.TemporaryDirectory()  # the compiler reads pipelines later, so the roots stay until the tests end
TARGETS = {Language.SPL: "splunk", Language.EQL: "elastic", Language.ESQL: "elastic", Language.LUCENE: "elastic"}


def pack(text: str, parameters: str = "") -> Pack:
    """The pack of YAML documents in short form.

    A mapping with `detection` is an event rule (default: Zeek ssl), with `filter` a filter, with `correlation` a correlation; one
    with `condition` is the detection of the rule `rule`. `parameters` are lines that replace those of pack/an1498.toml."""
    return _pack(text, parameters)


@cache
def _pack(text: str, parameters: str) -> Pack:
    root = Path(tempfile.mkdtemp(dir=_ROOTS.name))
    (root / "rules").mkdir()
    (root / "pipelines").symlink_to(BASE / "pipelines", target_is_directory=True)
    settings = (BASE / "an1498.toml").read_text(encoding="utf-8")
    for line in parameters.splitlines():
        name = line.split("=")[0].strip()
        settings = "\n".join(line if old.split("=")[0].strip() == name else old for old in settings.splitlines())
    (root / "an1498.toml").write_text(_used(settings, text), encoding="utf-8")
    for number, document in enumerate(yaml.safe_load_all(text)):
        complete = _complete(document)
        (root / "rules" / f"{number}.yml").write_text(yaml.safe_dump(complete, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return load_pack(root)


def _used(settings: str, text: str) -> str:
    """The settings without the list parameters that no rule uses: the loader refuses those."""
    return "\n".join(
        line for line in settings.splitlines() if " = [" not in line or "layouts" in line or "languages" in line or line.split()[0] in text
    )


def _complete(document: Mapping[str, Any]) -> dict[str, Any]:
    if "condition" in document:
        document = {"detection": document}
    kind = next(key for key in ("detection", "filter", "correlation") if key in document)
    name = str(document.get("name", "correlation" if kind == "correlation" else "rule" if kind == "detection" else "filter"))
    complete: dict[str, Any] = {"title": f"Test {name}", "name": name, "id": str(uuid5(NAMESPACE_URL, name)), "level": "medium"}
    if kind == "filter":
        del complete["level"]
    if kind != "correlation":
        complete["logsource"] = {"product": "zeek", "service": "ssl"}
    return {**complete, **document}


def texts(text: str, rule: str = "", parameters: str = "") -> dict[Language, str]:
    """The text of the rule (default: the outermost correlation, else `rule`) in every language, or `REFUSED: construct; remedy`."""
    built = pack(text, parameters)
    inner = {name for correlation in built.correlations.values() for name in correlation.rules}
    name = rule or next((name for name in built.correlations if name not in inner), "rule")
    found: dict[Language, str] = {}
    for language, target in TARGETS.items():
        try:
            found[language] = compile_search(built, name, target, language).text
        except Unsupported as refusal:
            found[language] = f"REFUSED: {refusal.construct}; {refusal.remedy}"
    return found
