"""Door to the cloud for a Pulumi program without the engine: Pulumi's mocks."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import CloudError
from sandbox.cloud.wire import UNKNOWN, decode, encode, has_unknown, is_secret, plain

_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A resource as the program registered it."""

    type: str
    name: str
    urn: str = ""
    parent: str = ""
    """URN of the parent."""
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Plain values: secrets are themselves, unknown ones `UNKNOWN`."""
    secret_inputs: frozenset[str] = frozenset()
    """Inputs that are, or inside have, a secret."""
    dependencies: frozenset[str] = frozenset()
    """URNs of what it waits for, by `depends_on` or through an input."""
    custom: bool = True
    """False: a component."""
    read: bool = False
    """Whether it was looked up or imported rather than created."""
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A resource or an invoke that the cloud refused."""

    type: str
    name: str
    error: CloudError


class SandboxMocks(pulumi.runtime.Mocks):
    """Creates in the cloud what a program registers, and records it.

    At preview nothing is created: inputs are checked by name and outputs are unknown.
    """

    def __init__(self, cloud: Cloud, *, location: str | None = None, preview: bool = False) -> None:
        """Serve `cloud`; `location` is what azure-native takes from its configuration where a resource names none."""
        self.cloud = cloud
        self.registrations: list[Registration] = []
        self.failures: list[Failure] = []
        self._location = location
        self._preview = preview
        self._lock = threading.Lock()

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create, or with an ID look up, a custom resource."""
        inputs = plain(args.inputs)
        secrets = frozenset(name for name, value in args.inputs.items() if is_secret(value))
        registration = self.register(
            Registration(
                type=args.typ,
                name=args.name,
                inputs=inputs,
                secret_inputs=secrets,
                custom=args.custom is not False,
                read=bool(args.resource_id),
                id=args.resource_id or "",
            )
        )
        return registration.id, decode(encode(registration.outputs, registration.secret_outputs))

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer an invoke."""
        return self.invoke(args.token, plain(args.args)), None

    def register(self, registration: Registration, secret_outputs: frozenset[str] = frozenset()) -> Registration:
        """Carry out a registration and record it with its ID and outputs.

        As the engine does, outputs are secret that were secret inputs, and those in `secret_outputs`.
        """
        try:
            self._require_turn(registration)
            resource_id, outputs = self._state_of(registration)
        except CloudError as error:
            self.failures.append(Failure(type=registration.type, name=registration.name, error=error))
            raise
        secrets = (registration.secret_inputs | secret_outputs).intersection(outputs)
        done = replace(registration, id=resource_id, outputs=outputs, secret_outputs=secrets)
        with self._lock:
            self.registrations.append(done)
        return done

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answer an invoke with plain arguments."""
        try:
            return self.cloud.call(token, args)
        except CloudError as error:
            self.failures.append(Failure(type=token, name="invoke", error=error))
            raise

    def _require_turn(self, registration: Registration) -> None:
        """Refuse a model deployment that does not wait for the account's others, as two at once conflict.

        Nothing takes time here, so what would run at once on Azure is told from the dependencies.
        """
        if not registration.urn or not registration.type.endswith(":Deployment") or registration.read:
            return
        with self._lock:
            done = {found.urn: found for found in self.registrations}
        earlier, reached = set(registration.dependencies), set[str]()
        while earlier:
            urn = earlier.pop()
            reached.add(urn)
            earlier |= (done[urn].dependencies if urn in done else frozenset()) - reached
        for found in done.values():
            account = registration.inputs.get("accountName")
            same_account = account is not UNKNOWN and found.inputs.get("accountName") == account
            if found.type == registration.type and same_account and found.urn not in reached:
                raise CloudError(
                    "RequestConflict",
                    f"the deployment {found.name!r} is being made on the same account; wait for it with depends_on",
                    "accountName",
                )

    def _state_of(self, registration: Registration) -> tuple[str, dict[str, Any]]:
        inputs = dict(registration.inputs)
        if not registration.custom:
            return "", inputs
        if registration.type.startswith("pulumi:providers:"):
            return f"{registration.name}-id", inputs
        if registration.read:
            return registration.id, {**inputs, **self.cloud.read(registration.type, registration.id)}
        self.cloud.check(registration.type, inputs)
        if self._preview:
            # Objects are left out, so unknown: the provider completes them, as it does identities with principal IDs.
            return "", {name: value for name, value in inputs.items() if not isinstance(value, Mapping)}
        if has_unknown(inputs):
            raise CloudError("ValidationError", "an input is unknown: something that it depends on failed")
        if self._location and inputs.get("location") is None and self.cloud.has_location(registration.type):
            inputs["location"] = self._location
        return self.cloud.create(registration.type, registration.name, inputs)


class SandboxMonitor(MockMonitor):
    """Pulumi's mock monitor, telling the mocks what it keeps from them: parents, dependencies, secrets, exports."""

    def __init__(self, mocks: SandboxMocks) -> None:
        super().__init__(mocks)
        self.exports: dict[str, Any] = {}
        """Outputs of the stack, plain."""
        self.secret_exports: frozenset[str] = frozenset()
        self._door = mocks
        self._stack_urn = ""
        self._urns: set[str] = set()
        self._urn_lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """URN as the engine makes it: the types of all parents but the stack's, then the name."""
        if parent and parent != self._stack_urn:
            type_ = f"{parent.split('::')[2]}${type_}"
        return "urn:pulumi:" + "::".join([pulumi.get_stack(), pulumi.get_project(), type_, name])

    def RegisterResource(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Create or import a custom resource, or take note of a component."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            self._stack_urn = urn
            return resource_pb2.RegisterResourceResponse(urn=urn)
        self._require_new(urn)
        if request.transforms:
            raise _unsupported()
        done = self._register(request, urn, request.object, request.importId, request.custom)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=done.id, object=encode(done.outputs, done.secret_outputs)
        )

    def ReadResource(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        """Look up a resource that the program does not own."""
        urn = self.make_urn(request.parent, request.type, request.name)
        self._require_new(urn)
        done = self._register(request, urn, request.properties, request.id, custom=True)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=encode(done.outputs, done.secret_outputs))

    def Invoke(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> resource_pb2.ResourceInvokeResponse:
        """Answer a function of a provider."""
        result = self._door.invoke(request.tok, plain(decode(request.args)))
        return resource_pb2.ResourceInvokeResponse(**{"return": encode(result)})

    def RegisterResourceOutputs(  # noqa: N802 - gRPC's name
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> Any:
        """Keep the stack's exports."""
        if request.urn == self._stack_urn:
            outputs = decode(request.outputs)
            self.exports = {name: plain(value) for name, value in outputs.items()}
            self.secret_exports = frozenset(name for name, value in outputs.items() if is_secret(value))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        """Refuse: a transform that does not run would go unnoticed."""
        raise _unsupported()

    RegisterStackInvokeTransform = RegisterStackTransform

    def _register(
        self,
        request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest,
        urn: str,
        properties: Any,
        resource_id: str,
        custom: bool,
    ) -> Registration:
        inputs = decode(properties)
        done = self._door.register(
            Registration(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                inputs=plain(inputs),
                secret_inputs=frozenset(name for name, value in inputs.items() if is_secret(value)),
                dependencies=frozenset(request.dependencies),
                custom=custom,
                read=bool(resource_id),
                id=resource_id,
            ),
            frozenset(request.additionalSecretOutputs),
        )
        self.resources[urn] = MockMonitor.ResourceRegistration(urn, done.id, dict(done.outputs))
        return done

    def _require_new(self, urn: str) -> None:
        with self._urn_lock:
            if urn in self._urns:
                raise pulumi.RunError(f"duplicate resource URN {urn}; give the resource another name")
            self._urns.add(urn)


def _unsupported() -> pulumi.RunError:
    return pulumi.RunError("the sandbox runs no transforms; deploy with the Pulumi engine to use them")


__all__ = ["UNKNOWN", "Failure", "Registration", "SandboxMocks", "SandboxMonitor"]
