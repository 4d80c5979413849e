"""The closed table of functions that expressions may call, each with its DuckDB form.

A value is a format string over the rendered arguments, or a function of them where their number varies. A language that needs
another function adds a row here, named for what it does, not for the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

SqlTemplate = str | Callable[[list[str]], str]


def _infix(operator: str, empty: str) -> Callable[[list[str]], str]:
    return lambda args: "(" + f" {operator} ".join(args) + ")" if args else empty


def _function(name: str) -> Callable[[list[str]], str]:
    return lambda args: f"{name}({', '.join(args)})"


def _ipv4_number(args: list[str]) -> str:
    octet = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    pattern = r"\.".join([octet] * 4)
    parts = [f"CAST(split_part({args[0]}, '.', {position}) AS BIGINT)" for position in (1, 2, 3, 4)]
    value = f"{parts[0]} * 16777216 + {parts[1]} * 65536 + {parts[2]} * 256 + {parts[3]}"
    return f"(CASE WHEN regexp_full_match({args[0]}, '{pattern}') THEN {value} END)"


def _ipv6_digits(args: list[str]) -> str:
    """The groups left and right of "::", each padded to four digits, with zeros between them. Text that is not eight groups
    (or fewer with one "::") of one to four digits is null, and so is the mixed form with a dotted quad."""
    text = f"lower({args[0]})"

    def joined(side: int) -> str:
        groups = f"list_filter(string_split(split_part({text}, '::', {side}), ':'), lambda g: g <> '')"
        return f"coalesce(list_aggregate(list_transform({groups}, lambda g: lpad(g, 4, '0')), 'string_agg', ''), '')"

    left, right = joined(1), joined(2)
    short = r"([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?"
    full = r"[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}"
    return (
        f"(CASE WHEN regexp_full_match({text}, '{full}') THEN {left} "
        f"WHEN regexp_full_match({text}, '{short}') AND len({left}) + len({right}) < 32 "
        f"THEN {left} || repeat('0', 32 - len({left}) - len({right})) || {right} END)"
    )


def _ip_key(args: list[str]) -> str:
    ipv4 = f"printf('00000000000000000000ffff%08x', {_ipv4_number(['address'])})"
    return f"list_transform([{args[0]}], lambda address: coalesce({ipv4}, {_ipv6_digits(['address'])}))[1]"


def _integer_in_base(args: list[str]) -> str:
    text, base = f"lower({args[0]})", args[1]
    digit = f"(strpos('0123456789abcdefghijklmnopqrstuvwxyz', substring({text}, i, 1)) - 1)"
    weighed = f"list_transform(range(1, length({text}) + 1), lambda i: {digit} * {base}::HUGEINT ** (length({text}) - i))"
    valid = f"len(list_filter(range(1, length({text}) + 1), lambda i: {digit} NOT BETWEEN 0 AND {base} - 1)) = 0 AND {text} <> ''"
    return f"(CASE WHEN {valid} THEN CAST(list_aggregate({weighed}, 'sum') AS BIGINT) END)"


def _ip_text(args: list[str]) -> str:
    """The canonical text of an address: IPv4 dotted, IPv6 in lower case with its first longest run of zero groups shortened."""
    octets = " || '.' || ".join(f"CAST(('0x' || substring(k, {25 + 2 * octet}, 2)) AS INTEGER)" for octet in range(4))
    groups = " || ':' || ".join(f"coalesce(nullif(ltrim(substring(k, {1 + 4 * group}, 4), '0'), ''), '0')" for group in range(8))
    runs = [f"(^|:)0(:0){{{length - 1}}}(:|$)" for length in range(8, 1, -1)]
    whens = " ".join(f"WHEN regexp_matches(t, '{run}') THEN regexp_replace(t, '{run}', '::')" for run in runs)
    ipv6 = f"list_transform([{groups}], lambda t: CASE {whens} ELSE t END)[1]"
    text = f"CASE WHEN starts_with(k, '00000000000000000000ffff') THEN {octets} WHEN k IS NOT NULL THEN {ipv6} END"
    mixed = "error('an1498-refused: an IPv6 address that ends like an IPv4 address')"
    known = f"CASE WHEN regexp_full_match({args[0]}, '[0-9a-fA-F:]*:[0-9.]*[.][0-9.]*') THEN {mixed} ELSE {args[0]} END"
    return f"list_transform([{_ip_key([known])}], lambda k: {text})[1]"


def _json_with(args: list[str]) -> str:
    """A JSON object with {2} (JSON) as the value of {1}, in the place of an old value or as the last member."""
    document, key, value = args
    old = f"CAST(json_extract({document}, '/' || replace(replace(name, '~', '~0'), '/', '~1')) AS VARCHAR)"
    keys = f"json_keys({document})"
    names = f"CASE WHEN list_contains({keys}, {key}) THEN {keys} ELSE list_append({keys}, {key}) END"
    member = f"CAST(to_json(name) AS VARCHAR) || ':' || CASE WHEN name = {key} THEN {value} ELSE {old} END"
    return f"('{{' || array_to_string(list_transform({names}, lambda name: {member}), ',') || '}}')"


SQL_FUNCTIONS: Mapping[str, SqlTemplate] = {
    # logic (three-valued, as in SQL)
    "and": _infix("AND", "TRUE"),
    "or": _infix("OR", "FALSE"),
    "not": "(NOT {0})",
    "is_null": "({0} IS NULL)",
    "is_not_null": "({0} IS NOT NULL)",
    "coalesce": _function("coalesce"),
    # comparison
    "eq": "({0} = {1})",
    "ne": "({0} <> {1})",
    "lt": "({0} < {1})",
    "le": "({0} <= {1})",
    "gt": "({0} > {1})",
    "ge": "({0} >= {1})",
    "in": lambda args: f"({args[0]} IN ({', '.join(args[1:])}))",
    "identical": "({0} IS NOT DISTINCT FROM {1})",
    # a value that cannot be computed without guessing: the whole search fails with this message
    "fail": "error({0})",
    # arithmetic (division by zero is null)
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / nullif({1}, 0))",
    "int_div": "({0} // nullif({1}, 0))",
    "greatest": _function("greatest"),
    "least": _function("least"),
    # digits of a base from 2 to 36 as a number; null where the text has another character
    "integer_in_base": _integer_in_base,
    "mod": "({0} % nullif({1}, 0))",
    "neg": "(-{0})",
    "floor": "floor({0})",
    "ceil": "ceil({0})",
    "trunc": "trunc({0})",
    "round": _function("round"),
    "round_decimal": (
        "(CASE WHEN abs({0}) < 1e15 THEN CAST(round(CAST(CAST({0} AS VARCHAR) AS DECIMAL(38, 18)), {1}) AS DOUBLE) ELSE {0} END)"
    ),
    "abs": "abs({0})",
    "sqrt": "sqrt({0})",
    "exp": "exp({0})",
    "ln": "ln({0})",
    "log10": "log10({0})",
    "power": "pow({0}, {1})",
    # text
    "lower": "lower({0})",
    "upper": "upper({0})",
    "length": "length({0})",
    # lower case for A-Z only, as Lucene's case-insensitive queries fold; and Java's string length, which counts UTF-16 units
    "ascii_lower": "translate({0}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')",
    "utf16_length": r"(length({0}) + length(regexp_replace({0}, '[^\x{{10000}}-\x{{10FFFF}}]', '', 'g')))",
    "reverse": "reverse({0})",
    "concat": _infix("||", "''"),
    "starts_with": "starts_with({0}, {1})",
    "ends_with": "suffix({0}, {1})",
    "contains": "contains({0}, {1})",
    "regex_full": "regexp_full_match({0}, {1}, 's')",
    "regex_search": "regexp_matches({0}, {1}, 's')",
    # as regex_full, but "." does not match a line feed
    "regex_full_line": "regexp_full_match({0}, {1})",
    # Perl-like expressions: a dot does not match a newline
    "perl_search": "regexp_matches({0}, {1})",
    "perl_extract": "regexp_extract({0}, {1}, {2})",
    "perl_extract_all": "regexp_extract_all({0}, {1}, {2})",
    "perl_replace_all": "regexp_replace({0}, {1}, {2}, 'g')",
    "ltrim": _function("ltrim"),
    "rtrim": _function("rtrim"),
    "md5": "md5({0})",
    "sha1": "sha1({0})",
    "sha256": "sha256({0})",
    "substring": _function("substring"),
    "text_position": "strpos({0}, {1})",
    "replace_text": "replace({0}, {1}, {2})",
    "format_number": "CAST({0} AS VARCHAR)",
    "trim": _function("trim"),
    "split": "string_split({0}, {1})",
    # addresses: a dotted quad as a number, an IPv6 address as 32 lower case hexadecimal digits; null for other text
    "ipv4_number": _ipv4_number,
    "ipv6_digits": _ipv6_digits,
    # 32 hexadecimal digits that order and compare as Elasticsearch's `ip` does (IPv4 as ::ffff:a.b.c.d); null for other text
    "ip_key": _ip_key,
    "ip_text": _ip_text,
    # lists
    "list_any": "(len(list_filter({0}, {1})) > 0)",
    "list_filter": "list_filter({0}, {1})",
    "list_transform": "list_transform({0}, {1})",
    "list_length": "len({0})",
    "list_concat": _function("list_concat"),
    "list_sort": "list_sort({0})",
    "list_distinct": "list_distinct({0})",
    "list_contains": "list_contains({0}, {1})",
    "list_element": "list_extract({0}, {1})",
    "list_slice": "list_slice({0}, {1}, {2})",
    "list_position": "list_position({0}, {1})",
    "list_join": "array_to_string({0}, {1})",
    "list_flatten": "flatten({0})",
    "list_sum": "list_sum({0})",
    "list_min": "list_min({0})",
    "list_max": "list_max({0})",
    # times: microseconds since the epoch as UTC text
    "format_time": "strftime(make_timestamp({0}), {1})",
    "list_or_null": "(CASE WHEN len({0}) > 0 THEN {0} END)",
    "list_single": "(CASE WHEN len({0}) = 1 THEN {0}[1] END)",
    "list_of_one": "(CASE WHEN {0} IS NOT NULL THEN [{0}] END)",
    "list_sort_descending": "list_reverse_sort({0})",
    "list_quantile": "list_aggregate({0}, 'quantile_cont', {1})",
    "list_has_all": "list_has_all({0}, {1})",
    "list_range": "range(1, {0} + 1)",
    "list_steps": "range({0}, {1}, {2})",
    # microseconds since the epoch, UTC; null where the text does not have the format
    "parse_time": "epoch_us(try_strptime({0}, {1}))",
    "truncate_time": "epoch_us(date_trunc({0}, make_timestamp({1})))",
    "shift_months": "epoch_us(make_timestamp({1}) + to_months({0}))",
    "day_of_month": "day(make_timestamp({0}))",
    "url_decode": "url_decode({0})",
    "grouped_digits": "format('{{:,}}', CAST({0} AS BIGINT))",
    "hexadecimal": "hex(CAST({0} AS BIGINT))",
    "binary": "bin(CAST({0} AS BIGINT))",
    "perl_replace_first": "regexp_replace({0}, {1}, {2})",
    "translate_characters": "translate({0}, {1}, {2})",
    "json_text": "json_extract_string({0}, {1})",
    "is_json": "json_valid({0})",
    "is_json_container": "(CASE WHEN json_valid({0}) THEN json_type({0}) IN ('OBJECT', 'ARRAY') ELSE FALSE END)",
    "json_repeats": ("(CASE WHEN json_type({0}) = 'OBJECT' THEN len(json_keys({0})) <> len(list_distinct(json_keys({0}))) ELSE FALSE END)"),
    "json_array_in": "(CASE WHEN json_valid({0}) THEN json_type({0}) = 'ARRAY' ELSE FALSE END)",
    "json_kind": "json_type({0})",
    "json_at": "CAST(json_extract({0}, {1}) AS VARCHAR)",
    "json_unquoted": "json_extract_string({0}, '$')",
    "json_quoted": "CAST(to_json({0}) AS VARCHAR)",
    "json_compact": "CAST(json({0}) AS VARCHAR)",
    "json_names": "json_keys({0})",
    "json_size": "json_array_length({0})",
    "json_elements": "list_transform(json_extract({0}, '$[*]'), lambda element: CAST(element AS VARCHAR))",
    "json_with": _json_with,
    "printf": "printf({0}, {1})",
    "character": "chr({0})",
    **{name: name + "({0})" for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
    "atan2": "atan2({0}, {1})",
    "stdev": "stddev_samp({0})",
    "stdevp": "stddev_pop({0})",
    "var": "var_samp({0})",
    "varp": "var_pop({0})",
    "left_pad": "lpad({0}, {1}, {2})",
    # numbers
    "sqrt_or_null": "(CASE WHEN {0} >= 0 THEN sqrt({0}) END)",
    "ln_or_null": "(CASE WHEN {0} > 0 THEN ln({0}) END)",
    "log10_or_null": "(CASE WHEN {0} > 0 THEN log10({0}) END)",
    "sign": "sign({0})",
    "day_name": "dayname(epoch_ms({0}))",
    "month_name": "monthname(epoch_ms({0}))",
    "finite_or_null": "list_filter([{0}], lambda number: isfinite(number))[1]",
    "round_half_up": "(CASE WHEN abs({0}) >= 4503599627370496 THEN {0} ELSE floor({0} + 0.5) END)",
    # Double.toString of Java for the numbers that it writes without an exponent; others are refused at run time
    "java_double_text": (
        "(CASE WHEN {0} = 0 OR abs({0}) >= 0.001 AND abs({0}) < 10000000 THEN CAST({0} AS VARCHAR) "
        "WHEN {0} IS NOT NULL THEN error('an1498-refused: the text of a number that Java writes with an exponent') END)"
    ),
    # text as Java (Elasticsearch) treats it: code points, Locale.ROOT; what DuckDB folds differently is refused at run time
    "lower_root": (
        "lower(CASE WHEN contains({0}, 'Σ') THEN error('an1498-refused: lower case of Σ depends on its place in the word') "
        "ELSE replace({0}, 'İ', 'i̇') END)"
    ),
    "upper_root": (
        "upper(CASE WHEN regexp_matches({0}, '[ßŉǰΐΰևẖ-ẚὐὒὔὖᾀ-ᾯᾲ-ᾷᾼῂ-ῌῒΐῖῗῢ-ῧῲ-ῼﬀ-ﬆﬓ-ﬗ]') "
        "THEN error('an1498-refused: upper case of a letter that grows') ELSE {0} END)"
    ),
    "regex_replace_all": "regexp_replace({0}, {1}, {2}, 'gs')",
    # the words of ASCII text in lower case, each between spaces, as the standard analyzer finds them
    "standard_tokens": (
        "(CASE WHEN regexp_matches({0}, '[^\\x00-\\x7F]') THEN error('an1498-refused: text beyond ASCII in a text field') "
        "ELSE ' ' || array_to_string(list_filter(regexp_extract_all(lower({0}), {1}), lambda word: trim(word, '_') <> ''), ' ') || ' ' END)"
    ),
    "regex_group": "regexp_extract({0}, '^(?:' || {1} || ')$', {2}, 's')",
    # dates (milliseconds since the epoch, UTC)
    "date_text": "strftime(epoch_ms({0}), '%Y-%m-%dT%H:%M:%S.%gZ')",
    "text_date": "epoch_ms(TRY_CAST({0} AS TIMESTAMP))",
    "add_months": "epoch_ms(epoch_ms({0}) + to_months({1}))",
    "truncate_date": "epoch_ms(date_trunc({0}, epoch_ms({1})))",
    "extract_date": "date_part({0}, epoch_ms({1}))",
    # aggregates and window functions
    "quantile": "quantile_cont({0}, {1})",
    "sum_compensated": "fsum({0})",
    "min_by": "arg_min({0}, {1})",
    "max_by": "arg_max({0}, {1})",
    "count": _function("count"),
    "count_rows": "count(*)",
    "sum": "sum({0})",
    "avg": "avg({0})",
    "min": "min({0})",
    "max": "max({0})",
    "median": "median({0})",
    "first": "first({0})",
    "last": "last({0})",
    "arg_min": "arg_min({0}, {1})",
    "arg_max": "arg_max({0}, {1})",
    "bool_or": "bool_or({0})",
    "bool_and": "bool_and({0})",
    "first_value": "first_value({0})",
    "last_value": "last_value({0})",
    "list": "list({0})",
    "row_number": "row_number()",
}
