"""Whatever bytes a file holds, a scan gives events, rejects or one TelemetryError, and a strict read stops where the first reject is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from an1498.errors import TelemetryError
from an1498.model import NativeEvent
from an1498.telemetry import Reject, read_log, scan_log

HEADER = b"#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_p\testablished\tcert_chain_fps\tsubject\n"
TYPES = b"#types\ttime\taddr\tport\tbool\tvector[string]\tstring\n"
COLUMNS = st.sampled_from(["-", "(empty)", "1.5", "T", "10.0.0.1", "443", "a,b", r"\x2c", r"\xff", "\\", "é", "1e5", "99999999999999", ""])
TSV_LINE = st.lists(COLUMNS, min_size=5, max_size=7).map(lambda columns: "\t".join(columns).encode())
NAMES = "ts timestamp id.orig_h id_orig_h id _path established processID eventMessage finished x"
EXPORTED = (
    "_raw _time @timestamp _source fields hits result results preview host host_ip event event.dataset sourcetype message json _index"
)
KEYS = st.sampled_from([*NAMES.split(), *EXPORTED.split()])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["ssl", "10.0.0.1", "2026-01-15T10:00:07Z", "zeek.ssl", "bro:ssl:json", '{"ts": 1}', "{", "2026-01-15 10:00:07.250 E  a[1:1] x"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
JSON_LINE = st.dictionaries(KEYS, VALUES, max_size=5).map(lambda record: json.dumps(record).encode())
TEXT_LINE = st.sampled_from(
    [
        b"Timestamp               Ty Process[PID:TID]",
        b"2026-01-15 10:00:07.250 A  node[7:1a] (Security) [a.b:c] SecKeyCreateSignature",
        b"2026-99-15 10:00:07.250 A  node[7:1a] x",
        b"2026-01-15 10:00:07.250000+0100 0x1 Default 0x0 7 0 a: [x:y] z",
        b"_time,_raw,host",
        b'1,"open',
        b"[",
        b"]",
        b'{"index": {}}',
    ]
)
LINES = st.lists(
    TEXT_LINE | TSV_LINE | JSON_LINE | st.binary(max_size=30) | st.just(HEADER + TYPES) | st.just(b"#types\ttime"), max_size=6
).map(b"\n".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(content=LINES, format=st.sampled_from(["zeek", "unifiedlog", "splunk", "elastic"]))
def test_no_other_error_leaves_a_reader(content: bytes, format: str) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "ssl.log"
        path.write_bytes(content)
        try:
            items = list(scan_log(path, format))
        except TelemetryError as error:
            assert str(error).startswith(str(path))
            return
        rejects = [item for item in items if isinstance(item, Reject)]
        events = [item for item in items if isinstance(item, NativeEvent)]
        assert all("\n" not in str(reject.error()) and len(str(reject.error())) < 500 for reject in rejects)
        assert all(isinstance(event.time_us, int) for event in events)
        read: list[NativeEvent] = []
        stopped = ""
        try:
            for event in read_log(path, format):
                read.append(event)
        except TelemetryError as error:
            stopped = str(error)
        assert stopped == (str(rejects[0].error()) if rejects else "")
        assert read == (events[: items.index(rejects[0])] if rejects else events)
