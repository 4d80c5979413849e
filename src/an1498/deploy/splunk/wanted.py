"""The Splunk app of a build as objects of the REST API, and what a live object's fields are called.

Saved searches and macros are what a rule's change changes, so they are deployed one by one. Props, lookups, navigation and permissions
are the app's frame and come with its package: the REST API takes lookup files only from the server's own disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from an1498.deploy.objects import Body, Key, Wanted
from an1498.errors import UsageError

APP = "an1498"
"""The directory of the app in a build."""

SHARING = "acl.sharing"
GLOBAL = "global"

# Conf settings that saved/searches knows by another name (REST API Reference Manual, "saved/searches", 9.4).
REST_NAMES = {"enableSched": "is_scheduled", "counttype": "alert_type", "relation": "alert_comparator", "quantity": "alert_threshold"}

# The fields that a build can set. Splunk answers with some two hundred more: defaults, and what it computes.
FIELDS = {
    "macro": re.compile(r"definition|iseval"),
    "saved_search": re.compile(
        r"search|description|disabled|is_scheduled|cron_schedule|schedule_window|realtime_schedule|dispatch\.(earliest|latest)_time"
        r"|request\.ui_dispatch_(app|view)|alert_(type|comparator|threshold)|alert\.(digest_mode|track|suppress|suppress\..*)"
        r"|action\.(correlationsearch|notable|risk)(\..*)?"
    ),
    "view": re.compile(r"eai:data"),
}


def wanted_objects(files: Mapping[str, bytes]) -> tuple[list[Wanted], list[str]]:
    """The objects of a build's files; no notes. Raises UsageError."""
    objects: list[Wanted] = []
    for kind, path in (("macro", "macros.conf"), ("saved_search", "savedsearches.conf")):
        name = f"{APP}/default/{path}"
        if name not in files:
            raise UsageError(f"{name}: is not in the build; build it again")
        for stanza, settings in stanzas(files[name], name).items():
            body = {REST_NAMES.get(key, key): value for key, value in settings.items()}
            unknown = [key for key in body if not FIELDS[kind].fullmatch(key)]
            if unknown:
                raise UsageError(f"{name}: [{stanza}] sets {unknown[0]}, which deployment does not know; install the app's package instead")
            objects.append(Wanted(Key(kind, stanza), stanza, {**body, SHARING: GLOBAL}))
    start = f"{APP}/default/data/ui/views/"
    for path, data in sorted(files.items()):
        if path.startswith(start) and path.endswith(".xml"):
            name = path.removeprefix(start).removesuffix(".xml")
            objects.append(Wanted(Key("view", name), name, {"eai:data": data.decode().strip()}))
    return objects, []


def stanzas(content: bytes, path: str) -> dict[str, dict[str, str]]:
    """A .conf file as `an1498 build` writes it (ship/splunk/conf.py), by stanza and setting. Raises UsageError."""
    found: dict[str, dict[str, str]] = {}
    settings: dict[str, str] | None = None
    text = content.decode().replace("\\\n", "\0")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            settings = found.setdefault(line[1:-1], {})
            continue
        key, equals, value = line.partition("=")
        if settings is None or not equals:
            raise UsageError(f"{path}: setting {number} is not as an1498 writes it; build it again")
        settings[key.strip()] = value.strip().replace("\0", "\n")
    return found


def live_body(kind: str, content: Mapping[str, Any], acl: Mapping[str, Any]) -> Body:
    """An entry of the REST API as `wanted_objects` has it: texts, as a .conf file holds them."""
    body = {key: text(value) for key, value in content.items() if FIELDS[kind].fullmatch(key)}
    # An object's sharing in its app is what each begins with: no value, so that a half-made object shows as such.
    sharing = str(acl.get("sharing") or "")
    return {**body, SHARING: "" if sharing == "app" else sharing}


def text(value: Any) -> str:
    """A value of Splunk's JSON as a .conf file holds it: the API answers with numbers and truth values for some settings."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value).strip()
