"""Where the gateway's outgoing calls really go: Azure's host names lead to services on this machine."""

from functools import lru_cache
from ipaddress import ip_address

from yarl import URL

__all__ = ["HostRefusedError", "Network"]


class HostRefusedError(Exception):
    """A URL whose host no route names and which is not this machine."""

    def __init__(self, url: URL) -> None:
        """Say which host; never the path or query, which may carry a secret."""
        super().__init__(f"host {url.host or '(none)'} is not served by the emulator")


class Network:
    """Maps the host of a URL to a server on this machine and refuses every other host that is not allowed by name."""

    def __init__(self) -> None:
        """Start without routes: only URLs of this machine pass."""
        self._hosts: dict[str, URL] = {}
        self._suffixes: dict[str, URL] = {}
        self._allowed: set[str] = set()

    def route(self, host: str, base_url: str) -> None:
        """Send calls for `host`, such as `login.microsoftonline.com` or `*.openai.azure.com`, to `base_url`.

        An exact host wins over a suffix, a longer suffix over a shorter one. A second route for a host replaces the
        first.

        Raises `ValueError`: `base_url` is not an http(s) URL of this machine.
        """
        base = URL(base_url)
        if not is_loopback(base):
            raise ValueError(f"route for {host}: {base_url} is not an http or https URL on a loopback address")
        if host.startswith("*."):
            self._suffixes[host[1:].lower()] = base.origin()
        else:
            self._hosts[host.lower()] = base.origin()

    def allow(self, host: str) -> None:
        """Let calls for `host` leave this machine."""
        self._allowed.add(host.lower())

    def target(self, url: URL) -> URL:
        """Where a call to `url` goes: same path and query, the routed server; the caller keeps the `Host` header.

        Raises `HostRefusedError`: no route names the host, it is not this machine and it is not allowed.
        """
        if url.scheme not in {"http", "https"} or url.user is not None or url.password is not None:
            raise HostRefusedError(url)
        base = self._base(url)
        if base is not None:
            return URL(f"{base}{url.raw_path_qs}", encoded=True)
        if is_loopback(url) or (url.host or "").lower() in self._allowed:
            return url
        raise HostRefusedError(url)

    def _base(self, url: URL) -> URL | None:
        if not (self._hosts or self._suffixes):
            return None
        host = (url.host or "").lower().rstrip(".")
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
