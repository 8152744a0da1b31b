"""Static files at an address that changes with them, so that browsers ask once; and pages packed on the way out."""

import hashlib
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).resolve().parent.parent.parent / "static"
SMALLEST_PACKED = 800


def _digest() -> str:
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()[:12]


ADDRESS = f"/static/{_digest()}"
"""Where all files lie; scripts name each other relative to their own address and so stay of one version."""


class LastingFiles(StaticFiles):
    """Files that never change at their address."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def file_response(self, *given: object, **named: object) -> Response:
        answer = super().file_response(*given, **named)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


class PackPages:
    """Compresses what people read. The API packs for itself, under tags of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packed = GZipMiddleware(app, minimum_size=SMALLEST_PACKED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and not scope["path"].startswith("/api/")
        await (self._packed if is_page else self._plain)(scope, receive, send)
