from hypothesis import strategies as st

from policies import BACKEND_ID, ReplicaType, SetBackendService
from tests.policies.record import Record
from tests.policies.values import choice, filled, flag_expressions, maybe, options, texts

dapr = {"backend_id": st.just("dapr"), "dapr_app_id": texts, "dapr_method": texts, "dapr_namespace": maybe(texts)}

fabric = {
    "sf_resolve_condition": maybe(flag_expressions),
    "sf_service_instance_name": maybe(texts),
    "sf_partition_key": maybe(texts),
    "sf_listener_name": maybe(texts),
    "sf_replica_type": maybe(choice(ReplicaType)),
}

RECORD = Record(
    SetBackendService,
    examples=(
        SetBackendService(backend_id="a"),
        SetBackendService(base_url="https://a.example"),
        SetBackendService(backend_id="dapr", dapr_app_id="a", dapr_method="b"),
    ),
    drawn=(
        options(SetBackendService, backend_id=filled, **fabric)
        | options(SetBackendService, base_url=filled)
        | options(SetBackendService, **dapr)
    ),
    renders={
        "set-backend-service names the article's backend": (
            SetBackendService(backend_id=BACKEND_ID),
            '<set-backend-service backend-id="openai-backend" />',
        ),
        "set-backend-service names a URL": (
            SetBackendService(id="x", base_url="https://a.example/openai?b=1&c=2"),
            '<set-backend-service id="x" base-url="https://a.example/openai?b=1&amp;c=2" />',
        ),
        "set-backend-service names a Dapr application": (
            SetBackendService(backend_id="dapr", dapr_app_id="chat", dapr_method="ask", dapr_namespace="ai"),
            '<set-backend-service backend-id="dapr" dapr-app-id="chat" dapr-method="ask" dapr-namespace="ai" />',
        ),
        "set-backend-service names a replica of Service Fabric": (
            SetBackendService(
                backend_id="fabric",
                sf_partition_key="1",
                sf_replica_type=ReplicaType.SECONDARY,
                sf_resolve_condition='@(context.LastError?.Reason == "BackendConnectionFailure")',
            ),
            '<set-backend-service backend-id="fabric" sf-resolve-condition="@(context.LastError?.Reason == '
            '&quot;BackendConnectionFailure&quot;)" sf-partition-key="1" sf-replica-type="secondary" />',
        ),
    },
    refuses=(
        (
            SetBackendService,
            "set-backend-service backend_id None with base_url None is not allowed; give exactly one of them",
        ),
        (
            lambda: SetBackendService(backend_id="a", base_url="https://b"),
            "set-backend-service backend_id 'a' with base_url 'https://b' is not allowed; give exactly one of them",
        ),
        (lambda: SetBackendService(base_url=""), "set-backend-service base_url '' is empty; give it a value"),
        (
            lambda: SetBackendService(backend_id="a", dapr_app_id="b", dapr_method="c"),
            "set-backend-service has dapr_app_id with backend_id 'a'; give backend_id dapr",
        ),
        (
            lambda: SetBackendService(backend_id="dapr", dapr_method="c"),
            "set-backend-service has only one of dapr_app_id and dapr_method; give both or none",
        ),
    ),
)
