"""Door to the cloud for a Pulumi program without the engine: Pulumi's mocks."""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc  # type: ignore[import-untyped]
import pulumi
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from apim_emulator.azure.cloud import Cloud
from apim_emulator.azure.exceptions import CloudError, InvalidResourceTypeError, ValidationError
from apim_emulator.azure.registry import unmodelled_warning
from apim_emulator.azure.resource_types.sdk import PACKAGES
from apim_emulator.pulumi.error_hooks import ErrorHook, remote_hook, unsupported
from apim_emulator.pulumi.property_values import UNKNOWN, decode, encode, has_unknown, is_secret, plain
from apim_emulator.pulumi.registration import Registration
from apim_emulator.pulumi.stack_update import StackUpdate

_STACK = "pulumi:pulumi:Stack"
_PROVIDER = "pulumi:providers:"
_MOST_ERRORS = 100
"""Failures of one resource after which the engine gives up, whatever its hooks say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A resource or an invoke that the cloud refused."""

    type: str
    name: str
    error: CloudError


class AzureMocks(pulumi.runtime.Mocks):
    """Creates in a cloud what a program registers, and records it: `pulumi.runtime.set_mocks(AzureMocks())`.

    IDs, names and outputs look as Azure Resource Manager's do. What it would refuse raises `CloudError`. At preview
    nothing is created: inputs are checked by name and outputs are unknown.
    """

    def __init__(
        self,
        cloud: Cloud | None = None,
        *,
        location: str | None = None,
        subscription_id: str | None = None,
        preview: bool = False,
        before: Sequence[Registration] = (),
    ) -> None:
        """Use `cloud`, or a new one, with this configuration of azure-native's default provider.

        `location` is for resources that name none; `subscription_id` defaults to the deployer's own. `before` is what
        an earlier deployment registered, which this one changes.
        """
        self.cloud = cloud or Cloud()
        self._stack_update = StackUpdate(self.cloud, before)
        self.registrations: list[Registration] = []
        """What was registered, in the order in which it was created."""
        self.failures: list[Failure] = []
        self.refused_invokes: list[Failure] = []
        """Invokes; a program may go on without an answer."""
        self.warnings: dict[str, str] = {}
        """Warnings about types that are not modelled, once each, by the URN of the first resource."""
        self._default = {"location": location, "subscriptionId": subscription_id}
        self._providers: dict[str, Mapping[str, Any]] = {}
        self._preview = preview
        self._lock = threading.Lock()

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create, or with an ID look up, a custom resource, as Pulumi's own monitor asks for it.

        Raises `InvalidResourceTypeError` for a type whose IDs are unknown; warns about one whose IDs are inferred.
        """
        custom = args.custom is not False
        if custom:
            _require_known(args.typ, args.inputs)
        inputs = plain(args.inputs)
        secrets = frozenset(name for name, value in args.inputs.items() if is_secret(value))
        registration = self.register(
            Registration(
                type=args.typ,
                name=args.name,
                urn=_provider(args.typ, args.name) if args.typ.startswith(_PROVIDER) else "",
                inputs=inputs,
                secret_inputs=secrets,
                custom=custom,
                provider=_provider_of(args),
                read=bool(args.resource_id),
                id=args.resource_id or "",
            )
        )
        return registration.id, decode(encode(registration.outputs, registration.secret_outputs))

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Answer an invoke."""
        return self.invoke(args.token, plain(args.args), _provider_of(args)), []

    def register(
        self,
        registration: Registration,
        secret_outputs: frozenset[str] = frozenset(),
        retry: Callable[[Sequence[str]], bool] = lambda _errors: False,
    ) -> Registration:
        """Carry out a registration and record it with its ID and outputs.

        As the engine does, outputs are secret that were secret inputs, and those in `secret_outputs`. What the cloud
        refuses is tried again as long as `retry` says so, given what was refused so far, newest first.
        """
        resource_id, outputs = self._attempt(registration, retry)
        secrets = (registration.secret_inputs | secret_outputs).intersection(outputs)
        done = replace(registration, id=resource_id, outputs=outputs, secret_outputs=secrets)
        with self._lock:
            self.registrations.append(done)
        return done

    def _attempt(
        self, registration: Registration, retry: Callable[[Sequence[str]], bool]
    ) -> tuple[str, dict[str, Any]]:
        errors: list[str] = []
        while True:
            try:
                self._require_serial_deployments(registration)
                return self._state_of(registration)
            except CloudError as error:
                errors.insert(0, str(error))
                if not retry(errors):
                    self.failures.append(Failure(type=registration.type, name=registration.name, error=error))
                    raise

    def is_deployed(self, urn: str) -> bool:
        """Whether an earlier deployment made a resource."""
        return urn in self._stack_update.before

    def finish(self) -> None:
        """Delete what an earlier deployment registered and this one did not; failures are recorded."""
        left = tuple(self._stack_update.removed(frozenset(found.urn for found in self.registrations)))
        going = frozenset(found.urn for found in left)
        for found in () if self._preview else left:
            try:
                self._stack_update.delete(found, going)
            except CloudError as error:
                self.failures.append(Failure(type=found.type, name=found.urn.rsplit("::", 1)[1], error=error))

    def invoke(self, token: str, args: Mapping[str, Any], provider: str = "") -> dict[str, Any]:
        """Answer an invoke with plain arguments; `provider` is the URN of the provider it was given."""
        try:
            return self.cloud.invoke(token, args, subscription_id=self._configured(provider, "subscriptionId"))
        except CloudError as error:
            self.refused_invokes.append(Failure(type=token, name="invoke", error=error))
            raise

    def _require_serial_deployments(self, registration: Registration) -> None:
        """Refuse a model deployment that does not wait for the account's others, as two at once conflict.

        Nothing takes time here, so the dependencies tell what would run at once on Azure. Deployments of templates,
        which belong to no account, may run at once.
        """
        account = registration.inputs.get("accountName")
        if not registration.urn or not registration.type.endswith(":Deployment") or registration.read or not account:
            return
        with self._lock:
            done = {found.urn: found for found in self.registrations}
        earlier, reached = set(registration.dependencies), set[str]()
        while earlier:
            urn = earlier.pop()
            reached.add(urn)
            earlier |= (done[urn].dependencies if urn in done else frozenset()) - reached
        for found in done.values():
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
        if registration.type.startswith(_PROVIDER):
            self._providers[registration.urn] = inputs
            return f"{registration.name}-id", inputs
        if registration.read:
            return registration.id, {**inputs, **self.cloud.read(registration.type, registration.id)}
        self._warn(registration)
        self.cloud.check(registration.type, inputs)
        if self._preview:
            # Objects are left out, so unknown: the provider completes them, as it does identities with principal IDs.
            known = self._stack_update.before.get(registration.urn)
            outputs = {name: value for name, value in inputs.items() if not isinstance(value, Mapping)}
            return known.id if known else "", outputs
        if has_unknown(inputs):
            raise ValidationError("an input is unknown: something that it depends on failed")
        location = self._configured(registration.provider, "location")
        if location and inputs.get("location") is None and self.cloud.has_location(registration.type):
            inputs["location"] = location
        subscription_id = self._configured(registration.provider, "subscriptionId")
        if changed := self._stack_update.update(registration.type, registration.urn, inputs):
            return changed
        return self.cloud.create(registration.type, registration.name, inputs, subscription_id=subscription_id)

    def _warn(self, registration: Registration) -> None:
        warning = unmodelled_warning(registration.type, registration.inputs)
        with self._lock:
            if warning and warning not in self.warnings.values():
                self.warnings[registration.urn] = warning

    def _configured(self, provider: str, name: str) -> str | None:
        """Read the configuration of a provider, by its URN, or of the default one, from which that takes nothing."""
        value = self._providers.get(provider, {} if provider else self._default).get(name)
        return value if isinstance(value, str) else None


