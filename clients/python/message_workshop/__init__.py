"""A client of a Message Workshop: approved texts with a cache that obeys stops, the log of changes, and webhooks."""

import base64
import hashlib
import hmac
import json
import math
import os
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote

import httpx

Json = dict[str, Any]
Form = Literal["txt", "md", "html", "json"]
_T = TypeVar("_T")

GONE = frozenset({"page.held", "page.withdrawn", "page.unpromoted", "page.corrected", "page.renamed"})
"""Kinds of changes after which a page's copies are dropped as soon as one is read; `page.promoted` lets them expire."""
BUSY = frozenset({429, 500, 502, 503, 504})
PATIENCE = 60.0
"""The longest pause, in seconds, that a server may ask for; for a longer one `Problem` is raised at once."""
_DEAD_STREAM = 45.0  # seconds without a word; the server sends a comment every 15
_PAGE = re.compile(r"/pages/([^/]+)/(?:approved|hold|withdraw|correct)")


class WorkshopError(Exception):
    """Whatever this client raises."""


class Unreachable(WorkshopError):
    """The workshop does not answer, or something else does, and there is no copy that is young enough."""


class Problem(WorkshopError):
    """An answer from 400 up. `document` is the problem document (RFC 9457), `kind` the last part of its type."""

    def __init__(self, status: int, document: Json, retry_after: float = 0.0) -> None:
        self.status, self.document, self.retry_after = status, document, retry_after
        self.kind = str(document.get("type", "")).rpartition("/")[2]
        super().__init__(f"{status} {self.kind}: {document.get('detail') or document.get('title')}")


class TextStopped(WorkshopError):
    """The text is not to be used: `status` is "held" (for now) or "withdrawn". Its copies are gone by now."""

    def __init__(self, slug: str, document: Json) -> None:
        self.slug, self.document = slug, document
        held = document.get("status") == "held" or str(document.get("type")).endswith("/on-hold")
        self.status: Literal["held", "withdrawn"] = "held" if held else "withdrawn"
        self.reason = str(document.get("reason", ""))
        self.replacement: str | None = document.get("replacement")
        self.until: str | None = document.get("until")
        super().__init__(f"{slug} is {self.status}: {self.reason}")


class WebhookInvalid(WorkshopError):
    """A message that is not from the workshop, was changed on the way, or is too old. Answer it with 400."""


@dataclass(frozen=True)
class Revision:
    """Which text it is. `sha256` is of exactly its Markdown."""

    id: int
    number: int
    sha256: str
    approved_at: str
    supersedes: int | None
    basis: str
    mode: str


@dataclass(frozen=True)
class Section:
    """A heading of level 2 and the Markdown under it; what stands before the first has the key `intro`."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Approved:
    """An approved text. `offline`: it could not be checked since `checked_at`, in seconds since 1970."""

    slug: str
    title: str
    status: str
    scope: str | None
    revision: Revision
    text: str
    sections: tuple[Section, ...]
    links: Mapping[str, str]
    checked_at: float = 0.0
    offline: bool = False


@dataclass(frozen=True)
class Text:
    """A text in one form, `body`. `offline`: it could not be checked since `checked_at`, in seconds since 1970."""

    body: str
    etag: str
    checked_at: float = 0.0
    offline: bool = False
    max_age: float = 0.0
    key: str = ""
    slugs: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of the page's whole Markdown, in hexadecimal digits."""
        return self.etag.removeprefix("W/")[1:65]


