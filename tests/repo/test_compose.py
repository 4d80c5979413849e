"""The compose file: what it starts is for this machine only, and it holds no secret and no acceptance of a licence."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

COMPOSE = Path(__file__).parents[2] / "docs" / "compose"
SETTING = re.compile(r"\$\{([A-Z_]+)(?::[?-][^}]*)?\}")
DECIDED = ("PASSWORD", "KEY", "TOKEN", "LICENSE", "TERMS", "START_ARGS")


def test_nothing_is_decided_for_the_user() -> None:
    services = yaml.safe_load((COMPOSE / "compose.yml").read_text(encoding="utf-8"))["services"]
    lines = (COMPOSE / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    used: set[str] = set()
    for name, service in services.items():
        assert service["profiles"] in (["elastic"], ["splunk"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        used |= set(SETTING.findall(service["image"]))
        for variable, value in service.get("environment", {}).items():
            used |= set(SETTING.findall(value))
            if any(word in variable.upper() for word in DECIDED):
                assert SETTING.fullmatch(value), f"{name}: {variable}"
    assert used == set(example), "what compose asks for is what the example has"
    assert [name for name, value in example.items() if value and not name.endswith(("_VERSION", "ELASTIC_LICENSE"))] == []
