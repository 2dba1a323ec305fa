"""`set-backend-service`: chooses where the request goes."""

from dataclasses import dataclass
from typing import ClassVar

from policies.checks import check_filled
from policies.errors import PolicyError
from policies.policy import Section, TypedPolicy

BACKEND_ID = "openai-backend"
"""Backend that Microsoft's article creates for Azure OpenAI (authenticate and authorize to Azure OpenAI)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBackendService(TypedPolicy):
    """Sends the request to a backend resource or to a URL, exactly one of them (set-backend-service).

    Not offered: the options of Service Fabric and Dapr, which the sandbox cannot execute.
    """

    tag: ClassVar[str] = "set-backend-service"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.BACKEND})

    backend_id: str | None = None
    """Backend resource, such as `openai-backend`. Left out: `base_url` says where."""
    base_url: str | None = None
    """Base URL; cannot replace a backend resource that a parent scope chose. Left out: `backend_id` says where."""

    def __post_init__(self) -> None:
        """Check that the policy names exactly one place."""
        TypedPolicy.__post_init__(self)
        check_filled(f"{self.tag} backend_id", self.backend_id)
        check_filled(f"{self.tag} base_url", self.base_url)
        if (self.backend_id is None) == (self.base_url is None):
            raise PolicyError(
                f"set-backend-service backend_id {self.backend_id!r} with base_url {self.base_url!r} is not allowed; "
                "give exactly one of them"
            )
