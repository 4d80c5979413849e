"""Other people's engines as second opinions; each says how many comparisons it made, and none may make none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from an1498.compiler import compile_search
from an1498.content import find_root, load_pack
from an1498.errors import ExternalError
from an1498.model import Language
from an1498.proof import consultation
from an1498.proof.cases import Shape
from an1498.proof.oracles import Verdict, esql_grammar

PACK = load_pack(find_root(Path(__file__).parents[2]))
Record = Callable[[str, object], None]


def agreed(verdicts: Iterable[Verdict], record_property: Record) -> None:
    verdicts = list(verdicts)
    assert verdicts
    for verdict in verdicts:
        record_property(
            "evidence",
            f"{verdict.oracle} {verdict.version}, {verdict.subject}: {verdict.agreed} of {verdict.comparisons} comparisons agree",
        )
        assert verdict.comparisons > 0, verdict
        assert verdict.agreed == verdict.comparisons, verdict.differences


@pytest.mark.parametrize("shape", consultation.sqlite_shapes(), ids=str)
def test_sqlite_and_the_reference(shape: Shape, record_property: Record) -> None:
    agreed(consultation.ask_sqlite([shape], streams=150), record_property)


def test_endgames_eql_runs_the_emitted_sequences(record_property: Record) -> None:
    agreed(consultation.ask_eql(streams=150), record_property)


def test_osmem_server_finds_what_replay_finds(record_property: Record) -> None:
    agreed(consultation.ask_lucene(PACK), record_property)


def test_elastics_grammar_accepts_a_sample_of_the_esql_texts(record_property: Record) -> None:
    """Where a Python 3.12 has it (`make test` builds that environment); where none has, the run says so."""
    questions = consultation.grammar_questions(PACK, ("8.19.0", "latest"))
    if not questions:
        record_property("evidence", consultation.absent()[-1])
        assert esql_grammar.ENVIRONMENT_VARIABLE in consultation.absent()[-1]
        return
    agreed((consultation.ask_esql(PACK, target, stack, one_in=48) for target, stack in questions), record_property)


def test_elastics_grammar_accepts_a_lookup(record_property: Record) -> None:
    """The shortest text that joins the table of assets; the others differ in what stands around it."""
    interpreter = esql_grammar.python()
    if interpreter is None:
        record_property("evidence", consultation.absent()[-1])
        return
    pack = load_pack(PACK.root, [PACK.root / "environments" / "hosts.toml"])
    search = compile_search(pack, "an1498_handshake_failure_burst", "elastic-hosts", Language.ESQL)
    assert "LOOKUP JOIN" in search.text
    agreed(esql_grammar.check([search], pack.targets["elastic-hosts"].layouts, interpreter, ("8.19.0", "latest")), record_property)


def test_a_grammar_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(esql_grammar.ENVIRONMENT_VARIABLE, raising=False)
    assert consultation.grammar_questions(PACK) == []
    with pytest.raises(ExternalError, match=esql_grammar.ENVIRONMENT_VARIABLE):
        consultation.ask_esql(PACK, "elastic", "latest", 1)
