"""The functions of eval and where (Search Reference, "Evaluation functions"): one table.

`random`, `lookup` and others that depend on more than the event are not in it and are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from an1498.replay.spl import eval_syntax
from an1498.replay.spl.eval_common import Rows
from an1498.replay.spl.eval_conditions import CONDITIONS
from an1498.replay.spl.eval_conversions import CONVERSIONS
from an1498.replay.spl.eval_json import JSON
from an1498.replay.spl.eval_json_updates import JSON_UPDATES
from an1498.replay.spl.eval_multivalues import MULTIVALUES
from an1498.replay.spl.eval_numbers import NUMBERS
from an1498.replay.spl.eval_printf import PRINTF
from an1498.replay.spl.eval_text import TEXTS
from an1498.replay.spl.values import Value

if TYPE_CHECKING:
    from an1498.replay.spl.expressions import Expressions

FUNCTIONS: Rows = {**CONDITIONS, **CONVERSIONS, **TEXTS, **NUMBERS, **MULTIVALUES, **JSON, **JSON_UPDATES, **PRINTF}


def lower(scope: Expressions, node: eval_syntax.Function) -> Value:
    """Raises SearchSyntaxError for a wrong number of arguments, UnsupportedConstruct for a function that is not modelled."""
    row = FUNCTIONS.get(node.name)
    if row is None:
        raise scope.source.unsupported(node.at, f"the function {node.name}()")
    lowering, least, most = row
    if not least <= len(node.arguments) <= most:
        raise scope.source.syntax_error(node.at, f"{node.name}() takes {least if least == most else f'{least} or more'} arguments")
    return lowering(scope, node.arguments, node.at)
