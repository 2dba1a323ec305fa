"""The way of a call: key check, inbound, backend, outbound; on-error for what fails."""

from multidict import CIMultiDict

from sandbox.expressions.context import Named, Response
from sandbox.gateway.errors import Failure, Finished
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.http import envelope
from sandbox.gateway.plan import ApiPlan, Pipeline, Plan
from sandbox.gateway.policy import run_steps


async def run_api(exchange: Exchange, plan: Plan, api: ApiPlan, operation: str | None) -> None:
    """Run a call of an API; its response is then in the context."""
    product = None
    try:
        if operation is None:
            raise not_found()
        access = plan.subscriptions.admit(api.api, exchange.context.request)
        product = access.product_id
        exchange.context.product = None if product is None else Named(product)
        exchange.context.subscription = None if access.subscription_id is None else Named(access.subscription_id)
        pipeline = api.pipelines[operation, product]
        for section in ("inbound", "backend", "outbound"):
            await run_steps(pipeline[section], exchange)
    except Finished:
        return
    except Failure as failure:
        await run_on_error(exchange, failure, api.pipelines[operation, product])


async def run_on_error(exchange: Exchange, failure: Failure, pipeline: Pipeline) -> None:
    """Make the failure response and let on-error change it; a second failure there is answered plainly (inferred)."""
    context = exchange.context
    context.response = _response(exchange, failure)
    context.last_error = failure.last_error()
    try:
        await run_steps(pipeline["on-error"], exchange)
    except Finished:
        return
    except Failure as second:
        context.response = _response(exchange, second)


def not_found() -> Failure:
    """Make the failure of a call that no operation matches (inferred: its body)."""
    detail = "Unable to match incoming request to an operation."
    return Failure(404, "Resource not found", "OperationNotFound", "configuration", detail)


def _response(exchange: Exchange, failure: Failure) -> Response:
    if failure.response is not None:
        return failure.response
    activity = exchange.context.request_id if failure.with_activity else None
    headers = CIMultiDict({"Content-Type": "application/json", **failure.headers})
    body = envelope(failure.status, failure.message, activity)
    return Response(failure.status, failure.status_reason, headers, body)