@dataclass(frozen=True)
class Batch:
    """What differs from the hashes given: use `changed`, and never what is in `stopped` or `missing`."""

    changed: tuple[Approved, ...]
    stopped: tuple[TextStopped, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    renamed: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A row of the log. Keep `cursor` once you have dealt with it, and go on from there."""

    seq: int
    kind: str
    at: str
    page: str | None
    subject: int | None
    actor: str | None
    data: Mapping[str, Any]

    @property
    def cursor(self) -> str:
        """Where to go on after this row."""
        return str(self.seq)


@dataclass(frozen=True)
class WebhookMessage:
    """A message whose signature is right. `id` is the same when it comes again: deal with each id once."""

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any]


class _Cache:
    """Copies in memory, or one file each in a folder, where they outlive the program."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._copies = folder, dict[str, Text]()
        self._gone = set[str]()
        """Copies that are not to be used although their files could not be removed."""
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkshopError(f"There can be no copies in {folder}: {error}") from error

    def get(self, key: str) -> Text | None:
        if not self._folder:
            return self._copies.get(key)
        return None if key in self._gone else self._read(self._file(self._folder, key))

    def put(self, copy: Text) -> None:
        if not self._folder:
            self._copies[copy.key] = copy
            return
        name = ""
        try:
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(copy), file)
            os.replace(name, self._file(self._folder, copy.key))
            self._gone.discard(copy.key)
        except OSError:  # the folder is gone, the disk full: the text is right without a copy
            with suppress(OSError):
                os.unlink(name)

    def drop(self, *names: str) -> None:
        """Forget every form and section of these pages, or one copy by its key."""
        for copy in self._all():
            if copy.etag and {*copy.slugs, copy.key} & {*names}:
                self._remove(copy.key)

    def expire(self, *names: str) -> None:
        """Have the server asked before a copy of these pages is used again; while offline they go on serving."""
        for copy in self._all():
            if copy.max_age and {*copy.slugs} & {*names}:
                self._rewrite(replace(copy, max_age=0.0))

    def stop(self, names: set[str], now: float, alive: Iterable[str] = ()) -> None:
        """Forget a page that is stopped, by all its names, also where it had another name when it was copied.

        A copy may be of that page if it was last checked before the page was known here by these names, and is not of
        one that is `alive`; it is not used before the server was asked. A mark, without a text, keeps since when.
        """
        copies = self._all()
        since = min([now, *(copy.checked_at for copy in copies if names & {*copy.slugs})])
        for copy in copies:
            if copy.etag and names & {*copy.slugs}:
                self._remove(copy.key)
            elif copy.etag and copy.checked_at <= since and not {*copy.slugs} & {*alive}:
                self._rewrite(replace(copy, max_age=0.0, checked_at=math.inf))
        if not any(names <= {*copy.slugs} for copy in copies if not copy.etag):
            slugs = tuple(sorted(names))
            self.put(Text("", "", checked_at=since, key="stopped " + " ".join(slugs), slugs=slugs))

    def _all(self) -> list[Text]:
        files = self._folder.glob("*.json") if self._folder else ()
        found = [*self._copies.values(), *filter(None, map(self._read, files))]
        return [copy for copy in found if copy.key not in self._gone]

    def _rewrite(self, copy: Text) -> None:
        self._remove(copy.key)  # first: where it cannot be written again, there had better be none
        self.put(copy)

    def _remove(self, key: str) -> None:
        if not self._folder:
            self._copies.pop(key, None)
            return
        try:
            self._file(self._folder, key).unlink(missing_ok=True)
        except OSError:
            self._gone.add(key)

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    @staticmethod
    def _read(file: Path) -> Text | None:
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            return Text(**{**found, "slugs": tuple(found["slugs"])})
        except (OSError, ValueError, TypeError, KeyError):  # not there, or cut short
            return None


