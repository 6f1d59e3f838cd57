"""The address of a service: a scheme, a host and a port, and nothing else."""

import ipaddress
import re
from typing import NamedTuple

_PORTS = {"http": 80, "https": 443}


class Endpoint(NamedTuple):
    """Where a service is."""

    host: str  #: A name or an address, one of IPv6 in brackets.
    port: int
    is_tls: bool

    @classmethod
    def parse(cls, text: str, *, insecure: bool) -> "Endpoint":
        """Raises `ValueError`, which shows no more of the text than scheme, host and port: the rest may be a password."""
        _require(text == text.strip(" \t\r\n\v\f"), "must not have a space before or after it")
        # Before anything else: a password may hold each of the characters that end a host.
        _require("@" not in text, "must not have a user name or password: a token says who calls")
        scheme, _, rest = text.partition("://")
        scheme = scheme.lower()
        _require(scheme in _PORTS and "://" in text, "expected an address such as `https://secrets.example.com`")
        authority, more = re.fullmatch(r"([^/\\?#]*)(.*)", rest, re.DOTALL).groups()
        host, port = re.fullmatch(r"(.*?)(?::([^:\]]*))?", authority, re.DOTALL).groups()
        is_port = port is None or (re.fullmatch("0*[0-9]{1,5}", port) is not None and 1 <= int(port) <= 65_535)
        _require(is_port, "invalid port: must be a number from 1 to 65535")
        _require(_is_host(host), "invalid host: expected a name, an IPv4 address, or an IPv6 address in brackets")
        endpoint = cls(host.lower(), int(port) if port else _PORTS[scheme], scheme == "https")
        more = more.removeprefix("/")
        part = {"": None, "?": "query", "#": "fragment"}.get(more[:1], "path")
        _require(part is None, f"must not have a {part}; did you mean `{endpoint}`?")
        if not insecure and not endpoint.is_tls and not _is_loopback(endpoint.host):
            raise ValueError(
                f"{endpoint} is not encrypted, so that others on the network could read tokens and values; use `https://`, "
                "or allow it for a network that you trust with SECRETS_INSECURE=1 or `insecure=True`"
            )
        return endpoint

    def __str__(self) -> str:
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{self.host}" + (f":{self.port}" if self.port != _PORTS[scheme] else "")


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return re.fullmatch("[A-Za-z0-9._-]+", host) is not None
    try:
        return host.endswith("]") and "%" not in host and ipaddress.IPv6Address(host[1:-1]) is not None
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    """Whether it is this machine, `localhost`, 127.0.0.0/8 or `::1`; not what another notation may mean."""
    if host.startswith("["):
        return ipaddress.IPv6Address(host[1:-1]) == ipaddress.IPv6Address("::1")
    try:
        return host == "localhost" or ipaddress.IPv4Address(host) in ipaddress.IPv4Network("127.0.0.0/8")
    except ValueError:
        return False


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(f"invalid endpoint: {sentence}")
