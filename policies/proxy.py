"""`proxy`: sends the request through an HTTP proxy."""

from dataclasses import dataclass, field
from typing import ClassVar

from policies.shared.checks import check_not_blank, check_secret
from policies.shared.errors import PolicyError
from policies.shared.policy import INBOUND_ONLY, Section, TypedPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy(TypedPolicy):
    """Sends the request to the backend through an HTTP proxy (proxy)."""

    tag: ClassVar[str] = "proxy"
    sections: ClassVar[frozenset[Section]] = INBOUND_ONLY

    url: str
    """Proxy as `http://host:port`, or an expression."""
    username: str | None = None
    """User name at the proxy, with `password`, or an expression. Defaults to none."""
    password: str | None = field(default=None, repr=False)
    """Named value, such as `{{proxy-password}}`, with the password at the proxy. Defaults to none."""

    def __post_init__(self) -> None:
        """Check that there is a proxy, and that the policy's text holds no secret."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} url", self.url)
        check_not_blank(f"{self.tag} username", self.username)
        check_secret(f"{self.tag} password", self.password)
        if (self.username is None) != (self.password is None):
            raise PolicyError(f"{self.tag} has only one of username and password; give both or none")
