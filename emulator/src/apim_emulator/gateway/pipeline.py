"""The way of a call: key check, inbound, backend, outbound; on-error for what fails."""

from contextlib import suppress

from apim_emulator.gateway.context.objects import Named, Response
from apim_emulator.gateway.exchange import Exchange
from apim_emulator.gateway.failures import Answered, Failure, Finished
from apim_emulator.gateway.loading.plan import ApiPlan, Pipeline, Plan
from apim_emulator.gateway.loading.policy import run_steps
from apim_emulator.gateway.policies.cors import REQUEST_METHOD
from apim_emulator.model import Subscription


async def run_api(exchange: Exchange, plan: Plan, api: ApiPlan, operation: str | None) -> None:
    """Run a call of an API; its response is then in the context."""
    product = None
    try:
        if operation is None:
            raise not_found()
        access = plan.subscriptions.admit(api.api, exchange.context.request)
        product = access.product_id
        exchange.context.product = None if product is None else Named(product)
        exchange.context.subscription = _named(access.subscription)
        await _run_sections(exchange, api.pipelines[operation, product])
        await exchange.ended()
    except Failure as failure:
        await run_on_error(exchange, failure, api.pipelines[operation, product])


def _named(found: Subscription | None) -> Named | None:
    if found is None:
        return None
    return Named(found.id, primary_key=found.primary_key, secondary_key=found.secondary_key)


async def run_preflight(exchange: Exchange, plan: Plan, api: ApiPlan, path: str) -> None:
    """Answer a browser's preflight by the `cors` policies in scope, and by no other policy or key check.

    Where none of them allows it the answer is an empty 200; where there is none, the call matches no operation.
    """
    context = exchange.context
    method = context.request.headers.get(REQUEST_METHOD, "").upper()
    found = api.operations.match(method, path, context.request.query)
    operation = None if found is None else found.operation.name
    try:
        product = plan.subscriptions.admit(api.api, context.request).product_id
    except Failure:
        product = None
    pipeline = api.pipelines[operation, product]
    steps = tuple(step for step in pipeline["inbound"] if step.location.policy == "cors")
    if operation is None or not steps:
        return await run_on_error(exchange, not_found(), pipeline)
    exchange.preflight = True
    try:
        await run_steps(steps, exchange)
    except Finished:
        return None
    except Failure as failure:
        return await run_on_error(exchange, failure, pipeline)
    context.response = Response()
    return None


async def _run_sections(exchange: Exchange, pipeline: Pipeline) -> None:
    try:
        try:
            await run_steps(pipeline["inbound"], exchange)
            await exchange.before_backend()
            await run_steps(pipeline["backend"], exchange)
            await exchange.response_received()
        except Answered:
            exchange.put_headers()
        await run_steps(pipeline["outbound"], exchange)
    except Finished:
        return


async def run_on_error(exchange: Exchange, failure: Failure, pipeline: Pipeline) -> None:
    """Make the failure response and let on-error change it; a second failure there is answered plainly (inferred)."""
    context = exchange.context
    context.response = failure.as_response(context.request_id)
    context.last_error = failure.last_error()
    exchange.put_headers()
    try:
        with suppress(Finished):
            await run_steps(pipeline["on-error"], exchange)
        await exchange.ended()
    except Failure as second:
        context.response = second.as_response(context.request_id)


def not_found() -> Failure:
    """Make the failure of a call that no operation matches (inferred: its body)."""
    detail = "Unable to match incoming request to an operation."
    return Failure(404, "Resource not found", "OperationNotFound", "configuration", detail)
