"""Requests to a SIEM: retried where that is safe, errors as one line without credentials.

A GET may be repeated. A write is repeated here only after 429, which says that it was not done; any other doubt (time-out, reset, 5xx) is
raised as Unsure, and the caller reads back before it writes again.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from an1498.deploy.connection import Connection
from an1498.errors import ExternalError

ATTEMPTS = 5
CONNECT_ATTEMPTS = 3
LONGEST_WAIT_S = 120.0
TIMEOUT_S = 60.0


class Unreachable(ExternalError):
    """No answer to a request that changes nothing."""


class Unsure(Exception):
    """A write was sent and its outcome is not known. `wait_s` is how long the SIEM asks to wait."""

    def __init__(self, problem: str, wait_s: float = 0.0) -> None:
        super().__init__(problem)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `data` is its JSON, None where the body is empty."""

    status: int
    data: Any
    text: str

    @property
    def said(self) -> str:
        """The SIEM's words where it refused, as one line."""
        return " ".join(_said(self.data).split())[:400] or f"answered {self.status}"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and waiting, so that tests need neither. `now` is seconds since the epoch."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Client:
    """One server of a SIEM. Errors are those of ExternalError; `service` names the server in them."""

    def __init__(
        self,
        service: str,
        url: str,
        connection: Connection,
        clock: Clock,
        *,
        headers: Mapping[str, str],
        authorization: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`authorization` is another than the connection's, where a service has credentials of its own."""
        self.service = service
        self._connection = connection
        self._clock = clock
        self._http = httpx.Client(
            base_url=url,
            headers={**headers, "Authorization": authorization or connection.authorization},
            # Without https nothing is verified, and a context that trusts nobody costs nothing.
            verify=connection.tls() if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # A proxy of the environment must not see what is sent without encryption.
            trust_env=url.startswith("https:"),
            timeout=TIMEOUT_S,
            follow_redirects=False,
            transport=transport,
        )

    def get(self, path: str, *, params: Mapping[str, str] | None = None, missing: bool = True) -> Answer:
        """Read. `missing`: 404 is an answer, not an error."""
        return self._repeated("GET", path, safe=True, allowed=(404,) if missing else (), params=params)

    def query(self, path: str, *, params: Mapping[str, str] | None = None, allowed: tuple[int, ...] = (), **content: Any) -> Answer:
        """A POST that only reads."""
        return self._repeated("POST", path, safe=True, allowed=allowed, params=params, **content)

    def send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, allowed: tuple[int, ...] = (), **content: Any
    ) -> Answer:
        """Write. `allowed` are the 4xx that the caller reads. Raises Unsure where the write may have happened."""
        return self._repeated(method, path, safe=False, allowed=allowed, params=params, **content)

    def _repeated(self, method: str, path: str, *, safe: bool, allowed: tuple[int, ...], lines: bool = False, **content: Any) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = self._http.request(method, path, **content)
            except httpx.ConnectError as error:
                # Nothing was sent.
                if attempt == CONNECT_ATTEMPTS or "certificate" in str(error).lower():
                    raise Unreachable(self.clean(f"{self.service}: cannot connect: {error}{_certificate_remedy(error)}")) from None
                self._clock.sleep(backoff(attempt))
                continue
            except httpx.HTTPError as error:
                problem = self.clean(f"{self.service}: no answer to {method} {_shown(path)}: {type(error).__name__} {error}".rstrip())
                if not safe:
                    raise Unsure(problem) from None
                if last:
                    raise Unreachable(problem) from None
                self._clock.sleep(backoff(attempt))
                continue
            status = response.status_code
            wait = self._wait(response, attempt)
            if status in (429, 502, 503, 504) and not last and (safe or status == 429):
                self._clock.sleep(wait)
                continue
            if status >= 500 and not safe and status not in allowed:
                raise Unsure(self._problem(method, path, response), wait if status == 503 else 0.0)
            if 200 <= status < 300 or status in allowed:
                return self._answer(method, path, response, safe=safe, lines=lines)
            if status >= 500 or status == 429:
                raise Unreachable(self._problem(method, path, response))
            raise ExternalError(self._problem(method, path, response))
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, path: str, response: httpx.Response, *, safe: bool, lines: bool) -> Answer:
        text = response.text
        if not text.strip():
            return Answer(response.status_code, [] if lines else None, "")
        kind = response.headers.get("content-type", "")
        problem = ""
        if "html" in kind:
            problem = "answers with a web page, not with JSON; is the URL that of the API, or is a proxy or login page in between?"
        else:
            try:
                data = [json.loads(line) for line in text.split("\n") if line.strip()] if lines or "ndjson" in kind else json.loads(text)
                return Answer(response.status_code, data, text)
            except ValueError:
                problem = f"answers with what is no JSON ({kind or 'no content type'})"
        message = self.clean(f"{self.service}: {method} {_shown(path)} {problem}")
        if safe:
            raise ExternalError(message)
        raise Unsure(message)

    def _wait(self, response: httpx.Response, attempt: int) -> float:
        """Retry-After (RFC 9110, section 10.2.3) is seconds or a date."""
        asked = response.headers.get("retry-after", "")
        try:
            wait = float(asked)
        except ValueError:
            try:
                wait = parsedate_to_datetime(asked).timestamp() - self._clock.now()
            except ValueError:
                wait = backoff(attempt)
        return min(max(wait, 0.0), LONGEST_WAIT_S) if wait == wait else backoff(attempt)

    def _problem(self, method: str, path: str, response: httpx.Response) -> str:
        said = _reason(response)
        remedy = {
            401: "the credentials are not accepted",
            403: "the credentials lack a privilege (docs/deploy.md lists those needed)",
            429: f"too many requests, also after {ATTEMPTS} attempts",
        }.get(response.status_code, "")
        if 300 <= response.status_code < 400:
            remedy = "the URL redirects; give the API's own URL"
        return self.clean(
            f"{self.service}: {method} {_shown(path)} answers {response.status_code}: " + "; ".join(word for word in (remedy, said) if word)
        )

    def clean(self, text: str) -> str:
        """One line without credentials or control characters: a SIEM's answer is untrusted text."""
        for secret in self._connection.secrets:
            text = text.replace(secret, "<redacted>")
        line = "".join(character if character.isprintable() else " " for character in text)
        return " ".join(line.split())[:600]

    def close(self) -> None:
        self._http.close()


