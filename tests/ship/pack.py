"""The repository's own pack and its searches, built once for all tests of what is shipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from an1498.compiler import compile_pack
from an1498.content import load_pack
from an1498.model import Pack, Search

ROOT = Path(__file__).parents[2]


@cache
def whole_pack() -> Pack:
    return load_pack(ROOT)


@cache
def searches_of(target: str) -> tuple[Search, ...]:
    return compile_pack(whole_pack(), (target,)).searches


@cache
def staged_pack() -> Pack:
    """The same pack with the staged targets beside the direct ones."""
    return load_pack(ROOT, [ROOT / "environments" / "staged.toml"])


@cache
def staged_searches_of(target: str) -> tuple[Search, ...]:
    return compile_pack(staged_pack(), (target,)).searches


@cache
def hosts_pack() -> Pack:
    """The same pack with targets whose entity is the host, looked up."""
    return load_pack(ROOT, [ROOT / "environments" / "hosts.toml"])


@cache
def hosts_searches_of(target: str) -> tuple[Search, ...]:
    return compile_pack(hosts_pack(), (target,)).searches
