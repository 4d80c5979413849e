"""`python -m an1498.content.lints`: the reference page of all codes."""

from __future__ import annotations

import sys

from an1498.content.lints import reference

sys.stdout.write(reference())
