"""Requests to addresses that people have typed in. They must not reach what only this server can: its own network.

The host is resolved once; every address found is checked; the connection is made to exactly the address that was
checked, under the host's name (Host, SNI, certificate). A second answer of the DNS therefore changes nothing. No
proxy, cookie or credential of the environment is used. What a deployment may reach nonetheless: OUTBOUND_* settings.
"""

from __future__ import annotations

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import urljoin

import httpcore
import httpx
from django.conf import settings

from accounts.exceptions import Refused, Temporary

CONNECT_S, TOTAL_S, STALL_S = 5.0, 15.0, 60.0
DEFAULT_PORTS = {"http": 80, "https": 443}
LOWEST_FREE_PORT = 1024  # below it only the ports of the web: not mail, not SSH
HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")  # such a last label makes the whole host an IPv4 address
ERRNO = re.compile(r"^\[Errno -?\d+\] ")
REDIRECTS = (301, 302, 303, 307, 308)
AGENT = "Plumbline/1"

# Beside what `is_global` refuses. Each has an embedded or special meaning that the flag does not know in every release.
NEVER = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "fec0::/10",
    )
]  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class AddressForbidden(Refused):
    code = "address_forbidden"


class AnswerTooLarge(Refused):
    code = "answer_too_large"


class Unreachable(Temporary):
    """No answer: the name is not known, nobody listens, the certificate is not right, or it took too long."""

    status = 502
    code = "unreachable"


@dataclass(frozen=True)
class Answer:
    """`headers` by lower-case name; `body` raw, as sent (identity was asked for); `is_cut`: there was more of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool
    url: str


class Sink(Protocol):
    """Takes a body too large for memory, piece by piece. What it raises ends the exchange, and reaches the caller."""

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body of this answer is to come here; else it is read as always. Not asked of redirects."""

    def write(self, chunk: bytes) -> object: ...


def check_url(url: str) -> httpx.URL:
    """What can be told of an address without asking anybody. Raises AddressForbidden in words for people."""
    try:
        parsed = httpx.URL(url.strip())
        host = parsed.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError):
        raise AddressForbidden("This is not an address of the web.") from None
    if parsed.scheme not in DEFAULT_PORTS or (parsed.scheme == "http" and not settings.OUTBOUND_ALLOW_HTTP):
        schemes = "https:// or http://" if settings.OUTBOUND_ALLOW_HTTP else "https://"
        raise AddressForbidden(f"The address must begin with {schemes}.")
    if parsed.userinfo:
        raise AddressForbidden("The address must not hold a user name or password.")
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not (port in DEFAULT_PORTS.values() or LOWEST_FREE_PORT <= port <= 65535):
        raise AddressForbidden("The port must be 80, 443, or one from 1024 to 65535.")
    _check_host(host)
    return parsed


def _check_host(host: str) -> None:
    literal = _literal(host.rstrip(".") if ":" not in host else host)
    if literal is not None:
        _check_address(literal, host)
    elif not HOST_NAME.fullmatch(host) or len(host) > 253 or NUMERIC_LABEL.fullmatch(host.rstrip(".").split(".")[-1]):
        raise AddressForbidden("The address needs the name of a host, such as hooks.example.com.")
    elif host.rstrip(".").split(".")[-1] == "localhost":
        _check_address(IPv4Address("127.0.0.1"), host)


def _literal(host: str) -> Address | None:
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether a stranger on the internet could reach it too, or the deployment allows it (OUTBOUND_ALLOWED_NETWORKS).

    IPv4 inside IPv6 is judged as IPv4: mapped (RFC 4291) and NAT64 (RFC 6052); 6to4 and Teredo are refused.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in _allowed_networks(tuple(settings.OUTBOUND_ALLOWED_NETWORKS))):
        return True
    if address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local:
        return False
    return address.is_global and not any(address in network for network in NEVER)


@lru_cache(maxsize=8)
def _allowed_networks(given: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in given]


def _check_address(address: Address, host: str) -> None:
    if not is_public(address):
        raise AddressForbidden(f"{host} is in a private or special network, where nothing is sent from here.")


def send(
    *, method: str, url: str, headers: Mapping[str, str], content: bytes, limit_bytes: int, timeout_s: float = TOTAL_S
) -> Answer:
    """One request; the answer whatever its status, its body cut at `limit_bytes`. Redirects are not followed.

    `timeout_s`: of the whole, from resolving to the last byte. Raises AddressForbidden, Unreachable.
    """
    return _exchange(method, check_url(url), headers, content, limit_bytes, _Deadline(timeout_s))


