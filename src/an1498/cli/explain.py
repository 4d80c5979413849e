"""`an1498 explain`: a rule in words: semantics, lookback arithmetic, deviations, fields needed."""

from __future__ import annotations

import click

from an1498.cli.console import console
from an1498.cli.names import known_rule, known_target
from an1498.cli.settings import Settings

EPILOG = """\b
Examples:
  an1498 explain an1498_public_key_use_then_unrecognised_certificate
  an1498 explain an1498_handshake_failure_burst --target elastic

Exit code 2 where there is no such rule or target.
"""


@click.command(epilog=EPILOG, short_help="Say in words what a rule means on a target.")
@click.argument("rule", metavar="RULE")
@click.option("--target", metavar="T", help="A target of an1498.toml.  [default: the first]")
@click.pass_obj
def explain(settings: Settings, rule: str, target: str | None) -> None:
    """Say what RULE (a rule's name or id) means on a target, what it needs, and what its languages cannot say exactly."""
    from an1498.ship.explanation import explanation

    pack = settings.load_pack()
    for line in explanation(pack, known_rule(pack, rule), known_target(pack, target)):
        console.data(line)
