"""A small build cut out of the pack's own, and targets that point at the models."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.deploy.fake_elastic import FakeElastic
from tests.deploy.fake_splunk import FakeSplunk
from tests.deploy.siem import Model

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.deploy import Plan, Session, open_session, plan_build
from an1498.deploy.apply import Result, apply_plan
from an1498.deploy.http import Clock
from an1498.model import ELASTIC_ASSETS, Target
from an1498.ship import build_files
from an1498.ship.elastic.ingest import assets_index
from an1498.ship.elastic.ndjson import pretty

ROOT = Path(__file__).parents[2]
START = 1_800_000_000.0
INDEX = f"bundle/lookup_index/{ELASTIC_ASSETS}.json"

Files = dict[str, bytes]


@pytest.fixture(scope="session")
def pack_files() -> Mapping[str, Mapping[str, bytes]]:
    pack = load_pack(ROOT)
    found = build_files(compile_pack(pack, ("elastic", "splunk")), pack)
    return {target: {path: content for path, content in files.items() if path != "manifest.json"} for target, files in found.items()}


@pytest.fixture(scope="session")
def targets() -> Mapping[str, Target]:
    return load_pack(ROOT).targets


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing to the disk is most of the time of a loop over all kills."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def write_files(out: Path, target: str, files: Mapping[str, bytes]) -> None:
    """A build's directory with its manifest."""
    for path, content in files.items():
        file = out / target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    (out / target / "manifest.json").write_text(json.dumps({"generator": "test", "target": target, "files": hashes}), encoding="utf-8")


def ndjson(items: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(item)}\n" for item in items).encode()


def items_of(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line]


@dataclass
class Bench:
    """One target, a model of its SIEM, a build directory and a state directory."""

    model: Model
    target: Target
    environment: Mapping[str, str]
    directory: Path
    waits: list[float]

    @property
    def clock(self) -> Clock:
        return Clock(lambda: START + sum(self.waits), self.waits.append)

    @property
    def state(self) -> Path:
        return self.directory / "state" / self.target.name

    def open(self, transport: httpx.BaseTransport | None = None) -> Any:
        return open_session(
            self.target, self.directory / "state", self.environment, clock=self.clock, transport=transport or self.model.transport
        )

    def plan(self, *overwrite: str) -> Plan:
        with self.open() as opened:
            return plan_build(opened, self.directory / "dist", overwrite)

    def apply(self, *overwrite: str, transport: httpx.BaseTransport | None = None) -> Result:
        with self.open(transport) as opened:
            return self.carry_out(opened, plan_build(opened, self.directory / "dist", overwrite))

    def carry_out(self, opened: Session, plan: Plan) -> Result:
        return apply_plan(plan, opened.siem, opened.store, opened.lock, opened.clock, lambda _: None)

    def statuses(self, *overwrite: str) -> dict[str, str]:
        return {str(change.key): change.status for change in self.plan(*overwrite).changes if change.status != "unchanged"}

    def build(self, files: Mapping[str, bytes]) -> None:
        write_files(self.directory / "dist", self.target.name, files)

    def lock(self) -> dict[str, Any]:
        found = json.loads((self.state / "an1498.lock.json").read_bytes())
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="session")
def small_elastic(pack_files: Mapping[str, Mapping[str, bytes]]) -> Files:
    """Three rules, their exception lists, one template, one pipeline, the dashboard, and the index that other targets join."""
    files = pack_files["elastic"]
    rules = items_of(files["bundle/rules.ndjson"])
    correlations = [rule for rule in rules if len(rule["exceptions_list"]) == 2][:2]
    chosen = [*correlations, next(rule for rule in rules if rule["type"] == "query")]
    for rule in chosen:
        rule["note"] = "Triage"
    used = {entry["list_id"] for rule in chosen for entry in rule["exceptions_list"]}
    lists = [item for item in items_of(files["bundle/exceptions.ndjson"]) if item["list_id"] in used]
    name = "logs-zeek.ssl@custom.json"
    return {
        "bundle/rules.ndjson": ndjson(chosen),
        "bundle/exceptions.ndjson": ndjson(lists),
        "bundle/dashboard.ndjson": files["bundle/dashboard.ndjson"],
        f"bundle/component_templates/{name}": files[f"bundle/component_templates/{name}"],
        f"bundle/ingest_pipelines/{name}": files[f"bundle/ingest_pipelines/{name}"],
        INDEX: pretty(assets_index()),
        "bundle/README.md": b"# for people\n",
    }


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where the benches live: in memory where there is such a place, because the loops over kills write thousands of small files."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="an1498-", dir=memory) as name:
        yield Path(name)


@pytest.fixture
def new_elastic(targets: Mapping[str, Target], small_elastic: Files, directory: Path) -> Callable[[str], Bench]:
    def new(name: str = "one") -> Bench:
        deploy = {"url": "http://127.0.0.1:1", "elasticsearch_url": "http://127.0.0.1:1", "space": "soc"}
        target = replace(targets["elastic"], options={**targets["elastic"].options, "deploy": deploy})
        bench = Bench(FakeElastic(), target, {"AN1498_ELASTIC_API_KEY": "c2VjcmV0OmtleQ=="}, directory / name, [])
        bench.build(small_elastic)
        return bench

    return new


@pytest.fixture
def elastic(new_elastic: Callable[[str], Bench]) -> Bench:
    return new_elastic("one")


@pytest.fixture(scope="session")
def small_splunk(pack_files: Mapping[str, Mapping[str, bytes]]) -> Files:
    """Two searches, the macros that belong to them, and the dashboard."""
    files = dict(pack_files["splunk"])
    for name, chosen in (
        ("savedsearches", ("zeek tls no sni", "handshake failure burst")),
        ("macros", ("no_sni", "failure_burst_filter", "_failed_events", "zeek_ssl]")),
    ):
        blocks = files[f"an1498/default/{name}.conf"].decode().split("\n\n[")
        kept = [block for block in blocks[1:] if any(word in block.split("\n")[0] for word in chosen)]
        files[f"an1498/default/{name}.conf"] = "\n\n[".join([blocks[0], *kept]).encode() + b"\n"
    return files


@pytest.fixture
def new_splunk(targets: Mapping[str, Target], small_splunk: Files, directory: Path) -> Callable[[str], Bench]:
    def new(name: str = "one") -> Bench:
        target = replace(targets["splunk"], options={**targets["splunk"].options, "deploy": {"url": "http://127.0.0.1:1"}})
        bench = Bench(FakeSplunk(), target, {"AN1498_SPLUNK_TOKEN": "eyJtoken"}, directory / name, [])
        bench.build(small_splunk)
        return bench

    return new


@pytest.fixture
def splunk(new_splunk: Callable[[str], Bench]) -> Bench:
    return new_splunk("one")
