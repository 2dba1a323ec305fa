"""`python -m sandbox up`: deploys a stack and serves it until it is stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from apim_emulator.azure import Cloud, Deployer
from apim_emulator.cli.documents import terms
from apim_emulator.cli.instructions import curl_command, python_program, token_command
from apim_emulator.cli.session import Api, Session, SessionFile, to_json
from apim_emulator.cli.terminal import note, progress, stop_signal
from apim_emulator.gateway import TokenRequirement, token_requirements
from apim_emulator.listening import freeze_heap
from apim_emulator.model import Application, Gateway
from apim_emulator.pulumi.deploy import Project
from apim_emulator.services.azure_openai.operations import model_operation
from apim_emulator.services.token_client import Caller, client_credentials_form, password_form
from sandbox.applications import assign_role, consent, find_application
from sandbox.commands.terminal import errors_explained, print_messages, project_and_config
from sandbox.existing import subscription_id
from sandbox.runtime import Sandbox, ServedApi, product_subscriptions, subscription_of


def run(stack: str, port: int, as_json: bool, trace: bool, blocklists: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; `blocklists` are `NAME=TERM`."""
    asyncio.run(_until_signalled(stack, port, as_json, trace, blocklists))
    return 0


async def _until_signalled(stack: str, port: int, as_json: bool, trace: bool, blocklists: Sequence[str]) -> None:
    stop = stop_signal()
    async with serving(stack, port, trace=trace, blocklists=blocklists) as session:
        freeze_heap()
        sys.stdout.write(f"{to_json(session) if as_json else text(session)}\n")
        sys.stdout.flush()
        await stop.wait()


@asynccontextmanager
async def serving(
    stack: str, port: int, *, trace: bool = False, blocklists: Sequence[str] = ()
) -> AsyncIterator[Session]:
    """Deploy a stack of the current folder and serve it; meanwhile `call` and `token` can find it."""
    lists = terms("--blocklist", blocklists)
    project, config = project_and_config(stack)
    cloud = Cloud(subscription_id=subscription_id(config), deployer=Deployer.from_environment())
    with SessionFile(Path.cwd(), stack).owned() as write:
        async with Sandbox(cloud=cloud, port=port, trace=trace, blocklists=lists) as sandbox:
            await deploy(sandbox, project, config, stack)
            session = describe(sandbox, stack)
            write(session)
            yield session


async def deploy(sandbox: Sandbox, project: Project, config: Mapping[str, Any], stack: str) -> None:
    """Deploy a stack, tell what its program and the sandbox say of it, and let the sandbox's callers in."""
    with errors_explained(sandbox.callers), progress.status(f"deploying {stack}"):
        deployment = await sandbox.deploy(project, config, stack)
    print_messages(deployment.messages)
    for message in _grant_access(sandbox):
        note(message)


def describe(sandbox: Sandbox, stack: str) -> Session:
    """Return how to call what is deployed, with every credential that a caller needs."""
    apis = [_api(sandbox, api) for api in sandbox.apis]
    apis = [
        replace(api, curl=curl_command(api, stack, api.model), python=python_program(api, api.model))
        if api.model is not None
        else api
        for api in apis
    ]
    return Session(
        stack=stack,
        url=sandbox.url,
        services={found.service.name: found.url for found in sandbox.services},
        model=next((api.model for api in apis if api.model is not None), None),
        apis=apis,
        trace_url=sandbox.trace_url,
        telemetry_url=sandbox.telemetry_url,
    )


def _api(sandbox: Sandbox, served: ServedApi) -> Api:
    required = token_requirements(served.service, served.api.id)
    return Api(
        name=served.name,
        url=served.url,
        key=_subscription_key(served) if served.api.subscription_required else None,
        callers=[
            # Those of a second provider have its number in their names.
            replace(caller, name=caller.name if number == 1 else f"{caller.name}-{number}")
            for number, one in enumerate(required, 1)
            for caller in _callers(sandbox, one)
        ],
        needs_token=bool(required),
        model=_chat_model(sandbox, served.service),
        product_keys={found.id: found.primary_key for found in product_subscriptions(served.service, served.api.id)},
    )


def _chat_model(sandbox: Sandbox, service: Gateway) -> str | None:
    """Return the first deployment for chat behind a service's backends, or of any account if they name none."""
    hosts = {urlsplit(backend.url).hostname for backend in service.backends if backend.url}
    accounts = sandbox.cloud.accounts()
    behind = [account for account in accounts if account.host in hosts] or accounts
    models = (model for account in behind for model in account.deployments)
    return next((model.name for model in models if model_operation(model) == "chatCompletion"), None)


