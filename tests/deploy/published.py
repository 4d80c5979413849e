"""Published API descriptions as a table, and the check of each request against it: a request that no row describes fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        assert self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"), self.headers
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert len({key for key, _ in pairs}) == len(pairs), "a parameter twice"
        return dict(pairs)

    def upload(self) -> bytes:
        """The one part `file` of a multipart/form-data body (RFC 7578)."""
        kind = self.headers.get("content-type", "")
        assert kind.startswith("multipart/form-data; boundary="), kind
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        (part,) = message.iter_parts()
        assert part.get_param("name", header="content-disposition") == "file"
        assert part.get_filename()
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        return content


@dataclass(frozen=True)
class Operation:
    """A row of a vendor's reference. `path` has {parameters}; `body` raises AssertionError for a body that the reference does not allow."""

    method: str
    path: str
    query: frozenset[str]
    body: Callable[[Request], None]
    source: str
    headers: frozenset[str] = field(default=frozenset())

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("/".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in self.path.split("/")))


def no_body(request: Request) -> None:
    assert request.body == b"", request.body[:100]


def checked(table: tuple[Operation, ...], request: Request) -> tuple[Operation, tuple[str, ...]]:
    """The operation of a request and its path's parameters, decoded."""
    for operation in table:
        match = operation.pattern.fullmatch(request.path) if operation.method == request.method else None
        if match:
            assert set(request.query) <= operation.query, f"{request.method} {request.path}: query {sorted(request.query)}"
            missing = {name for name in operation.headers if name not in request.headers}
            assert not missing, f"{request.method} {request.path}: headers {missing} are missing"
            operation.body(request)
            return operation, tuple(unquote(group) for group in match.groups())
    raise AssertionError(f"{request.method} {request.path}: no published operation")
