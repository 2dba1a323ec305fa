"""What an API's policy reads and changes in a request: the model that it names, and usage in streams.

On the dated surface the path names the deployment; on v1 the body names the model. A body is parsed once, and what was
parsed is what the account gets, so that no account can read another model in it than the gateway did.
"""

import json
from collections.abc import Mapping, Sequence

from components._answers import json_answer
from components._traffic import Traffic
from options import ModelOptions
from options.models import targets
from policies import (
    Choose,
    Policy,
    ReturnResponse,
    RewriteUri,
    SetBackendService,
    SetBody,
    SetVariable,
    When,
)

MODEL_VARIABLE = "openai-gateway-model"
"""Variable with the model that the caller named: a deployment or an alias. Empty if the request names none."""
DEPLOYMENT_VARIABLE = "openai-gateway-deployment"
"""Variable with the deployment that answers. Empty if the request names no model."""
BODY_VARIABLE = "openai-gateway-body"
"""Variable with the request's body (`JObject`), empty if it is not a JSON object. Only basic types are documented for
variables ("set-variable"); Microsoft's samples and many deployed documents keep a `JObject` in one."""

_MODEL = f'context.Variables.GetValueOrDefault<string>("{MODEL_VARIABLE}", "")'
_DEPLOYMENT = f'context.Variables.GetValueOrDefault<string>("{DEPLOYMENT_VARIABLE}", "")'
_BODY = f'((JObject)context.Variables["{BODY_VARIABLE}"])'

_BEFORE = "/deployments/"
_PATH = f"""var path = "/" + context.Request.Url.Path.TrimStart('/'); var at = path.LastIndexOf("{_BEFORE}");"""
# A path in which the word stands twice, which our definitions do not have, names no deployment for sure.
_FROM_PATH = (
    f"""@{{ {_PATH} return at < 0 || at != path.IndexOf("{_BEFORE}") ? "" """
    f""": path.Substring(at + {len(_BEFORE)}).Split('/')[0]; }}"""
)
# An account that ignores the case of keys could read another model than we: two spellings name none for sure.
_FROM_BODY = (
    f'@{{ var body = {_BODY}; var model = body["model"];'
    ' if (body.Properties().Count(member => member.Name.ToLowerInvariant() == "model") != 1) { return ""; }'
    ' return model != null && model.Type == JTokenType.String ? (string)model : ""; }'
)
_READ_BODY = SetVariable(
    name=BODY_VARIABLE,
    value="@{ if (context.Request.Body == null) { return new JObject(); }"
    " try { return JObject.Parse(context.Request.Body.As<string>(preserveContent: true)); }"
    " catch (Exception) { return new JObject(); } }",
)
_SET_AS_READ = SetBody(value=f"@({_BODY}.ToString(Formatting.None))")
_AS_READ: Sequence[Policy] = (
    _READ_BODY,
    Choose(when=[When(condition=f"@({_BODY}.Properties().Any())", policies=[_SET_AS_READ])]),
)
_IMAGE_DEPLOYMENT = "x-ms-oai-image-generation-deployment"
"""Header with the deployment that Responses make images with."""
# Reading, deleting and cancelling name no model; everything else on v1 must.
_NAMES_A_MODEL = (
    '@(context.Request.Method != "GET" && context.Request.Method != "DELETE"'
    """ && !context.Request.Url.Path.TrimEnd('/').EndsWith("/cancel"))"""
)
IS_CHAT = """context.Request.Url.Path.TrimEnd('/').EndsWith("chat/completions")"""
"""Expression that is true of a call of chat."""
_STREAMS = f"""{_BODY}["stream"] != null && {_BODY}["stream"].Type == JTokenType.Boolean && (bool){_BODY}["stream"]"""
# The caller's other options of the stream stay.
_ASK_FOR_USAGE = (
    'var options = body["stream_options"] as JObject ?? new JObject(); options["include_usage"] = true;'
    ' body["stream_options"] = options;'
)


