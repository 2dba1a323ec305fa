"""The stand-in for every provider plugin: Pulumi's resource provider protocol in front of the cloud.

Sources: Pulumi's "ResourceProvider service" (provider.proto), and pulumi-azure-native for what that provider does.
"""

import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from apim_emulator.azure import Cloud
from apim_emulator.azure.exceptions import NOT_FOUND, CloudError, ValidationError
from apim_emulator.azure.registry import unmodelled_warning
from apim_emulator.pulumi import preview
from apim_emulator.pulumi.diff_response import diff_response, top_property
from apim_emulator.pulumi.naming import CREATE_BEFORE_DELETE, apply_defaults, program_inputs
from apim_emulator.pulumi.property_values import decode, encode, has_unknown, plain
from apim_emulator.pulumi.schema import schema
from apim_emulator.pulumi.secret_marks import keep_marks, marked, masked, secret_texts

T = TypeVar("T")

_RETRIES = 3
"""How often a throttled request is made again (azure-core's default)."""

_SECRET_OUTPUTS = {
    "azuread:index/applicationPassword:ApplicationPassword": ("value",),
    "random:index/randomPassword:RandomPassword": ("result",),
}
"""Outputs that are secrets although nothing secret went in."""

NEWEST = "9999.0.0"
"""Version that a stand-in says it has: no program asks for a newer one."""

