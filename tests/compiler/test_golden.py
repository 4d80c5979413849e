"""One rule, the exact text of every language beside it (tests/compiler/golden)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.compiler.cases import GOLDEN, compiled, read

from an1498.model import Language
from an1498.replay import eql, esql, lucene, spl

FILES = sorted(GOLDEN.glob("*.txt"))
MACROS = {"mac": "(index=mac)", "zeek": "(index=zeek)", "an1498_staged": "index=risk"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_text_of_every_language(path: Path) -> None:
    case = read(path)
    assert compiled(case) == case.expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_replay_accepts_the_text(path: Path) -> None:
    """Each text is inside the grammar of its language: a value that broke out of its quotes would not be."""
    texts = {language: text for language, text in read(path).expected.items() if not text.startswith("REFUSED")}
    for language, text in texts.items():
        if "(?=b)" in text and language == Language.SPL:
            continue  # PCRE's lookaround is right for Splunk, and outside replay's subset
        match language:
            case Language.SPL:
                assert spl.prepare(text, macros=MACROS).language is Language.SPL
            case Language.EQL:
                assert eql.prepare(text).language is Language.EQL
            case Language.ESQL:
                assert esql.prepare(text).language is Language.ESQL
            case Language.LUCENE:
                assert lucene.prepare(text).language is Language.LUCENE
    assert texts or all(text.startswith("REFUSED") for text in read(path).expected.values())