def reading(traffic: Traffic, *, judged: bool = False) -> list[Policy]:
    """Return the policies for `inbound`, once it is known who calls: read the request, and refuse what is not offered.

    If later policies judge the body (`judged`), the account gets it as it was read, each key once.
    Usage is asked for in streams of chat alone: Responses report it anyway, and refuse the option.
    """
    as_read = _AS_READ if judged else ()
    if not traffic.models and not traffic.routes:
        return [*as_read, *(_only_usage() if traffic.include_usage else [])]
    offered = list(targets(traffic.models))
    checks = [
        *_check_model(offered, _not_offered(offered)),
        SetVariable(name=DEPLOYMENT_VARIABLE, value=_deployment(traffic.models)),
        *_check_deployment([name for route in traffic.routes for name in route.deployments]),
    ]
    if not traffic.by_body:
        usage = _only_usage() if traffic.include_usage else []
        return [SetVariable(name=MODEL_VARIABLE, value=_FROM_PATH), *checks, *as_read, *usage]
    asked = f" if ({IS_CHAT} && {_STREAMS}) {{ {_ASK_FOR_USAGE} }}" if traffic.include_usage else ""
    anew = f'@{{ var body = {_BODY}; body["model"] = {_DEPLOYMENT};{asked} return body.ToString(Formatting.None); }}'
    by_body: list[Policy] = [
        *_NAMED_IN_BODY,
        *checks,
        *_check_image_deployment(sorted(set(targets(traffic.models).values()))),
        SetBody(value=anew),
    ]
    return [Choose(when=[When(condition=_NAMES_A_MODEL, policies=by_body)])]


def narrowing(models: Sequence[ModelOptions], *, by_body: bool) -> list[Policy]:
    """Return the policies for `inbound` of a team's product, which refuse all but these of an API's models.

    They run before the API's own, which read the name that the caller gave once more; so the body, which the account
    gets as it was read here, keeps that name.
    """
    offered = list(targets(models))
    checks = [
        *_check_model(offered, not_for_team(offered)),
        SetVariable(name=DEPLOYMENT_VARIABLE, value=_deployment(models)),
    ]
    if not by_body:
        return [SetVariable(name=MODEL_VARIABLE, value=_FROM_PATH), *checks]
    by_body_only: list[Policy] = [
        *_NAMED_IN_BODY,
        *checks,
        *_check_image_deployment(sorted(set(targets(models).values()))),
        _SET_AS_READ,
    ]
    return [Choose(when=[When(condition=_NAMES_A_MODEL, policies=by_body_only)])]


def sending(traffic: Traffic) -> list[Policy]:
    """Return the policies for `inbound`, once the caller's credentials are gone: put the deployment into the path."""
    if traffic.by_body or all(name == deployment for name, deployment in targets(traffic.models).items()):
        return []
    path = (
        f"@{{ {_PATH} var end = path.IndexOf('/', at + {len(_BEFORE)});"
        f' return "{_BEFORE}" + {_DEPLOYMENT} + (end < 0 ? "" : path.Substring(end))'
        " + context.Request.Url.QueryString; }"
    )
    rewrite = RewriteUri(template=path, copy_unmatched_params=False)
    return [Choose(when=[When(condition=f"@({_MODEL} != {_DEPLOYMENT})", policies=[rewrite])])]


def choose_backend(backend_id: str, by_deployment: Mapping[str, str]) -> list[Policy]:
    """Return the policies that choose the backend of the deployment, or `backend_id` for a call that names none."""
    default = SetBackendService(backend_id=backend_id)
    if not by_deployment:
        return [default]
    backends: dict[str, list[str]] = {}
    for deployment, backend in by_deployment.items():
        backends.setdefault(backend, []).append(deployment)
    return [
        Choose(
            when=[
                When(condition=f"@({one_of(names, _DEPLOYMENT)})", policies=[SetBackendService(backend_id=backend)])
                for backend, names in backends.items()
            ],
            otherwise=[default],
        )
    ]


def has_one_account(traffic: Traffic) -> str | None:
    """Return the expression that is true if a single account serves the deployment, or None if that cannot be."""
    alone = [name for route in traffic.routes if len(route.accounts) == 1 for name in route.deployments]
    return one_of(alone, _DEPLOYMENT) if alone else None


