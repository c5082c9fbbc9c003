"""Where a request comes from, as far as nobody can forge it."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

IPV6_PREFIX = 64  # what one customer has: whoever owns a /64 owns every address in it
UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or "unknown" (a unix socket)."""
    return stated_address(request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR", ""))


def stated_address(remote: str, forwarded: str) -> str:
    """The same, of the other end of the connection and X-Forwarded-For.

    Behind TRUSTED_PROXY_COUNT proxies it is the entry of X-Forwarded-For that the outermost of them wrote, counted from
    the right: what a caller put there itself stands further left. With fewer entries than proxies the request came
    another way, and the header is worth nothing.
    """
    proxies = int(settings.ALLAUTH_TRUSTED_PROXY_COUNT)
    hops = forwarded.split(",") if proxies > 0 else []
    stated = _readable(hops[-proxies]) if proxies and len(hops) >= proxies else None
    return stated or _readable(remote) or UNKNOWN


def place_of(address: str) -> str:
    """What is counted as one place: an IPv4 address, or the /64 network of an IPv6 address."""
    if address == UNKNOWN:
        return address
    found = ip_address(address)
    return str(IPv6Network((found, IPV6_PREFIX), strict=False)) if isinstance(found, IPv6Address) else address


def _readable(text: str) -> str | None:
    """An address in its one spelling, without the port that some proxies add; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found)