class _InvokeError(grpc.RpcError):  # type: ignore[misc]
    """An invoke that failed, as the engine tells it: a program can go on."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


class AzureMockMonitor(MockMonitor):
    """Pulumi's mock monitor, telling the mocks what it keeps from them: parents, dependencies, secrets, exports."""

    def __init__(self, mocks: AzureMocks) -> None:
        super().__init__(mocks)
        self.exports: dict[str, Any] = {}
        """Outputs of the stack, plain."""
        self.secret_exports: frozenset[str] = frozenset()
        self._mocks = mocks
        self.hooks: dict[str, ErrorHook] = {}
        """Error hooks by name."""
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
            raise unsupported("transform")
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
        try:
            result = self._mocks.invoke(request.tok, plain(decode(request.args)), _provider_urn(request.provider))
        except CloudError as error:
            raise _InvokeError(str(error)) from error
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

    def RegisterErrorHook(self, request: resource_pb2.RegisterErrorHookRequest) -> Any:  # noqa: N802 - gRPC's name
        """Remember whom to ask whether to try again what failed."""
        self.hooks[request.name] = remote_hook(request.callback)
        return super().RegisterErrorHook(request)  # type: ignore[no-untyped-call]

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        """Refuse: a transform that does not run would go unnoticed."""
        raise unsupported("transform")

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
        done = self._mocks.register(
            Registration(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                inputs=plain(inputs),
                secret_inputs=frozenset(name for name, value in inputs.items() if is_secret(value)),
                dependencies=frozenset(request.dependencies),
                ignore_changes=frozenset(getattr(request, "ignoreChanges", ())),
                aliases=frozenset(alias.urn or alias.spec.name for alias in getattr(request, "aliases", ())),
                custom=custom,
                provider=_provider_urn(request.provider),
                read=bool(resource_id),
                replacement_trigger=_trigger(request),
                deleted_with=getattr(request, "deletedWith", ""),
                protected=getattr(request, "protect", False),
                retained=getattr(request, "retainOnDelete", False),
                id=resource_id,
            ),
            frozenset(request.additionalSecretOutputs),
            lambda errors: self._retries(request, urn, errors),
        )
        self.resources[urn] = MockMonitor.ResourceRegistration(urn, done.id, dict(done.outputs))
        return done

    def _retries(
        self,
        request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest,
        urn: str,
        errors: Sequence[str],
    ) -> bool:
        """Ask the resource's error hooks, as the engine does: until there were a hundred errors."""
        if isinstance(request, resource_pb2.ReadResourceRequest) or len(errors) >= _MOST_ERRORS:
            return False
        operation = resource_pb2.ErrorHookRequest(
            urn=urn,
            name=request.name,
            type=request.type,
            failed_operation="update" if self._mocks.is_deployed(urn) else "create",
            errors=errors,
        )
        answers = [self.hooks[name](operation) for name in request.hooks.on_error]
        return any(answers)

    def _require_new(self, urn: str) -> None:
        with self._urn_lock:
            if urn in self._urns:
                raise pulumi.RunError(f"duplicate resource URN {urn}; give the resource another name")
            self._urns.add(urn)


