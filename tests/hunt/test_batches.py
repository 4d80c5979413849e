"""Files that are read together: what each of them gives, which lines a search may need, and what an interruption leaves."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.hunt.conftest import SELF_SIGNED, SSL_FIELDS, SSL_TYPES, key_use, ssl_tsv

from an1498.hunt import loading
from an1498.hunt.columns import Plan, plan
from an1498.hunt.engine import Hunt, chosen_searches, hunt, run
from an1498.hunt.hosts import Hosts, host_options
from an1498.hunt.output import finding_object
from an1498.hunt.sql import Staged
from an1498.hunt.store import Seen, Store
from an1498.model import Pack
from an1498.replay.algebra import identifier
from an1498.replay.spl.prefilter import Condition

Write = Callable[[str, bytes], Path]

HOSTS = Hosts(named=host_options([f"mac-{number}=10.20.0.{number}" for number in range(8)]))
RULES = ["macos_public_key_use", "zeek_tls_self_signed_certificate"]


@pytest.fixture(scope="module")
def event_rules(pack: Pack) -> Plan:
    return plan(pack.targets["splunk"], chosen_searches(pack, "splunk", RULES))


@pytest.fixture
def archive(write: Write) -> Path:
    """Logs of two kinds, most of them fit to be read together; three of them are not, each for another reason."""
    for number in range(4):
        write(f"logs/mac-{number}/u.ndjson", key_use() * (number + 1) + b"{broken\n" + key_use(eventMessage=5) + key_use().rstrip())
    write("logs/mac-4/u.ndjson", key_use() + b"\n\n" + key_use())
    write("logs/mac-5/u.ndjson", gzip.compress(key_use()))
    close = b"#close\t2026-01-15-11-00-00\n"
    for hour in range(4):
        rows = [*[SELF_SIGNED] * hour, "too few", SELF_SIGNED.replace(" 443 ", " 70000 ")]
        write(f"logs/zeek/ssl.{hour:02d}:00:00.log", ssl_tsv(*rows) + close)
    write("logs/zeek/ssl.04:00:00.log", ssl_tsv(SELF_SIGNED).replace(b"ab,cd", b"ab,\xff"))
    back = [" ".join(reversed(text.split())) for text in (SELF_SIGNED, SSL_FIELDS, SSL_TYPES)]
    write("logs/zeek/ssl.05:00:00.log", ssl_tsv(SELF_SIGNED) + ssl_tsv(back[0], fields=back[1], types=back[2]))
    return Path("logs")


def outcome(found: Hunt) -> tuple[list[Any], dict[str, tuple[int, int]]]:
    return [finding_object(one) for one in found.findings], {str(one.file.path): (one.events, one.rejects) for one in found.loaded}


def test_together_as_each_alone(pack: Pack, event_rules: Plan, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[int] = []
    real = Store.add_staged

    def counted(self: Store, staged: Staged, source: Any, files: Any) -> list[Seen] | None:
        seen = real(self, staged, source, files)
        statements.append(len(files) if seen is not None else 0)
        return seen

    monkeypatch.setattr(Store, "add_staged", counted)
    together = run(pack, event_rules, [archive], hosts=HOSTS)
    assert max(statements) == 3, "half of the files of a kind are read in one statement, because one of the other half cannot be"
    monkeypatch.setattr(loading, "_BATCH_FILES", 1)
    alone = run(pack, event_rules, [archive], hosts=HOSTS)
    monkeypatch.setattr(Store, "add_staged", lambda *_: None)
    slowly = run(pack, event_rules, [archive], hosts=HOSTS)
    assert outcome(together) == outcome(alone) == outcome(slowly)
    assert [one.location.line for one in together.first_rejects] == [one.location.line for one in slowly.first_rejects]
    findings, counts = outcome(together)
    assert counts["logs/mac-2/u.ndjson"] == (4, 2) and counts["logs/mac-4/u.ndjson"] == (2, 0)
    assert counts["logs/zeek/ssl.03:00:00.log"] == (3, 2) and counts["logs/zeek/ssl.04:00:00.log"] == (0, 1)
    assert len(findings) == 2 + 3 + 4 + 5 + 2 + 1 + 1 + 2 + 3 + 2


def test_the_hint_lets_pass_whatever_the_condition_does(pack: Pack) -> None:
    chance = random.Random(1)
    for source in plan(pack.targets["splunk"], chosen_searches(pack, "splunk", [])).sources:
        condition, hint = source.passing.condition, source.passing.hint
        if source.passing.never:
            continue
        texts = _texts(condition)
        rows = [[_value(chance, texts.get(name, [])) for name in sorted(condition.fields)] for _ in range(3000)]
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(f"CREATE TABLE t ({', '.join(f'{identifier(name)} VARCHAR' for name in sorted(condition.fields))})")
            connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(condition.fields))})", rows)
            passed, hinted = _passed(condition), _passed(hint)
            assert len(connection.execute(passed).fetchall()) > 10, f"{source.service}: the rows do not try the condition"
            assert connection.execute(f"{passed} EXCEPT {hinted}").fetchall() == []


def _texts(condition: Condition) -> dict[str, list[str]]:
    """The texts that a condition compares each field with."""
    columns = {identifier(name): name for name in condition.fields}
    columns |= {identifier(name): columns[sql[len("lower(") : -1]] for name, sql in condition.shared}
    found: dict[str, list[str]] = {}
    field = ""
    for column, text in re.findall(r"""("[^"]+")|lower\('([^']*)'\)""", condition.sql):
        field = columns[column] if column else field
        found.setdefault(field, []).extend([] if column else [text])
    return found


def _value(chance: random.Random, texts: list[str]) -> str | None:
    text = chance.choice([*texts, "other"])
    return chance.choice((text, text, text.upper(), "x" + text, text + "x", f"x{text}x", None))


def _passed(condition: Condition) -> str:
    shared = ", ".join(["rowid", "*", *(f"{sql} AS {identifier(name)}" for name, sql in condition.shared)])
    return f"SELECT rowid FROM (SELECT {shared} FROM t) WHERE {condition.sql}"


def test_an_interrupted_run_leaves_no_files(pack: Pack, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(loading, "_BATCH_FILES", 1)

    def interrupt(*_: object) -> None:
        assert list(work.iterdir())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hunt(pack, "splunk", [archive], hosts=HOSTS, work=work, progress=interrupt)
    assert list(work.iterdir()) == []
