"""Values that people and logs may bring: quotes, pipes, backticks, brackets, line breaks, tokens, backslashes, blanks, other scripts."""

from __future__ import annotations

import random

PIECES = (
    *(
        '"',
        "'",
        "|",
        "`",
        "[",
        "]",
        "[stanza]",
        "\n",
        "\r\n",
        "\n[x]\n",
        "\\",
        "\\\n",
        "$",
        "$result.x$",
        "$$",
        "=",
        "disabled = 0",
        "#",
        ";",
        "\t",
    ),
    *(
        "  ",
        "%s",
        "{{x}}",
        "{}",
        "]]>",
        "</definition>",
        "<!--",
        "&amp;",
        "\x00",
        "\x1b[0m",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
        "```",
        "(",
        ")",
    ),
    *(
        'CN=Evil\\, Inc.,O="Ä"',
        "日本",
        "😀",
        "| delete",
        "`an1498_alerts`",
        " OR index=*",
        '\\"',
        "*",
        "?",
        "''",
        ",",
        "--",
        "eval(1)",
        "ﬁ",
    ),
)
WORDS = ("Key use", "then", "TLS", "server", "a", "unknown certificate", "/usr/libexec/trustd", "com.example", "10.1.2.3")


def hostile(random_source: random.Random) -> str:
    """A text of ordinary words with none to four hostile pieces among them; sometimes hostile at its very beginning or end."""
    parts = [random_source.choice(WORDS) for _ in range(random_source.randint(1, 4))]
    for _ in range(random_source.choice((0, 1, 1, 1, 2, 4))):
        parts.insert(random_source.randint(0, len(parts)), random_source.choice(PIECES))
    return random_source.choice(("", " ")).join(parts)
