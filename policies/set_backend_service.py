"""`set-backend-service`: chooses where the request goes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from policies.errors import PolicyError
from policies.policy import Section, TypedPolicy

BACKEND_ID = "openai-backend"
"""Backend that Microsoft's article creates for Azure OpenAI (authenticate and authorize to Azure OpenAI)."""


class ReplicaType(StrEnum):
    """Replica of a Service Fabric partition."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBackendService(TypedPolicy):
    """Sends the request to a backend resource or to a URL, exactly one of them (set-backend-service)."""

    tag: ClassVar[str] = "set-backend-service"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.INBOUND, Section.BACKEND})

    backend_id: str | None = None
    """Backend resource, such as `openai-backend`. Left out: `base_url` says where."""
    base_url: str | None = None
    """Base URL; cannot replace a backend resource that a parent scope chose. Left out: `backend_id` says where."""
    sf_partition_key: str | None = None
    """Partition of a Service Fabric backend. Left out: the service is not partitioned."""
    sf_replica_type: ReplicaType | str | None = None
    """Replica of a Service Fabric partition. Left out: the gateway chooses."""
    sf_resolve_condition: bool | str | None = None
    """Condition to resolve the Service Fabric partition anew. Left out: the backend's setting."""
    sf_service_instance_name: str | None = None
    """Service Fabric instance, changeable per request. Left out: the backend's setting."""
    sf_listener_name: str | None = None
    """Listener of a Service Fabric service that has several. Left out: its only listener."""
    dapr_app_id: str | None = None
    """Dapr microservice, with `backend_id` `dapr`, on a self-hosted gateway. Left out: no Dapr."""
    dapr_method: str | None = None
    """Method of the Dapr microservice. Left out: no Dapr."""
    dapr_namespace: str | None = None
    """Namespace of the Dapr microservice. Left out: the gateway's own namespace."""

    def __post_init__(self) -> None:
        """Check that the policy names exactly one place."""
        TypedPolicy.__post_init__(self)
        if bool(self.backend_id) == bool(self.base_url):
            raise PolicyError(
                f"set-backend-service backend_id {self.backend_id!r} with base_url {self.base_url!r} is not allowed; "
                "give exactly one of them"
            )
        if self.dapr_app_id is None or self.dapr_method is None:
            if any((self.dapr_app_id, self.dapr_method, self.dapr_namespace)):
                raise PolicyError(
                    "set-backend-service has only some of the dapr options; give dapr_app_id and dapr_method"
                )
        elif self.backend_id != "dapr":
            raise PolicyError(f"set-backend-service backend_id {self.backend_id!r} is not Dapr's; use 'dapr'")