@contextmanager
def as_described(service: str) -> Iterator[None]:
    """An answer of another shape than the API's description gives is the SIEM's fault (or a proxy's), not a traceback."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{type(error).__name__}: {str(error)[:80]}"
        raise ExternalError(f"{service}: answers otherwise than its API is described; is the URL that of {service}? ({what})") from error


def backoff(attempt: int) -> float:
    """Seconds before the next attempt: 1, 2, 4, 8 …"""
    return float(min(2 ** (attempt - 1), LONGEST_WAIT_S))


def _shown(path: str) -> str:
    return path.partition("?")[0]


def _certificate_remedy(error: Exception) -> str:
    return "; give the authority's certificate as ca_file" if "certificate" in str(error).lower() else ""


def _reason(response: httpx.Response) -> str:
    try:
        return _said(response.json())
    except ValueError:
        return "" if "html" in response.headers.get("content-type", "") else response.text[:300]


def _said(data: object) -> str:
    """What the SIEM says, as Kibana, Elasticsearch or Splunk put it."""
    if not isinstance(data, dict):
        return ""
    messages = data.get("messages")
    if isinstance(messages, list):
        return "; ".join(str(item.get("text", "")) for item in messages if isinstance(item, dict))
    error = data.get("error")
    if isinstance(error, dict) and error.get("reason"):
        return str(error["reason"])
    return str(data.get("message") or error or "")
