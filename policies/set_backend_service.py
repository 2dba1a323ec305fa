"""`set-backend-service`: chooses where the request goes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.checks import check_filled
from policies.errors import PolicyError
from policies.policy import Section, TypedPolicy

BACKEND_ID = "openai-backend"
"""Backend that Microsoft's article creates for Azure OpenAI (authenticate and authorize to Azure OpenAI)."""

_DAPR = "dapr"


class ReplicaType(StrEnum):
    """Replica of a Service Fabric partition."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBackendService(TypedPolicy):
    """Sends the request to a backend resource or to a URL, exactly one of them (set-backend-service).

    The options that begin with `dapr_` name an application of the backend `dapr`; those that begin with `sf_` a replica
    of a Service Fabric backend.
    """

    tag: ClassVar[str] = "set-backend-service"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.BACKEND})

    backend_id: str | None = None
    """Backend resource, such as `openai-backend`. Left out: `base_url` says where."""
    base_url: str | None = None
    """Base URL; cannot replace a backend resource that a parent scope chose. Left out: `backend_id` says where."""
    dapr_app_id: str | None = None
    """Dapr application, with `dapr_method` and the `backend_id` `dapr`. Left out: it is none."""
    dapr_method: str | None = None
    """Method of the Dapr application. Left out: it is none."""
    dapr_namespace: str | None = None
    """Kubernetes namespace of the Dapr application. Left out: that of the gateway."""
    sf_resolve_condition: bool | str | None = None
    """Whether the partition is looked up again, normally an expression. Left out: when a request fails."""
    sf_service_instance_name: str | None = None
    """Name of the service instance, or an expression. Left out: that of the backend resource."""
    sf_partition_key: str | None = None
    """Key of the partition, or an expression. Left out: the service has one partition."""
    sf_listener_name: str | None = None
    """Name of the listener, or an expression. Left out: the first."""
    sf_replica_type: ReplicaType | str | None = None
    """Which replica, or an expression. Left out: the primary."""

    def __post_init__(self) -> None:
        """Check that the policy names exactly one place."""
        TypedPolicy.__post_init__(self)
        check_filled(f"{self.tag} backend_id", self.backend_id)
        check_filled(f"{self.tag} base_url", self.base_url)
        if (self.dapr_app_id is None) != (self.dapr_method is None):
            raise PolicyError(f"{self.tag} has only one of dapr_app_id and dapr_method; give both or none")
        if self.dapr_app_id is not None and self.backend_id != _DAPR:
            raise PolicyError(f"{self.tag} has dapr_app_id with backend_id {self.backend_id!r}; give backend_id dapr")
        if (self.backend_id is None) == (self.base_url is None):
            raise PolicyError(
                f"set-backend-service backend_id {self.backend_id!r} with base_url {self.base_url!r} is not allowed; "
                "give exactly one of them"
            )
