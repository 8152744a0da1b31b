"""What leaves the machine leaves by one function, and never for a machine that is not public."""

import ast
import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app import outbound
from app.outbound import (
    TargetRefused,
    Unreachable,
    check_addresses,
    check_target,
    fetch_public,
    is_public,
    parse_networks,
    parse_target,
)
from app.settings import ROOT
from tests.webhooks.receiver import receiving

LOOPBACK = parse_networks("127.0.0.0/8")
HOSTILE = [
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/"),
    *("https://0x7f.1/", "https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://[::1]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::7f00:1]/", "https://[::7f00:1]/"),
    *("https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::]/", "https://10.0.0.1/"),
    *("https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://0.0.0.0/"),
    *("https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://168.63.129.16/", "https://224.0.0.1/"),
    *("https://255.255.255.255/", "https://240.0.0.1/", "https://192.0.2.1/", "https://198.18.0.1/", "https://[::]/"),
    *("https://[fe80::1]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/"),
    *("https://192.88.99.1/", "https://0/", "https://[::ffff:169.254.169.254]/", "https://[fc00::1]/"),
    *("http://8.8.8.8/", "https://8.8.8.8:22/", "https://8.8.8.8:25/", "https://8.8.8.8:80/", "https://8.8.8.8:0/"),
    *("https://a:b@8.8.8.8/", "https://a@8.8.8.8/", "https://8.8.8.8:99999/", "https://8.8.8.8/#part", "https://"),
    *("https:///path", "//8.8.8.8/", "8.8.8.8", "", "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/"),
    *("javascript:alert(1)", "data:text/html,x", "https://8.8.8.8\\@127.0.0.1/", "https://8.8.8.8 /", "https://[::1"),
    *("https://8.8.8.8/\r\nX-Evil: 1", "https://８.８.８.８/", "https://ex\u00ad.org/", "https://no such.example/"),
    *("https://-.example/", "https://nothing.invalid/", "https://8.8.8.8/" + "x" * 2_000, "https://%31%32%37.0.0.1/"),
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        check_target(url, ())
    assert refused.value.pointer == "/url"
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_when_it_is_sent_to_as_well(url: str) -> None:
    with pytest.raises((TargetRefused, Unreachable)):
        asyncio.run(fetch_public(url, headers={}, body=b"", seconds=2))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2600::1", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_public_in_every_form(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["192.0.0.9", "192.0.0.10", "::ffff:192.0.0.9", "64:ff9b::c000:9"])
def test_what_is_kept_for_protocols_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_one_address_that_is_not_public_refuses_the_name() -> None:
    target = parse_target("https://example.org/")
    assert check_addresses(target, ["8.8.8.8", "2600::1"], ()) == ["8.8.8.8", "2600::1"]
    with pytest.raises(TargetRefused):
        check_addresses(target, ["8.8.8.8", "10.0.0.1"], ())


def test_trusted_networks_take_plain_http_and_any_port_and_nobody_else_does() -> None:
    trusted = parse_networks("10.1.0.0/16, fd00::/8")
    assert check_addresses(parse_target("http://inside:8080/"), ["10.1.2.3", "fd00::1"], trusted)
    for addresses in (["10.2.0.1"], ["8.8.8.8"], ["10.1.2.3", "8.8.8.8"]):
        with pytest.raises(TargetRefused):
            check_addresses(parse_target("http://inside:8080/"), addresses, trusted)
    with pytest.raises(ValueError, match="nonsense"):
        parse_networks("10.0.0.0/8, nonsense")


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["127.0.0.1", "10.0.0.1"])
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **wanted: object) -> object:
        if host == "hook.test":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
        return real(host, port, *args, **wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with receiving(204) as receiver:
        url = receiver.url.replace("127.0.0.1", "hook.test")
        answer = asyncio.run(fetch_public(url, headers={}, body=b"{}", seconds=5, allowed=LOOPBACK))
    assert answer.status == 204
    assert next(answers) == "10.0.0.1", "the name was looked up twice"
    assert receiver.got[0].headers["host"] == url.split("/")[2]


def test_no_proxy_is_used_and_no_redirect_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as other, receiving(302, Location=other.url, Set_Cookie="a=b") as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, other.url)
        for _ in range(2):
            answer = asyncio.run(fetch_public(receiver.url, headers={}, body=b"", seconds=5, allowed=LOOPBACK))
            assert answer.status == 302
    assert other.got == []
    assert all("cookie" not in got.headers for got in receiver.got)


class TlsServer:
    """Says 204 over TLS with a certificate for `hook.test`; `asked_for` are the names it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self.asked_for: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate(folder))
        context.sni_callback = lambda _socket, name, _context: self.asked_for.append(name)
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _certificate(self, folder: Path) -> Path:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=hook.test")
        at = datetime.now(UTC)
        built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        built = built.not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.test")]), critical=False)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.authority.write_bytes(pem)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both = folder / "both.pem"
        both.write_bytes(pem + secret)
        return both

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    received = b""
                    while not received.endswith(b"{}") and (part := connection.recv(65_536)):
                        received += part
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                plain.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    server = TlsServer(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    outbound._certificates.cache_clear()
    yield server
    outbound._certificates.cache_clear()
    server.close()


@pytest.mark.parametrize("name", ["hook.test", "other.test"])
def test_tls_is_for_the_name_though_the_connection_is_to_an_address(
    tls: TlsServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **wanted: real("127.0.0.1" if host == name else host, *args, **wanted),
    )
    sent = fetch_public(f"https://{name}:{tls.port}/", headers={}, body=b"{}", seconds=5, allowed=LOOPBACK)
    if name == "hook.test":
        assert asyncio.run(sent).status == 204
    else:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            asyncio.run(sent)
    assert tls.asked_for == [name]


CLIENTS = {"httpx", "httpcore", "requests", "aiohttp", "urllib3", "urllib.request", "http.client", "smtplib", "ftplib"}


def test_no_other_module_has_a_client() -> None:
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {path.relative_to(ROOT).as_posix() for name in names if name in CLIENTS}
    assert found == {"app/outbound.py"}