def _check_model(offered: Sequence[str], refused: ReturnResponse) -> list[Policy]:
    if not offered:
        return []
    return [Choose(when=[When(condition=f"@(!{one_of(offered, _MODEL)})", policies=[refused])])]


def _check_image_deployment(offered: Sequence[str]) -> list[Policy]:
    if not offered:
        return []
    named = f'context.Request.Headers.GetValueOrDefault("{_IMAGE_DEPLOYMENT}", "")'
    refused = _error(403, "Forbidden", _about_model("model_not_found", "This API does not offer that image model."))
    condition = f'@(context.Request.Headers.ContainsKey("{_IMAGE_DEPLOYMENT}") && !{one_of(offered, named)})'
    return [Choose(when=[When(condition=condition, policies=[refused])])]


def _check_deployment(served: Sequence[str]) -> list[Policy]:
    """Refuse, as Azure OpenAI does, a deployment that no account has; a call that names none is no such case."""
    if not served:
        return []
    condition = f'@({_DEPLOYMENT} != "" && !{one_of(served, _DEPLOYMENT)})'
    return [Choose(when=[When(condition=condition, policies=[_NOT_FOUND])])]


def one_of(names: Sequence[str], value: str) -> str:
    """Return the expression that is true if `value`, an expression, is one of the names, which options restrict."""
    return f"new[] {{ {', '.join(map(_quoted, names))} }}.Contains({value})"


def _only_usage() -> list[Policy]:
    anew = SetBody(value=f"@{{ var body = {_BODY}; {_ASK_FOR_USAGE} return body.ToString(Formatting.None); }}")
    ask: list[Policy] = [_READ_BODY, Choose(when=[When(condition=f"@({_STREAMS})", policies=[anew])])]
    return [Choose(when=[When(condition=f'@(context.Request.Method == "POST" && {IS_CHAT})', policies=ask)])]


def _deployment(models: Sequence[ModelOptions]) -> str:
    """Return the expression for the deployment behind the model that the caller named."""
    renamed = {name: deployment for name, deployment in targets(models).items() if name != deployment}
    cases = "".join(f"{_MODEL} == {_quoted(name)} ? {_quoted(other)} : " for name, other in renamed.items())
    return f"@({cases}{_MODEL})"


def _quoted(name: str) -> str:
    """Return a name, whose characters the options restrict, as a literal of C#."""
    return f'"{name}"'


def _not_offered(names: Sequence[str]) -> ReturnResponse:
    message = f"This API does not offer that model; it offers {', '.join(names)}."
    return _error(403, "Forbidden", _about_model("model_not_found", message))


def not_for_team(names: Sequence[str]) -> ReturnResponse:
    """Return the refusal of every model but those that a team may call."""
    message = f"Your team may not call that model here; it may call {', '.join(names)}."
    return _error(403, "Forbidden", _about_model("model_not_found", message))


def _error(status: int, reason: str, error: Mapping[str, str]) -> ReturnResponse:
    """Return an error in OpenAI's format; nothing in it comes from the request."""
    return json_answer(status, reason, json.dumps({"error": error}))


def _about_model(code: str, message: str) -> dict[str, str]:
    return {"message": message, "type": "invalid_request_error", "param": "model", "code": code}


_NO_MODEL = _error(
    400, "Bad Request", _about_model("missing_model", "The request needs a JSON body that names a model.")
)
_NAMED_IN_BODY: Sequence[Policy] = (
    _READ_BODY,
    SetVariable(name=MODEL_VARIABLE, value=_FROM_BODY),
    Choose(when=[When(condition=f'@({_MODEL} == "")', policies=[_NO_MODEL])]),
)
_NOT_FOUND = _error(
    404,
    "Not Found",
    {
        "code": "DeploymentNotFound",
        "message": "The API deployment for this resource does not exist. If you created the deployment within the last "
        "5 minutes, please wait a moment and try again.",
    },
)