_IDENTITY = ("subscriptionId", "tenantId")
"""Configuration without which a provider cannot manage what it made."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Provider `package`, whose resources are in `cloud`, with the types of its `version`.

    What the cloud refuses is `FAILED_PRECONDITION` with the cloud's message: the engine then knows that nothing
    changed. No message has a secret of the request in it.
    """

    def __init__(
        self, package: str, version: str, cloud: Cloud, warn: Callable[[str, str], None] = lambda _urn, _text: None
    ) -> None:
        """Serve the cloud's types whose tokens begin with `package`; `warn` tells a user something of a URN."""
        self._package = package
        self._version = version
        self._cloud = cloud
        self._location: str | None = None
        self._subscription_id: str | None = None
        self._cancelled = threading.Event()
        self._warn = warn
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: N802 - gRPC's name, as all below
        """Say which values this takes: secrets and resources as such, no output values."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=False, supports_autonaming_configuration=True
        )

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Return `NEWEST`: the engine warns of a plugin that is older than the version that a program asks for."""
        return plugin_pb2.PluginInfo(version=NEWEST)

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Take note of the engine; nothing is reported to it but answers."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Refuse all changes from now on. What is under way comes to its end: the cloud knows no half changes."""
        self._cancelled.set()
        return empty_pb2.Empty()

    def Parameterize(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse parameters, which would ask for other API versions."""
        _unimplemented(context, "the stand-in takes no parameters: it has one version of every type")

    def Construct(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse components."""
        _unimplemented(context, f"the provider {self._package} has no components")

    def Call(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse methods."""
        _unimplemented(context, f"the resources of the provider {self._package} have no methods")

    def List(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse to list, as these providers do."""
        _unimplemented(context, f"the provider {self._package} does not list resources")

    def GetMapping(self, request: Any, context: Any) -> provider_pb2.GetMappingResponse:  # noqa: N802
        """Return no mapping from other tools."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> provider_pb2.GetMappingsResponse:  # noqa: N802
        """Return no mappings from other tools."""
        return provider_pb2.GetMappingsResponse()

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        """Return types and functions by name."""
        return provider_pb2.GetSchemaResponse(schema=schema(self._package, self._version))

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Accept any configuration: it says where in Azure to deploy and as whom, which is this machine and anybody."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Ask for new resources where another subscription or tenant is configured."""
        old, new = plain(decode(request.olds)), plain(decode(request.news))
        changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [name for name in changed if name in _IDENTITY]
        return provider_pb2.DiffResponse(changes=changes, diffs=changed, replaces=replaces)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Take the default location and the subscription; left out, the subscription is the cloud's own."""
        given = plain(decode(request.args))
        self._location, self._subscription_id = (
            value if isinstance(value := given.get(name), str) else None for name in ("location", "subscriptionId")
        )
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, supports_autonaming_configuration=True
        )

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Answer a function. Arguments must be known."""
        given = decode(request.args)
        args = plain(given)
        unknown = [name for name, value in args.items() if has_unknown(value)]
        if unknown:
            failures = [provider_pb2.CheckFailure(property=name, reason="is not known yet") for name in unknown]
            return provider_pb2.InvokeResponse(failures=failures)
        with _as_grpc_error(context, given) as secrets:
            result = self._cloud.invoke(request.tok, args, subscription_id=self._subscription_id)
        return provider_pb2.InvokeResponse(**{"return": encode(marked(result, None, secrets))})

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """Complete names and locations, and refuse what the type does not take."""
        news = decode(request.news)
        with _as_grpc_error(context, news) as secrets:
            try:
                self._warn_once(request.urn, unmodelled_warning(request.type, plain(news)))
                inputs = apply_defaults(request, news, self._location)
                self._cloud.check(request.type, program_inputs(plain(inputs)))
            except CloudError as error:
                failure = provider_pb2.CheckFailure(reason=masked(error.message, secrets))
                if error.target and error.target != request.type:
                    failure.property = top_property(error.target)
                return provider_pb2.CheckResponse(failures=[failure])
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Compare inputs."""
        given = decode(request.news)
        before = plain(decode(request.old_inputs))
        old, new = program_inputs(before), program_inputs(plain(given))
        with _as_grpc_error(context, given):
            response = diff_response(self._cloud.diff(request.type, old, new), old, new)
        response.deleteBeforeReplace &= not before.get(CREATE_BEFORE_DELETE)
        return response

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create a resource; at preview, say what it will be."""
        given = decode(request.properties)
        inputs = program_inputs(plain(given))
        with _as_grpc_error(context, given) as secrets:
            if request.preview:
                resource_id, outputs = "", preview.created(request.type, inputs)
            else:
                self._require_change(inputs)
                # The engine asks again for what was made when this was killed before it could answer.
                resource_id, outputs = self._retrying(
                    lambda: self._cloud.create(
                        request.type,
                        request.name,
                        inputs,
                        subscription_id=self._subscription_id,
                        owner=request.urn,
                        adopt=True,
                    )
                )
                if self._cloud.is_kept(request.type):
                    context.add_callback(lambda: self._cloud.note_answered(resource_id))
        properties = _marked_outputs(request.type, outputs, given, secrets)
        return provider_pb2.CreateResponse(id=resource_id, properties=properties)

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        """Return a resource as it is now, or no ID where there is none.

        Without inputs it is an import, and the inputs are all that the cloud returns. With inputs it is a refresh:
        those that cannot be read back stay, marks included.
        """
        before, given = decode(request.properties), decode(request.inputs)
        with _as_grpc_error(context, before, given) as secrets:
            if not self._cloud.is_kept(request.type):
                return _read_from_state(request)
            try:
                outputs = self._cloud.read(request.type, request.id)
                inputs = self._cloud.inputs_of(request.type, request.id, program_inputs(plain(given)))
            except CloudError as error:
                if error.code != NOT_FOUND:
                    raise
                return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=_marked_outputs(request.type, outputs, before, secrets),
            inputs=encode(
                {name: keep_marks(value, given.get(name), secrets) for name, value in inputs.items()}
                | {name: given[name] for name in (CREATE_BEFORE_DELETE,) if name in given}
            ),
        )

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Change a resource in place; at preview, say what it will be."""
        given, before = decode(request.news), decode(request.olds)
        inputs = program_inputs(plain(given))
        with _as_grpc_error(context, given, before) as secrets:
            if request.preview:
                outputs = preview.updated(request.type, inputs, plain(before))
            else:
                self._require_change(inputs)
                outputs = plain(before) | inputs
                if self._cloud.is_kept(request.type):
                    outputs = self._retrying(lambda: self._cloud.update(request.type, request.id, inputs))
        return provider_pb2.UpdateResponse(properties=_marked_outputs(request.type, outputs, given, secrets))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Delete a resource; one that is gone already is no mistake."""
        with _as_grpc_error(context, decode(request.properties), decode(request.old_inputs)):
            self._require_change({})
            if self._cloud.is_kept(request.type):
                try:
                    self._retrying(lambda: self._cloud.delete(request.id))
                except CloudError as error:
                    if error.code != NOT_FOUND:
                        raise
        return empty_pb2.Empty()

    def _warn_once(self, urn: str, warning: str | None) -> None:
        """Warn once."""
        with self._lock:
            new = warning is not None and warning not in self._warned
            self._warned |= {warning} if warning else set()
        if new and warning:
            self._warn(urn, warning)

    def _retrying(self, change: Callable[[], T]) -> T:
        """Make a change, and again after the time that Azure asks a throttled caller to wait, unless cancelled."""
        for _ in range(_RETRIES):
            try:
                return change()
            except CloudError as error:
                if error.retry_after is None or self._cancelled.wait(error.retry_after):
                    raise
        return change()

    def _require_change(self, inputs: Mapping[str, Any]) -> None:
        if self._cancelled.is_set():
            raise CloudError("OperationCanceled", "the deployment was cancelled before this began")
        if has_unknown(inputs):
            raise ValidationError("an input is unknown: something that it depends on failed")


def _marked_outputs(
    token: str, outputs: Mapping[str, Any], given: Mapping[str, Any], secrets: Collection[str]
) -> struct_pb2.Struct:
    """Put outputs on the wire, with what is secret marked."""
    return encode(marked(outputs, given, secrets), frozenset(_SECRET_OUTPUTS.get(token, ())) & outputs.keys())


def _read_from_state(request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
    """Return what is in the program's state alone as it is there."""
    if not request.properties.fields:
        raise ValidationError("its value is in the state of a stack alone; it cannot be imported")
    return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)


@contextmanager
def _as_grpc_error(context: Any, *given: Any) -> Iterator[frozenset[str]]:
    """Turn what the cloud refuses into an error of gRPC, without the secrets in `given`, which the block gets."""
    secrets = frozenset(text for value in given for text in secret_texts(value))
    try:
        yield secrets
    except CloudError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, masked(str(error), secrets))
    except Exception as error:  # noqa: BLE001 - gRPC would send the message
        # The message may hold a secret, so the error gives only the place.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        context.abort(grpc.StatusCode.INTERNAL, f"the emulator has a bug: {type(error).__name__} at {where}")


def _unimplemented(context: Any, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, message)
    raise AssertionError(message)