def _require_known(token: str, inputs: Mapping[str, Any]) -> None:
    """Refuse a type whose IDs are unknown, and warn about one whose IDs are inferred."""
    if token.split(":", maxsplit=1)[0] not in (*PACKAGES, "pulumi"):
        raise InvalidResourceTypeError(
            f"{token} belongs to none of the providers {', '.join(PACKAGES)}, so its ID is unknown;"
            " override new_resource in a subclass of AzureMocks and return one",
            token,
        )
    if not token.startswith("pulumi:") and (warning := unmodelled_warning(token, inputs)):
        warnings.warn(f"{warning}; its ID is inferred", stacklevel=3)


def _provider(token: str, name: str) -> str:
    """URN of a provider without its parents, which Pulumi's own monitor does not tell."""
    return "urn:pulumi:" + "::".join([pulumi.get_stack(), pulumi.get_project(), token, name])


def _provider_of(args: pulumi.runtime.MockResourceArgs | pulumi.runtime.MockCallArgs) -> str:
    """URN, as above, of the provider that a resource or an invoke was given; empty for the default one."""
    urn = _provider_urn(args.provider or "")
    if not urn:
        return ""
    *_, token, name = urn.split("::")
    return _provider(token.rpartition("$")[2], name)


def _provider_urn(reference: str) -> str:
    """URN in a reference to a provider, which goes on with its ID."""
    return reference.rpartition("::")[0]


def _trigger(request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest) -> Any:
    """Value of the option `replacement_trigger`, which a lookup has not."""
    if isinstance(request, resource_pb2.ReadResourceRequest) or not request.HasField("replacement_trigger"):
        return None
    return plain(json_format.MessageToDict(request.replacement_trigger))


__all__ = ["UNKNOWN", "AzureMockMonitor", "AzureMocks", "Failure", "Registration"]