def _subscription_key(served: ServedApi) -> str | None:
    """Return the primary key of the subscription that was created for the API's callers, or of a team's."""
    found = subscription_of(served.service, served.api.id)
    return None if found is None else found.primary_key


def _callers(sandbox: Sandbox, required: TokenRequirement) -> list[Caller]:
    if required.tenant is None:
        return sandbox.callers_of(required)
    application = find_application(sandbox.cloud, required.audience)
    if application is None:
        return []
    scope = f"{required.audience}/.default"

    def caller(name: str, client: Application, object_id: str, form: dict[str, str]) -> Caller:
        return Caller(
            name=name, client_id=client.client_id, object_id=object_id, token_url=sandbox.token_url, form=form
        )

    callers = [
        caller(
            client.display_name,
            client,
            client.service_principal_id,
            client_credentials_form(client.client_id, client.secrets[0], scope=scope),
        )
        for client in sandbox.callers
    ]
    client, user = sandbox.callers.client, sandbox.callers.user
    for_user = caller(user.name, client, user.object_id, password_form(client, user, scope))
    if not application.scopes:
        return callers
    # Without roles, an API with scopes is for users only, so the user comes first: the first caller must be accepted.
    return [*callers, for_user] if application.app_roles else [for_user, *callers]


def _grant_access(sandbox: Sandbox) -> Iterator[str]:
    """Assign the roles that an API requires to `client` if the config assigns none to any caller; say what was done."""
    client = sandbox.callers.client
    for api, required in _entra_requirements(sandbox):
        if required.client_ids and not {caller.client_id for caller in sandbox.callers} & set(required.client_ids):
            yield (
                f"API {api.name}: clientApplicationIds includes no caller of the sandbox; add {client.client_id}"
                f" ({client.display_name}) to try it"
            )
        application = find_application(sandbox.cloud, required.audience)
        if application is None:
            yield f"API {api.name}: the sandbox has no app registration for {required.audience}, so it issues no token"
            continue
        given = required.claims.get("roles", list(application.app_roles.values()))
        roles = {given} if isinstance(given, str) else set(given)
        if application.scopes and not any(who == client.client_id for who, _ in application.granted):
            consent(sandbox.cloud, application, client)
            yield (
                f"API {api.name}: {client.display_name} got an administrator's consent to"
                f" {', '.join(sorted(application.scopes))} here, for all users; on Azure users are asked for consent,"
                " unless preAuthorizedClientIds includes it"
            )
        if not roles <= set(application.app_roles.values()):
            continue
        if roles and not any(caller.service_principal_id in application.assignments for caller in sandbox.callers):
            for role in roles:
                assign_role(sandbox.cloud, application, client, role)
            yield (
                f"API {api.name}: the config assigns no role to a caller of the sandbox, so {client.display_name} got"
                f" {', '.join(sorted(roles))} here; on Azure, use roleAssignments or have an administrator assign it"
            )


def _entra_requirements(sandbox: Sandbox) -> Iterator[tuple[ServedApi, TokenRequirement]]:
    """Yield the tokens of Microsoft Entra ID that APIs require."""
    for served in sandbox.apis:
        for required in token_requirements(served.service, served.api.id):
            if required.tenant is not None:
                yield served, required


def text(session: Session) -> str:
    """Return the session as text: how to call what is served."""
    lines = [f"The gateway of stack {session.stack} listens on {session.url}; Ctrl-C stops it."]
    if len(session.services) > 1:
        lines = [f"{len(session.services)} gateways of stack {session.stack} listen; Ctrl-C stops them:"]
        lines += [f"  {name}: {url}" for name, url in session.services.items()]
    elif session.services and session.url not in session.services.values():
        lines.append("It answers no caller on the internet there; the URLs below are those within its virtual network.")
    if session.trace_url is not None:
        lines.append(f"What each policy did with the last calls: {session.trace_url}, or python -m sandbox trace")
    if not session.apis:
        lines.append("Nothing is deployed to it yet; run `pulumi up` and it will follow.")
    for api in session.apis:
        lines += ["", f"API {api.name}: {api.url}"]
        if api.key is not None:
            lines.append(f"  subscription key: {api.key}")
        lines += [f"  key of {name}: {key}" for name, key in api.product_keys.items()]
        for caller in api.callers:
            object_id = f", object ID {caller.object_id}" if caller.object_id else ""
            lines.append(f"  caller {caller.name}: client ID {caller.client_id}{object_id}")
        if api.callers:
            lines.append(f"  a caller's token: {token_command(api, session.stack)} --caller {api.callers[0].name}")
        if api.curl:
            lines += ["", "  With curl:", "", api.curl, "", "  With Python:", "", api.python]
    return "\n".join(lines)