class Workshop:
    """One workshop, for one thread at a time; use it in `with`, or call `close`.

    `cache` is a folder for copies, which are in memory without one. `offline` is for how many seconds after its last
    check a copy may be used while the server cannot be reached, `timeout` the seconds for each step of a request,
    `attempts` how often one is made. `transport`, `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        cache: str | Path | None = None,
        offline: float = 60.0,
        timeout: float = 10.0,
        attempts: int = 3,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base, agent = f"{url.rstrip('/')}/api/v1", {"User-Agent": "message-workshop-client/0.1"}
        self._http = httpx.Client(
            base_url=base, timeout=timeout, transport=transport, follow_redirects=True, headers=agent
        )
        self._signed = {"Authorization": f"Bearer {token}"} if token else {}
        self._cache, self._offline, self._attempts = _Cache(Path(cache) if cache else None), offline, attempts
        self._clock, self._sleep = clock, sleep

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Copies in a folder stay."""
        self._http.close()

    def text(self, slug: str, *, section: str = "", form: Form = "txt", as_of: str = "") -> Text:
        """The approved text of a page, or of one of its sections; `txt` is ready to be sent as it is.

        Raises `TextStopped`, `Problem` (404 `no-approved-text`, `section-not-found`, …) or `Unreachable`.
        """
        within = f"/sections/{quote(section, safe='')}" if section else ""
        return self._copy(slug, f"/pages/{quote(slug, safe='')}/approved{within}.{form}", _given(as_of=as_of))

    def approved(self, slug: str, *, as_of: str = "") -> Approved:
        """The approved text of a page with its sections, revision and links; raises as `text` does."""
        found = self.text(slug, form="json", as_of=as_of)
        try:
            with _reading():
                approved = _approved(json.loads(found.body))
                right = hashlib.sha256(approved.text.encode()).hexdigest() == approved.revision.sha256
        except Unreachable:
            right = False
        if not right:
            self._cache.drop(slug)
            raise WorkshopError(f"{slug}: the text is not the one whose hash stands beside it")
        return replace(approved, checked_at=found.checked_at, offline=found.offline)

    def batch(self, slugs: Iterable[str], known: Mapping[str, str] | None = None) -> Batch:
        """What differs from the `known` SHA-256 by address, for up to 200 pages; drops copies that are stopped."""
        got = self.call("POST", "/approved/batch", {"slugs": [*slugs], "known": {**(known or {})}})
        with _reading():
            unchanged, missing, renamed = (*got["unchanged"],), (*got["missing"],), {**got["renamed"]}
            told = self._told([*got["changed"], *got["gone"]], unchanged, renamed)
        self._cache.drop(*missing, *(renamed[slug] for slug in missing if slug in renamed))
        stopped = {row.slug: row for row in told if isinstance(row, TextStopped)}
        changed = tuple(row for row in told if isinstance(row, Approved))
        return Batch(changed, (*stopped.values(),), unchanged, missing, renamed)

    def all(self, *, updated_since: str = "", tag: str = "") -> Iterator[Approved | TextStopped]:
        """Every approved text, and what is stopped, read page by page as you go on."""
        asked, cursor = _given(updated_since=updated_since, tag=tag, limit="200"), "first"
        while cursor:
            answer = self.call("GET", "/approved", params=asked)
            with _reading():
                told, cursor = self._told(answer["data"]), answer["next"]
            yield from told
            asked["cursor"] = cursor

    def changes(self, since: str = "0", *, kinds: Sequence[str] = (), page: str = "") -> Iterator[Change]:
        """What happened after a cursor, "0" being the beginning, until there is no more for now."""
        rows: list[Any] = [True]
        asked = _given(kinds=",".join(kinds), page=page, limit="200", since=since)
        while rows:
            answer = self.call("GET", "/changes", params=asked)
            with _reading():
                rows, asked["since"] = [*answer["data"]], str(int(answer["next"]))
            for row in rows:
                yield self._change(row)

    def follow(
        self, since: str = "0", *, kinds: Sequence[str] = (), page: str = "", every: float = 5.0
    ) -> Generator[Change, None, None]:
        """What happens, as it happens and without end: in order, each row once, also across breaks of any length.

        Reads the live stream; while there is none, asks every `every` seconds. Keep `cursor` of the last row you dealt
        with, and come back with it as `since`. Raises `Problem` where the request itself is wrong.
        """
        while True:
            pause = every
            for read in (self._stream, self.changes):
                try:
                    for change in read(since, kinds=kinds, page=page):
                        if change.seq > int(since):
                            since = change.cursor
                            yield change
                except (httpx.RequestError, Unreachable):
                    continue
                except Problem as problem:
                    if problem.status not in BUSY:
                        raise
                    pause = max(pause, min(problem.retry_after, PATIENCE))
            self._sleep(pause)

    def call(self, method: str, path: str, body: object = None, *, params: Mapping[str, str] | None = None) -> Any:
        """Any other request, such as `call("POST", "/pages/housing/hold", {"reason": "…"})`; the answer's JSON.

        It is made again where that is safe: a POST carries an `Idempotency-Key`, so that it acts once.
        """
        headers = {**self._signed, "Accept": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = self._http.build_request(method, path, headers=headers, params=params, json=body)
        try:
            response = self._ask(request, 1 if method == "PATCH" else self._attempts)
        except Problem as problem:
            if problem.kind in ("on-hold", "withdrawn"):
                self._stop(request.url.path, str(problem.document.get("instance")))
            raise
        if method == "POST" and request.url.path.endswith(("/hold", "/withdraw", "/correct")):
            self._stop(request.url.path, response.url.path)
        if not response.content:
            return None
        with _reading():
            answer = response.json()
        self._obey(answer, request.url.path, response.url.path)
        return answer

    def _ask(self, request: httpx.Request, attempts: int) -> httpx.Response:
        for attempt in range(1, attempts + 1):
            pause = 0.5 * 2 ** (attempt - 1)
            try:
                response = self._http.send(request)
                if response.status_code < 400:
                    return response
                problem = _problem(response)
            except (httpx.RequestError, Unreachable) as error:
                if attempt == attempts:
                    raise Unreachable(f"{request.url.host} does not answer: {error!r}") from error
            else:
                pause = max(pause, problem.retry_after)
                if problem.status not in BUSY or attempt == attempts or pause > PATIENCE:
                    raise problem
            self._sleep(pause)
        raise ValueError("attempts is less than 1")

    def _copy(self, slug: str, path: str, asked: Mapping[str, str]) -> Text:
        """The copy to use: a fresh one, a confirmed one, or one that is young enough while offline."""
        # Without the token: what is asked with one may not be kept, and approved texts are for everybody.
        request = self._http.build_request("GET", path, params=asked)
        copy = self._cache.get(key := str(request.url))
        age = self._clock() - copy.checked_at if copy else -1.0
        if copy and 0 <= age < copy.max_age:
            return copy
        usable = 0 <= age <= self._offline
        if copy:
            request.headers["If-None-Match"] = copy.etag
        try:
            response = self._ask(request, 1 if usable else self._attempts)
            now, max_age = self._clock() - _age(response), _max_age(response)
            before, copy = copy, self._read(slug, key, response, copy)
        except (Unreachable, Problem) as error:
            if isinstance(error, Problem) and error.status not in BUSY:
                where = str(error.document.get("instance"))
                self._cache.drop(*({slug, *_pages(where)} if error.kind == "no-approved-text" else (key,)))
                if error.kind in ("on-hold", "withdrawn"):
                    self._stop(request.url.path, where)
                    raise TextStopped(slug, error.document) from error
            elif copy and usable:
                return replace(copy, offline=True)
            raise
        copy = replace(copy, max_age=max_age, checked_at=now)
        dropped = before and not self._cache.get(key)  # meanwhile, by another program with the same folder
        if not dropped and "no-store" not in response.headers.get("Cache-Control", ""):
            self._cache.put(copy)
        return copy

    def _read(self, slug: str, key: str, response: httpx.Response, copy: Text | None) -> Text:
        """The text that was answered, or the copy that was confirmed, with the names that its page has now."""
        names = tuple({slug: None, **dict.fromkeys(_pages(response.url.path))})
        if copy and response.status_code == 304:
            return replace(copy, slugs=names)
        if response.headers.get("Content-Type") == "application/json":
            with _reading():
                document, told = response.json(), response.json().get("use")
                stopped = TextStopped(slug, document) if told == "stop" else None
            if stopped:
                self._cache.stop({*names, str(document.get("slug", slug))}, self._clock())
                raise stopped
        etag = response.headers.get("ETag", "")
        if response.status_code != 200 or not re.match(r'(W/)?"[0-9a-f]{64}', etag):
            raise Unreachable("something in between answered, such as the sign-in page of a network")
        return Text(response.text, etag, key=key, slugs=names)

    def _stream(self, since: str, *, kinds: Sequence[str], page: str) -> Iterator[Change]:
        """The rows of one connection; ends when it does."""
        params, headers = _given(kinds=",".join(kinds), page=page), {"Last-Event-ID": since}
        timeout = httpx.Timeout(self._http.timeout.connect, read=_DEAD_STREAM)
        with self._http.stream("GET", "/stream", params=params, headers=headers, timeout=timeout) as response:
            if response.status_code >= 400:
                response.read()
                raise _problem(response)
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise Unreachable("something in between answered, and it is no stream")
            waiting = ""
            for part in response.iter_text():
                *messages, waiting = (waiting + part).split("\n\n")
                for message in messages:  # not `splitlines`: it ends lines at signs that texts contain, too
                    data = [line[6:] for line in message.split("\n") if line.startswith("data: ")]
                    for row in data:
                        with _reading():
                            given = json.loads(row)
                        yield self._change(given)

    def _told(
        self, rows: Sequence[Json], unchanged: Sequence[str] = (), renamed: Mapping[str, str] | None = None
    ) -> list[Approved | TextStopped]:
        """What one answer tells of several pages; the copies of all of them obey."""
        now, told = self._clock(), list[Approved | TextStopped]()
        for row in rows:
            stopped = row.get("use") == "stop"
            told.append(TextStopped(row["slug"], row) if stopped else replace(_approved(row), checked_at=now))
        names = {row.slug: {row.slug} for row in told}
        for was, present in (renamed or {}).items():
            names.setdefault(present, {present}).add(was)
        stops = [row.slug for row in told if isinstance(row, TextStopped)]
        alive = {*unchanged}.union(*(those for slug, those in names.items() if slug not in stops))
        for slug in stops:
            self._cache.stop(names[slug], now, alive)
        self._cache.expire(*alive)
        return told

    def _change(self, row: Json) -> Change:
        with _reading():
            change = _pick(Change, {**row, "seq": int(row["seq"]), "data": {**(row["data"] or {})}})
        names = [str(name) for name in (change.page, change.data.get("from")) if name]
        if change.kind == "page.promoted":
            self._cache.expire(*names)
        elif change.kind == "page.renamed":
            self._cache.drop(*names)
        elif change.kind in GONE and names:
            self._cache.stop({*names}, self._clock())
        return change

    def _stop(self, *paths: str) -> None:
        """The page at these paths, which may be an old and a new one, is stopped."""
        if names := {slug for path in paths for slug in _pages(path)}:
            self._cache.stop(names, self._clock())

    def _obey(self, answer: object, *paths: str) -> None:
        """Stop what an answer to `call` says is stopped, be it one text or a list of them."""
        given = answer if isinstance(answer, dict) else {}
        if given.get("use") == "stop":
            self._stop(*paths, f"/pages/{given.get('slug')}/approved")
        lists = [rows for name in ("data", "changed", "gone") if isinstance(rows := given.get(name), list)]
        rows = [row for rows in lists for row in rows if isinstance(row, dict) and isinstance(row.get("slug"), str)]
        stops = {row["slug"] for row in rows if row.get("use") == "stop"}
        for slug in stops:
            self._cache.stop({slug}, self._clock(), {row["slug"] for row in rows} - stops)


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance: float = 300.0, now: float | None = None
) -> WebhookMessage:
    """The message, if it was signed with the secret at most `tolerance` seconds from `now`; else `WebhookInvalid`.

    `body` is the bytes as they came. As Standard Webhooks 1.0 has it; of several signatures one has to fit.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise ValueError("The secret is not the one that was shown: whsec_ and base64") from error
    if not key:
        raise ValueError("The secret is empty, with which anybody could sign")
    if not message_id or not re.fullmatch(r"[0-9]{1,12}", sent):
        raise WebhookInvalid("an id or a time is missing")
    if abs((time.time() if now is None else now) - int(sent)) > tolerance:
        raise WebhookInvalid("it was signed too long ago, or the clocks differ")
    digest = hmac.new(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest()
    right = b"v1," + base64.b64encode(digest)
    if not any(hmac.compare_digest(right, signature.encode()) for signature in signatures.split()):
        raise WebhookInvalid("no signature fits")
    return _pick(WebhookMessage, {**json.loads(body), "id": message_id})


def _pick(kind: type[_T], row: Mapping[str, Any]) -> _T:
    """Only the fields that are known here: a workshop may add some at any time."""
    return kind(**{it.name: row[it.name] for it in fields(kind) if it.name in row})  # type: ignore[arg-type]


def _approved(row: Json) -> Approved:
    sections = tuple(_pick(Section, section) for section in row["sections"])
    return _pick(Approved, {**row, "revision": _pick(Revision, row["revision"]), "sections": sections})


@contextmanager
def _reading() -> Iterator[None]:
    """What is not of the shape that a workshop answers in was not answered by one."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreachable(f"something in between answered: {error!r}") from error


def _pages(path: str) -> list[str]:
    """The address of the page that a path is about, if it is about one."""
    found = _PAGE.search(path)
    return [unquote(found[1])] if found else []


def _problem(response: httpx.Response) -> Problem:
    if response.headers.get("Content-Type") != "application/problem+json":
        raise Unreachable(f"something in between answered {response.status_code}")
    given = response.headers.get("Retry-After", "0")
    try:
        wait = float(given) if given.isdecimal() else parsedate_to_datetime(given).timestamp() - time.time()
    except (ValueError, OverflowError, OSError):
        wait = 0.0
    with _reading():
        return Problem(response.status_code, {**response.json()}, max(0.0, wait))


def _max_age(response: httpx.Response) -> float:
    found = re.search(r"max-age=([0-9]+)", response.headers.get("Cache-Control", ""))
    return float(found[1]) if found else 0.0


def _age(response: httpx.Response) -> float:
    """Seconds since the workshop itself said so: a cache in between answers for it, for long while it is away."""
    found = re.fullmatch(r"[0-9]{1,9}", response.headers.get("Age", ""))
    return float(found[0]) if found else 0.0


def _given(**asked: str) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value}
