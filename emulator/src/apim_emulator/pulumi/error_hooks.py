"""Error hooks of a program, which decide whether a refused operation is tried again."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc  # type: ignore[import-untyped]
import pulumi
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

ErrorHook = Callable[[resource_pb2.ErrorHookRequest], bool]
"""Says whether to try again. Raises `pulumi.RunError` where it fails itself."""


def remote_hook(callback: Any) -> ErrorHook:
    """Return the hook of a program in another process, which serves it over gRPC."""

    def hook(request: resource_pb2.ErrorHookRequest) -> bool:
        with grpc.insecure_channel(callback.target) as channel:
            given = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
            answer = callback_pb2_grpc.CallbacksStub(channel).Invoke(given)
        response = resource_pb2.ErrorHookResponse.FromString(answer.response)
        if response.error:
            raise _failed(response.error)
        return bool(response.retry)

    return hook


class LocalCallbacks:
    """Takes a program's callbacks in its own process, in place of the server that Pulumi's SDK starts for them.

    That server is asynchronous gRPC, which does not work with several event loops in a process, as deployments have.
    """

    def __init__(self, hooks: dict[str, ErrorHook]) -> None:
        """Add error hooks to those that the monitor asks, by name."""
        self._hooks = hooks

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        """Take an error hook; it runs in the event loop in which it is registered."""
        self._hooks[hook.name] = _local(hook, asyncio.get_running_loop())

    def __getattr__(self, name: str) -> Any:
        """Refuse other callbacks: nobody would notice that they are not called."""
        raise unsupported("transform" if name.endswith("transform") else name.removeprefix("register_"))


def unsupported(what: str) -> pulumi.RunError:
    """Refuse a kind of callback."""
    return pulumi.RunError(f"the emulator runs no {what}s; deploy with the Pulumi engine to use them")


def _local(hook: pulumi.ErrorHook, loop: asyncio.AbstractEventLoop) -> ErrorHook:
    async def call(request: resource_pb2.ErrorHookRequest) -> bool:
        arguments = pulumi.ErrorHookArgs(
            urn=request.urn,
            id=request.id,
            name=request.name,
            type=request.type,
            failed_operation=request.failed_operation,
            errors=list(request.errors),
        )
        answer = hook.callback(arguments)
        return answer if isinstance(answer, bool) else await answer

    def ask(request: resource_pb2.ErrorHookRequest) -> bool:
        try:
            return asyncio.run_coroutine_threadsafe(call(request), loop).result()
        except Exception as error:
            raise _failed(str(error)) from error

    return ask


def _failed(error: str) -> pulumi.RunError:
    return pulumi.RunError(f"an error hook failed: {error}")
