"""What the models of both SIEMs share: they check each request, keep a log, and do wrong what a test asks for."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from tests.deploy.published import Request

Reply = tuple[int, dict[str, str], bytes]
Fault = Callable[[Request], Reply | None]


class Killed(BaseException):
    """The process ends here."""


class Model:
    """`fault` is asked before each request is carried out, `after` once it is; each may answer instead, or raise."""

    authorization = ""

    def __init__(self) -> None:
        self.log: list[Request] = []
        self.violations: list[str] = []
        self.fault: Fault | None = None
        self.after: Fault | None = None
        self.clock = 0

    def carry_out(self, request: Request) -> Reply:
        raise NotImplementedError

    def everything(self) -> dict[str, Any]:
        """What people can see, without counters and times."""
        raise NotImplementedError

    def handle(self, request: Request) -> Reply:
        self.log.append(request)
        if request.headers.get("authorization") != self.authorization:
            return reply(401, {"statusCode": 401, "error": "Unauthorized", "message": f"not {request.headers.get('authorization')}"})
        wrong = self.fault(request) if self.fault else None
        if wrong is not None:
            return wrong
        try:
            done = self.carry_out(request)
        except AssertionError as error:
            self.violations.append(str(error))
            return reply(400, {"statusCode": 400, "error": "Bad Request", "message": f"model: {error}"})
        wrong = self.after(request) if self.after else None
        return wrong or done

    @property
    def transport(self) -> httpx.MockTransport:
        """The model without a socket."""

        def handler(sent: httpx.Request) -> httpx.Response:
            url = sent.url
            path = url.raw_path.decode().partition("?")[0]
            request = Request(sent.method, path, dict(url.params), {k.lower(): v for k, v in sent.headers.items()}, sent.read())
            status, headers, body = self.handle(request)
            return httpx.Response(status, headers=headers, content=body)

        return httpx.MockTransport(handler)

    @contextmanager
    def serving(self, certificate: Path | None = None) -> Iterator[str]:
        """The model behind a socket on the loopback interface, with TLS where there is a certificate; yields its URL."""
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one packet: two would wait for each other's acknowledgement

            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {key.lower(): value for key, value in self.headers.items()}
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                try:
                    status, extra, content = model.handle(Request(self.command, parts.path, query, headers, body))
                except Killed:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)
                for name, value in {**extra, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                del format, args

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def reply(status: int, data: object, **headers: str) -> Reply:
    return status, {"content-type": "application/json", **headers}, json.dumps(data).encode()


def writes(request: Request) -> bool:
    """Whether a request changes something."""
    return request.method != "GET" and not request.path.endswith("/_export")
