"""What the app says of itself: app.conf, app.manifest, default.meta, README, licences."""

from __future__ import annotations

import json
import re

from an1498.errors import ContentError, Location
from an1498.model import STAGED_MACRO, Entity, Pack, Target
from an1498.ship.splunk.conf import Stanza
from an1498.ship.splunk.names import APP, PREFIX
from an1498.ship.splunk.text import Rule, key, said_by, shown

TITLE = f"{PREFIX} detections for macOS"
_DESCRIPTION = (
    "Ordered correlations for MITRE ATT&CK analytic AN1498 (T1573.002): public-key routines on a Mac, then TLS with an unrecognised "
    "certificate or an anomalous handshake."
)
_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z]+)?")
# File in the content's root, then its name in the app.
_LEGAL = {"LICENSE": "LICENSE.txt", "NOTICE": "NOTICE.txt", "rules/LICENSE.md": "LICENSE-rules.md"}


def version(pack: Pack) -> str:
    """Splunk takes major.minor.patch with an optional suffix (app.conf, `version`). Raises ContentError."""
    if not _VERSION.fullmatch(pack.version):
        raise ContentError(
            Location(str(pack.root / "an1498.toml")),
            f"the version '{pack.version[:40]}' cannot be that of a Splunk app",
            "write three numbers, for instance 1.2.3",
        )
    return pack.version


def author(pack: Pack) -> str:
    """The rules' authors. Raises ContentError."""
    names: set[str] = set()
    rules: list[Rule] = [*pack.rules.values(), *pack.correlations.values()]
    for rule in rules:
        with said_by(rule, "author"):
            names.add(shown(key(rule, "author")))
    return "; ".join(sorted(names - {""})) or "unknown"


def app_conf(pack: Pack) -> list[Stanza]:
    return [
        Stanza("install", {"is_configured": "0", "state": "enabled"}),
        Stanza("package", {"id": APP, "check_for_updates": "0"}),
        Stanza("ui", {"is_visible": "1", "label": TITLE}),
        Stanza("launcher", {"author": author(pack), "description": _DESCRIPTION, "version": version(pack)}),
        Stanza("id", {"name": APP, "version": version(pack)}),
    ]


def manifest(pack: Pack, legal: dict[str, bytes]) -> bytes:
    """app.manifest, schema 2.0.0 (Splunk Packaging Toolkit)."""
    licence = _LEGAL["LICENSE"]
    document = {
        "schemaVersion": "2.0.0",
        "info": {
            "title": TITLE,
            "id": {"group": None, "name": APP, "version": version(pack)},
            "author": [{"name": author(pack), "email": None, "company": None}],
            "releaseDate": None,
            "description": _DESCRIPTION,
            "classification": {"intendedAudience": "Security", "categories": ["Security, Fraud & Compliance"], "developmentStatus": None},
            "commonInformationModels": None,
            "license": {"name": "Apache-2.0; rules DRL-1.1", "text": f"./{licence}" if licence in legal else None, "uri": None},
            "privacyPolicy": {"name": None, "text": None, "uri": None},
            "releaseNotes": {"name": None, "text": "./README.md", "uri": None},
        },
        "dependencies": None,
        "tasks": None,
        "inputGroups": None,
        "incompatibleApps": None,
        "platformRequirements": None,
        "supportedDeployments": ["_standalone", "_distributed", "_search_head_clustering"],
        "targetWorkloads": ["_search_heads"],
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def default_meta() -> bytes:
    """Everybody may read; administrators, Splunk Cloud's included, may write. Enterprise Security runs searches from its own app, so what
    they consist of is shared with all apps."""
    shared = "".join(f"\n[{kind}]\nexport = system\n" for kind in ("lookups", "macros", "props", "savedsearches", "transforms"))
    return f"[]\naccess = read : [ * ], write : [ admin, sc_admin ]\nexport = none\n{shared}".encode()


def legal_files(pack: Pack) -> dict[str, bytes]:
    """The content's licences, those that it has."""
    found = {name: pack.root / path for path, name in _LEGAL.items()}
    return {name: path.read_bytes() for name, path in found.items() if path.is_file()}


_STAGED = """Staged: the correlations read what context searches write with `collect` into the index of macro `an1498_staged`, which must
exist. Enable every context search that ends in `collect` together with the correlations, under an owner who may write to that index.
"""


_NO_ASSETS = """- No search reads the lookup an1498_assets (start, end, ip, host, mac, source); it is there for analysts.
  `an1498 assets build` fills it.
"""
_ASSETS = """- The searches take the machine for the host that had an address: lookup an1498_assets (start, end, ip, host, mac,
  source), which is empty until you fill it, and without which nothing alerts. `an1498 assets build` writes it from dhcp.log
  and CMDB files; do so at least as often as the searches run, from logs that reach to the present.
- An update of the app puts its empty lookups/an1498_assets.csv back. Set `[an1498_assets] filename = an1498_assets_site.csv` in
  local/transforms.conf, and write your table to lookups/an1498_assets_site.csv (or keep it in the KV store,
  README/collections.conf.example): updates touch neither.
"""


def readme(pack: Pack, target: Target, layout: dict[str, str], correlations: int, context: int) -> bytes:
    staged = _STAGED if target.staging else ""
    writes = f" and, with collect, to {target.macros[STAGED_MACRO]}" if target.staging else ""
    rows = "\n".join(f"    {name:<28} {text}" for name, text in sorted(layout.items()))
    return f"""# {TITLE}

Version {version(pack)}, built for target `{target.name}`. {_DESCRIPTION}

{correlations} correlation searches (notable events and risk) and {context} searches for context (risk only, never an alert).
{staged}All are disabled after installation. Not run on a Splunk instance by its makers: the searches' text was executed on their own
evaluator, the app was checked with AppInspect.

## Set up
1. Collect the logs as docs/telemetry.md of the pack says. Install this app on the search heads.
2. Say where the logs are. Define these macros in local/macros.conf or under Settings > Advanced search:

{rows}

3. Look at the dashboard "{PREFIX} overview": every log must have events, machines and few events without a machine.
4. Enable the correlation searches (names `{PREFIX} - … - Rule`), then the others for risk.

## Tune
- One macro `…_filter` per search, by default `search *`. Define it in local/, for instance
  `search NOT entity="address of a lab machine"`. Local definitions survive updates of the app.
- Thresholds, windows and lists of trust are parameters of the pack: change an1498.toml's overlay, build and install again. The lookups
  an1498_trusted_endpoints and an1498_allowed_processes show what this build trusts; editing them changes nothing in the searches.
{_ASSETS if target.entity is Entity.LOOKUP else _NO_ASSETS}
## Remove
Disable the searches, delete the app. It writes to no index but through Enterprise Security's notable and risk actions{writes}.
""".encode()
