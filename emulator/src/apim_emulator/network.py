"""Where the gateway's outgoing calls really go: Azure's host names lead to services on this machine."""

from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from yarl import URL

__all__ = ["HostRefusedError", "Network"]


class HostRefusedError(Exception):
    """A URL whose host no route names and which is not this machine."""

    def __init__(self, url: URL) -> None:
        """Say which host; never the path or query, which may carry a secret."""
        super().__init__(f"host {url.host or '(none)'} is not served by the emulator")


class _Route(NamedTuple):
    public: URL
    private: URL


class Network:
    """Maps the host of a URL to a server on this machine and refuses every other host that is not allowed by name."""

    def __init__(self) -> None:
        """Start without routes: only URLs of this machine pass."""
        self._hosts: dict[str, _Route] = {}
        self._suffixes: dict[str, _Route] = {}
        self._allowed: set[str] = set()
        self.gateway_ports: set[int] = set()
        """Ports of this machine on which gateways listen."""

    def route(self, host: str, base_url: str, private_url: str | None = None) -> None:
        """Send calls for `host`, such as `login.microsoftonline.com` or `*.openai.azure.com`, to `base_url`.

        Callers for whom the host is a private endpoint's go to `private_url`, which is `base_url` if left out. An exact
        host wins over a suffix, a longer suffix over a shorter one. A second route for a host replaces the first.

        Raises `ValueError`: a URL is not an http(s) URL of this machine.
        """
        for url in (base_url, private_url or base_url):
            if not is_loopback(URL(url)):
                raise ValueError(f"route for {host}: {url} is not an http or https URL on a loopback address")
        found = _Route(URL(base_url).origin(), URL(private_url or base_url).origin())
        if host.startswith("*."):
            self._suffixes[host[1:].lower()] = found
        else:
            self._hosts[host.lower()] = found

    def forget(self, host: str) -> None:
        """Take back the route of an exact host, if it has one."""
        self._hosts.pop(host.lower(), None)

    def allow(self, host: str) -> None:
        """Let calls for `host` leave this machine."""
        self._allowed.add(host.lower())

    def target(self, url: URL, private_hosts: Collection[str] = ()) -> URL:
        """Where a call to `url` goes: same path and query, the routed server; the caller keeps the `Host` header.

        `private_hosts` are those that the caller resolves to private endpoints, in lower case.

        Raises `HostRefusedError`: no route names the host, it is not this machine and it is not allowed.
        """
        if url.scheme not in {"http", "https"} or url.user is not None or url.password is not None:
            raise HostRefusedError(url)
        host = (url.host or "").lower().rstrip(".")
        route = self._route(host)
        if route is not None:
            base = route.private if host in private_hosts else route.public
            return URL(f"{base}{url.raw_path_qs}", encoded=True)
        if is_loopback(url) or (url.host or "").lower() in self._allowed:
            return url
        raise HostRefusedError(url)

    def _route(self, host: str) -> _Route | None:
        if host in self._hosts:
            return self._hosts[host]
        matches = [suffix for suffix in self._suffixes if host.endswith(suffix) and host != suffix[1:]]
        return self._suffixes[max(matches, key=len)] if matches else None


def is_loopback(url: URL) -> bool:
    """Tell whether an http(s) URL is of this machine."""
    return url.scheme in {"http", "https"} and url.host is not None and _is_this_machine(url.host)


@lru_cache(maxsize=256)
def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
