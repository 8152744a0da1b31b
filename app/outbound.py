"""The one way out: a request to an address that somebody named, and never to a machine that is not public."""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpcore

from app.errors import Refused
from app.words import N_, _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = frozenset({443, 8443})
MAX_URL = 2_000
MAX_READ = 64 * 1024
"""Bytes of an answer's body that are read at most; only its status matters."""

READ_SECONDS = 1.0
"""How long the body of an answer is read, so that the other side can end it in peace."""

RESOLVE_SECONDS = 5.0

_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?", re.IGNORECASE)
_RESOLVING = ThreadPoolExecutor(64, thread_name_prefix="resolver")
"""As many as requests go out at once, so that a name which nobody answers for keeps no other waiting."""
_CHECKING = ThreadPoolExecutor(4, thread_name_prefix="address-check")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = [
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # a cloud's own services, at an address that counts as public
        "192.0.0.0/24",  # for protocols; a few of its addresses count as public
        "192.88.99.0/24",  # relays of 6to4
        "::/96",  # IPv4 written as IPv6, in a form that was given up
        "64:ff9b:1::/48",  # translation within a site
        "2001::/23",  # Teredo and other tunnels
        "2002::/16",  # 6to4
        "3fff::/20",  # for documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # within a site
    )
]


class TargetRefused(Refused):
    """An address that nothing is sent to from here."""

    slug = "target-refused"
    title = N_("Nothing is sent to this address")


class Unreachable(Exception):
    """No answer came; the text says why, in a few words without the other side's own."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart; what is checked is what is connected to."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_usual(self) -> bool:
        """Whether this may lead to a public machine at all."""
        return self.scheme == "https" and self.port in PORTS


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: its status, and how long it asks to be left alone, in seconds."""

    status: int
    retry_after: str | None


def parse_networks(given: str) -> tuple[Network, ...]:
    """Networks with commas between; `ValueError` names one that is none."""
    return tuple(ipaddress.ip_network(part.strip()) for part in given.split(",") if part.strip())


def parse_target(url: str) -> Target:
    """The address taken apart; `TargetRefused` for what cannot lead to a receiver."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise _refused(_("This is no address. Write it as https://example.org/hook, other scripts as xn--…."))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(_("This is no address. Write it as https://example.org/hook, other scripts as xn--….")) from None
    if parts.scheme not in ("https", "http"):
        raise _refused(_("The address has to begin with https://."))
    if "@" in parts.netloc:
        raise _refused(_("The address must hold no name and no password. Messages are signed instead."))
    if parts.fragment or "#" in url:
        raise _refused(_("The part after # is never sent. Leave it out."))
    if not _is_host(host):
        raise _refused(_("The address names no machine. Write it as https://example.org/hook."))
    if port == 0:
        raise _refused(_("There is no port 0."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet, whatever form it is written in."""
    plain = unwrapped(address)
    if any(plain in network for network in _NEVER if network.version == plain.version):
        return False
    return plain.is_global and not (plain.is_multicast or plain.is_reserved or plain.is_unspecified)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, mapped or translated; else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def check_addresses(target: Target, found: Iterable[str], allowed: Sequence[Network]) -> list[str]:
    """The addresses, if every one of them may be connected to; raises `TargetRefused`.

    `allowed` are networks that an operator trusts though they are not public; there plain http and any port will do.
    """
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    for address in addresses:
        if any(unwrapped(address) in network for network in allowed if network.version == unwrapped(address).version):
            continue
        if not is_public(address):
            raise _refused(
                _("“{host}” is no public machine, and nothing is sent to any other.").format(host=target.host)
            )
        if target.scheme != "https":
            raise _refused(_("The address has to begin with https://."))
        if target.port not in PORTS:
            ports = ", ".join(map(str, sorted(PORTS)))
            raise _refused(
                _("Nothing is sent to port {port}. Use one of {ports}.").format(port=target.port, ports=ports)
            )
    return [str(address) for address in addresses]


def check_target(url: str, allowed: Sequence[Network]) -> None:
    """Refuse an address that nothing would be sent to, or whose machine cannot be found. It waits for the name."""
    target = parse_target(url)
    try:
        found = _CHECKING.submit(_look_up, target).result(RESOLVE_SECONDS)
    except (OSError, UnicodeError, TimeoutError):
        raise _refused(_("No machine called “{host}” can be found.").format(host=target.host)) from None
    check_addresses(target, found, allowed)


async def fetch_public(
    url: str, *, headers: Mapping[str, str], body: bytes, seconds: float, allowed: Sequence[Network] = ()
) -> Answer:
    """POST to the address and take the status of the answer, within so many seconds from first to last.

    The name is looked up once and the connection goes to an address that was checked. There are no redirects, no
    cookies, no proxies, and no compressed answers; every connection is used once. Raises `TargetRefused` or
    `Unreachable`.
    """
    target = parse_target(url)
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().run_in_executor(_RESOLVING, _look_up, target)
            return await _post(target, check_addresses(target, found, allowed), headers, body)
    except TimeoutError:
        raise Unreachable(f"no answer within {seconds:g} s") from None
    except (ssl.SSLError, httpcore.ConnectError) as error:
        raise Unreachable(f"no connection: {_kind(error)}") from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"no such machine: {type(error).__name__}") from None
    except httpcore.ProtocolError:
        raise Unreachable("the answer was no HTTP") from None
    except httpcore.NetworkError:
        raise Unreachable("the connection broke") from None


async def _post(target: Target, addresses: list[str], headers: Mapping[str, str], body: bytes) -> Answer:
    usual = target.port == (443 if target.scheme == "https" else 80)
    host = f"[{target.host}]" if ":" in target.host else target.host
    sent = {
        "Host": host if usual else f"{host}:{target.port}",
        "Connection": "close",
        "Accept-Encoding": "identity",
        "Content-Length": str(len(body)),
        **headers,
    }
    origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
    connection = httpcore.AsyncHTTPConnection(origin, ssl_context=_certificates(), network_backend=_Checked(addresses))
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    async with connection:
        request = httpcore.Request("POST", url, headers=list(sent.items()), content=body)
        response = await connection.handle_async_request(request)
        named = {name.lower(): value for name, value in response.headers}
        with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
            async with asyncio.timeout(READ_SECONDS):
                read = 0
                async for part in response.aiter_stream():
                    read += len(part)
                    if read >= MAX_READ:
                        break
        return Answer(response.status, named.get(b"retry-after", b"").decode("latin-1")[:100] or None)


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever name the request is for; that name is used for TLS alone."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        self._below = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception | None = None
        for address in self._addresses:
            try:
                return await self._below.connect_tcp(address, port, timeout=timeout, socket_options=socket_options)
            except httpcore.ConnectError as error:
                failed = error
        raise failed or httpcore.ConnectError("no address")

    async def sleep(self, seconds: float) -> None:
        await self._below.sleep(seconds)


def _look_up(target: Target) -> list[str]:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes 50 ms."""
    return ssl.create_default_context()


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True


def _kind(error: BaseException) -> str:
    """What went wrong, without words that the other side chose."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or "TLS").replace("_", " ").lower()
    while isinstance(cause, Exception) and not isinstance(cause, OSError) and cause.__context__ is not None:
        cause = cause.__context__
    return type(cause).__name__


def _refused(words: str) -> TargetRefused:
    return TargetRefused(words, pointer="/url")
