"""`set-backend-service`: chooses where the request goes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.shared.checks import check_not_blank
from policies.shared.errors import PolicyError
from policies.shared.policy import Section, TypedPolicy

BACKEND_ID = "openai-backend"
"""Name of the backend in Microsoft's article (authenticate and authorize to Azure OpenAI)."""

_DAPR = "dapr"


class ReplicaType(StrEnum):
    """Replica of a Service Fabric partition."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBackendService(TypedPolicy):
    """Sends the request to a backend resource or to a URL, exactly one of them (set-backend-service).

    Options that begin with `dapr_` name an application of the backend `dapr`; options that begin with `sf_` name a
    replica of a Service Fabric backend.
    """

    tag: ClassVar[str] = "set-backend-service"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.BACKEND})

    backend_id: str | None = None
    """Backend resource, such as `openai-backend`."""
    base_url: str | None = None
    """Base URL; cannot replace a backend resource that a parent scope chose."""
    dapr_app_id: str | None = None
    """Dapr application, with `dapr_method` and the `backend_id` `dapr`."""
    dapr_method: str | None = None
    """Method of the Dapr application."""
    dapr_namespace: str | None = None
    """Kubernetes namespace of the Dapr application. Defaults to that of the gateway."""
    sf_resolve_condition: bool | str | None = None
    """Whether the partition is looked up again, normally an expression. By default only when a request fails."""
    sf_service_instance_name: str | None = None
    """Name of the service instance, or an expression. Defaults to that of the backend resource."""
    sf_partition_key: str | None = None
    """Key of the partition, or an expression; not needed if the service has only one partition."""
    sf_listener_name: str | None = None
    """Name of the listener, or an expression. Defaults to the first."""
    sf_replica_type: ReplicaType | str | None = None
    """Which replica, or an expression. Defaults to the primary."""

    def __post_init__(self) -> None:
        """Check that the policy names exactly one destination."""
        TypedPolicy.__post_init__(self)
        check_not_blank(f"{self.tag} backend_id", self.backend_id)
        check_not_blank(f"{self.tag} base_url", self.base_url)
        if (self.dapr_app_id is None) != (self.dapr_method is None):
            raise PolicyError(f"{self.tag} has only one of dapr_app_id and dapr_method; give both or none")
        if self.dapr_app_id is not None and self.backend_id != _DAPR:
            raise PolicyError(f"{self.tag} has dapr_app_id with backend_id {self.backend_id!r}; give backend_id dapr")
        if (self.backend_id is None) == (self.base_url is None):
            raise PolicyError(
                f"set-backend-service backend_id {self.backend_id!r} with base_url {self.base_url!r} is not allowed; "
                "give exactly one of them"
            )
