"""The proof that a mutant decides about every event as its search does: what it proves, and what it must not."""

from __future__ import annotations

import duckdb
import pytest

from an1498.model import FieldType, Language
from an1498.proof.sharing import Shared
from an1498.replay.prepare import FLAVOURS, prepare
from an1498.replay.table import ColumnType, load

TEXT = ColumnType(FieldType.KEYWORD)
MAPPING = {"a": TEXT, "b": TEXT, "n": ColumnType(FieldType.LONG), "ip": ColumnType(FieldType.IP), "@timestamp": ColumnType(FieldType.DATE)}


def shared(language: Language, text: str) -> Shared:
    table = load(duckdb.connect(), "events", [[{"a": "x"}]], flavour=FLAVOURS[language], mapping=MAPPING)
    return Shared(prepare(language, text), table)


def staged(where: str, second: str) -> str:
    """A search whose rows are those of two conditions, of which the first is `a == "p" AND b == "q"`."""
    stages = f'MV_APPEND(CASE(a == "p" AND b == "q", 1, 0), CASE({second}, 2, 0))'
    return f"FROM x | WHERE {where} | EVAL s = {stages} | MV_EXPAND s | WHERE s > 0"


ONE_STEP_MORE = 'FROM x | WHERE a == "p" | WHERE a IS NOT NULL | EVAL s = MV_APPEND(n / 3, n / 3 + 1) | MV_EXPAND s'
SAME = [
    (Language.ESQL, 'FROM x | WHERE a == "p" AND NOT (a == "q")', 'FROM x | WHERE a == "p" AND NOT (a == "r")'),
    (Language.ESQL, 'FROM x | WHERE a == "p" AND (a IS NULL OR b == "q")', 'FROM x | WHERE a == "p" AND (b == "q")'),
    (Language.ESQL, 'FROM x | WHERE a LIKE "p*" OR a LIKE "pq*"', 'FROM x | WHERE a LIKE "p*" OR a LIKE "pr*"'),
    (Language.ESQL, 'FROM x | WHERE TO_LOWER(a) == "p" AND NOT (TO_LOWER(a) LIKE "q*")', 'FROM x | WHERE TO_LOWER(a) == "p"'),
    (
        Language.ESQL,
        staged('(a == "p" AND b == "q") OR n >= 3', "n >= 3"),
        staged('(a == "p" OR b == "q") OR n >= 3', "n >= 3"),
    ),
    (
        Language.ESQL,
        staged('(a == "p" AND b == "q") OR NOT (TO_LOWER(b) == "r")', 'NOT (TO_LOWER(b) == "r")'),
        staged('(a == "p" AND b == "q") OR NOT (b == "r")', 'NOT (TO_LOWER(b) == "r")'),
    ),
    (Language.ESQL, ONE_STEP_MORE, ONE_STEP_MORE.replace(" | WHERE a IS NOT NULL", "")),
    (
        Language.ESQL,
        'FROM x | WHERE a IS NULL AND NOT (TO_LOWER(a) IN ("p", "q")) | LIMIT 5 | KEEP b',
        'FROM x | WHERE a IS NULL AND NOT (a IN ("p", "q")) | LIMIT 5 | KEEP b',
    ),
    (Language.SPL, 'search NOT a=* NOT a IN ("p", "q")', 'search NOT a=* NOT a IN ("p", "r")'),
    (Language.EQL, 'any where a == "p" and not n > 3 and n == 2', 'any where a == "p" and n == 2'),
    (Language.LUCENE, "a:/[Pp][Qq]/ AND NOT a:/[Pp][Rr]/", "a:/[Pp][Qq]/ AND NOT a:/[Pp][Ss]/"),
]
OTHER = [
    (Language.ESQL, 'FROM x | WHERE a == "p" OR a == "q"', 'FROM x | WHERE a == "p" OR a == "r"'),
    (Language.ESQL, 'FROM x | WHERE TO_LOWER(a) == "p"', 'FROM x | WHERE a == "p"'),
    (Language.ESQL, 'FROM x | WHERE a LIKE "p*" OR a LIKE "q*"', 'FROM x | WHERE a LIKE "p*" OR a LIKE "qr*"'),
    (Language.ESQL, 'FROM x | WHERE NOT (a == "p")', 'FROM x | WHERE a IS NULL OR NOT (a == "p")'),
    (Language.ESQL, "FROM x | WHERE n >= 3 AND n < 5", "FROM x | WHERE n > 3 AND n < 5"),
    (Language.ESQL, 'FROM x | WHERE CIDR_MATCH(ip, "10.0.0.0/8")', 'FROM x | WHERE CIDR_MATCH(ip, "10.0.0.0/9")'),
    (Language.ESQL, 'FROM x | WHERE a == "p" | LIMIT 5', 'FROM x | WHERE a == "p" | LIMIT 6'),
    (
        Language.ESQL,
        staged('(a == "p" AND b == "q") OR n >= 3', "n >= 4"),
        staged('(a == "p" AND b == "q") OR n >= 5', "n >= 4"),
    ),
    (Language.ESQL, ONE_STEP_MORE, ONE_STEP_MORE.replace('| WHERE a == "p" ', "")),
    (Language.ESQL, 'FROM x | WHERE a == "p" | KEEP a, b', 'FROM x | WHERE a == "p" | KEEP a'),
    (Language.SPL, "search a=p OR b=q", "search a=p b=q"),
    (Language.SPL, 'search a="p*"', 'search a="p"'),
    (Language.EQL, 'any where a : "p"', 'any where a == "p"'),
    (Language.LUCENE, "a:/[Pp]q/", "a:/[Pp]Q/"),
]


@pytest.mark.parametrize(("language", "own", "mutant"), SAME)
def test_proved(language: Language, own: str, mutant: str) -> None:
    assert shared(language, own).same_for_every_event(prepare(language, mutant))


@pytest.mark.parametrize(("language", "own", "mutant"), OTHER)
def test_never_proved(language: Language, own: str, mutant: str) -> None:
    assert not shared(language, own).same_for_every_event(prepare(language, mutant))