def fetch(
    *,
    url: str,
    limit_bytes: int,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TOTAL_S,
    redirects: int = 5,
    sink: Sink | None = None,
) -> Answer:
    """GET, following redirects, each hop checked like the first. Whatever the status. With a `sink`, which keeps its
    own limit, `timeout_s` may be long: between two pieces of the answer at most STALL_S pass.

    Raises AddressForbidden, Unreachable, AnswerTooLarge; Refused("too_many_redirects").
    """
    deadline = _Deadline(timeout_s)
    for _ in range(redirects + 1):
        answer = _exchange("GET", check_url(url), headers or {}, b"", limit_bytes, deadline, sink)
        target = answer.headers.get("location")
        if answer.status not in REDIRECTS or not target:
            if answer.is_cut:
                raise AnswerTooLarge(f"The file is larger than {limit_bytes} bytes.")
            return answer
        try:
            url = urljoin(url, target)
        except ValueError:  # "http://["
            raise AddressForbidden("The address redirects to what is no address of the web.") from None
        headers = {}  # what was meant for the first host is not for the next
    raise Refused(f"The address redirects more than {redirects} times.", code="too_many_redirects")


class _Deadline:
    """One limit for all steps of a request: a server that sends a byte now and then must not hold us for ever."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, at_most: float | None = None) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if at_most is None else min(left, at_most)


class _Stream(httpcore.NetworkStream):
    """A stream every step of which ends with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _CheckedBackend(httpcore.NetworkBackend):
    """Resolves, checks, and connects to what was checked."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolve(host, port, self._deadline.left(CONNECT_S))
        for address in addresses:  # of several, one bad one condemns all: such a name is an attempt
            _check_address(address, host)
        failure: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in addresses[:4]:
            try:
                stream = self._sockets.connect_tcp(str(address), port, self._deadline.left(CONNECT_S), None, ())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _Stream(stream, self._deadline)
        raise failure


def _resolve(host: str, port: int, timeout_s: float) -> list[Address]:
    """The resolver of the system knows no time limit, so it is waited for from outside."""
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=timeout_s)
    except queue.Empty:
        raise httpcore.ConnectTimeout from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError(f"The name {host} can't be resolved.")
    # A zone ("fe80::1%eth0") is judged with its address.
    return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in answer))


def _exchange(
    method: str,
    url: httpx.URL,
    headers: Mapping[str, str],
    content: bytes,
    limit_bytes: int,
    deadline: _Deadline,
    sink: Sink | None = None,
) -> Answer:
    """One connection for one request: nothing is kept that could be used for another host or after a fork."""
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    sent = {"Host": url.netloc.decode(), "User-Agent": AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    sent |= {"Content-Length": str(len(content))} if content else {}
    pool = httpcore.ConnectionPool(
        ssl_context=_tls(settings.OUTBOUND_CA_FILE), network_backend=_CheckedBackend(deadline), max_connections=1
    )
    given = list((sent | dict(headers)).items())
    waits = {"timeout": {"read": STALL_S}} if sink else {}
    try:
        with pool, pool.stream(method, target, headers=given, content=content, extensions=waits) as said:
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in said.headers}
            body, is_cut = _read(said, found, limit_bytes, sink)
    except httpcore.TimeoutException:
        raise Unreachable(f"{url.host} did not answer in time (at most {deadline.seconds:g} s).") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Unreachable(f"{url.host} could not be reached: {_reason(error)}") from error
    return Answer(said.status, found, body, is_cut, str(url))


def _read(
    said: httpcore.Response, headers: Mapping[str, str], limit_bytes: int, sink: Sink | None
) -> tuple[bytes, bool]:
    if sink is not None and said.status not in REDIRECTS and sink.begin(said.status, headers):
        for chunk in said.iter_stream():
            sink.write(chunk)
        return b"", False
    body = bytearray()
    for chunk in said.iter_stream():
        body += chunk
        if len(body) > limit_bytes:
            return bytes(body[:limit_bytes]), True
    return bytes(body), False


def _reason(error: Exception) -> str:
    text = ERRNO.sub("", str(error)) or type(error).__name__
    return "its certificate is not valid for it." if "CERTIFICATE_VERIFY_FAILED" in text else text[:200]


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    """Reading the list of authorities costs tens of milliseconds: once a process."""
    context = httpcore.default_ssl_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
