"""`an1498 show`: one search's text and nothing else."""

from __future__ import annotations

import click

from an1498.cli.console import console
from an1498.cli.names import known_rule, known_target
from an1498.cli.settings import Settings
from an1498.errors import Unsupported, UsageError

EPILOG = """\b
Examples:
  an1498 show an1498_public_key_use_then_unrecognised_certificate
  an1498 show zeek_tls_self_signed_certificate --target elastic --language lucene
  an1498 show RULE --target elastic | pbcopy

\b
Exit codes:
  1  this language cannot say the rule: the message names construct and remedy
  2  no such rule, target or language
"""


@click.command(epilog=EPILOG, short_help="Print one search's text.")
@click.argument("rule", metavar="RULE")
@click.option("--target", metavar="T", help="A target of an1498.toml.  [default: the first]")
@click.option("--language", metavar="L", help="spl, eql, esql or lucene.  [default: the target's first that can say the rule]")
@click.pass_obj
def show(settings: Settings, rule: str, target: str | None, language: str | None) -> None:
    """Print the search that RULE (a rule's name or id) becomes."""
    from an1498.compiler import compile_search

    pack = settings.load_pack()
    name = known_rule(pack, rule).name
    chosen = known_target(pack, target)
    if language is not None and language not in chosen.languages:
        raise UsageError(f"target '{chosen.name}' has no language '{language}'; use one of: {', '.join(chosen.languages)}")
    languages = [found for found in chosen.languages if language in (None, found)]
    refused: Unsupported | None = None
    for candidate in languages:
        try:
            console.data(compile_search(pack, name, chosen.name, candidate).text)
            return
        except Unsupported as refusal:
            refused = refused or refusal
    assert refused is not None
    raise refused
