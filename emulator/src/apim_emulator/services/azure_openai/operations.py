"""Operations of the Azure OpenAI data plane: the dated API's (inference.json), and the v1 API's.

A token's principal needs the same data actions on both; that is inferred for v1 chat completions and embeddings, and
so is `responses/delete`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from apim_emulator.model import Account, ModelDeployment
from apim_emulator.services.azure_openai.chat import chat_completion
from apim_emulator.services.azure_openai.completions import completion
from apim_emulator.services.azure_openai.embeddings import embeddings
from apim_emulator.services.azure_openai.exceptions import (
    deployment_not_found,
    model_not_found,
    not_offered,
    operation_not_supported,
)
from apim_emulator.services.azure_openai.generation import Answer, model_id
from apim_emulator.services.azure_openai.parameters import Json, missing, parse, wrong_type
from apim_emulator.services.azure_openai.responses import ResponseStore, Stored

__all__ = ["model_operation"]

V1 = "/openai/v1"
"""Where the v1 API is: the model is in the body, and no API version is needed."""

_ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI"


@dataclass(frozen=True, slots=True)
class Call:
    """An authorized request for an operation."""

    account: Account
    name: str
    """Deployment, model ID or response ID of the path, empty where it has none."""
    content: bytes
    query: Mapping[str, str]
    now: int
    responses: ResponseStore

    @property
    def stored(self) -> Stored:
        """Responses of the account."""
        return Stored(self.responses, self.account.id, self.now)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation and the data action that it demands of a token's principal."""

    method: str
    path: str
    action: str
    answer: Callable[[Call], Answer]
    throttled: str = ""
    """What a refusal for want of quota calls it; empty: it takes no quota."""


def model_operation(model: ModelDeployment) -> str:
    """Operation that a model is made for, told by its name: `embeddings`, `completion` or `chatCompletion`."""
    if "embedding" in model.model:
        return "embeddings"
    if model.model.endswith("-instruct") or model.model.startswith(("davinci", "babbage", "text-davinci")):
        return "completion"
    return "chatCompletion"


_Infer: TypeAlias = Callable[[ModelDeployment, Json, int], Answer]


def _infer(operation: str, infer: _Infer, call: Call) -> Answer:
    model = _deployment(call, call.name, operation)
    return infer(model, parse(call.content), call.now)


def _infer_v1(operation: str, infer: _Infer, call: Call) -> Answer:
    model, body = _named_in_body(call, operation)
    return infer(model, body, call.now)


def _respond(call: Call) -> Answer:
    model, body = _named_in_body(call, "responses")
    return call.stored.create(model, body)


def _named_in_body(call: Call, operation: str) -> tuple[ModelDeployment, Json]:
    body = parse(call.content)
    name = body.get("model")
    if name is None:
        raise missing("model")
    if not isinstance(name, str):
        raise wrong_type("model", "a string", name)
    return _deployment(call, name, operation), body


def _deployment(call: Call, name: str, operation: str) -> ModelDeployment:
    model = next((model for model in call.account.deployments if model.name == name), None)
    if model is None:
        raise deployment_not_found()
    if model_operation(model) != ("chatCompletion" if operation == "responses" else operation):
        raise operation_not_supported(operation, model.model)
    return model


_Describe: TypeAlias = Callable[[ModelDeployment, int], Json]


def _list_models(describe: _Describe, call: Call) -> Json:
    described = {model_id(model): describe(model, call.now) for model in call.account.deployments}
    return {"object": "list", "data": list(described.values())}


def _get_model(describe: _Describe, call: Call) -> Json:
    for model in call.account.deployments:
        if model_id(model) == call.name:
            return describe(model, call.now)
    raise model_not_found(call.name)


def _describe_v1(model: ModelDeployment, now: int) -> Json:
    return {"id": model_id(model), "object": "model", "created": now, "owned_by": "openai"}


def _describe(model: ModelDeployment, now: int) -> Json:
    return {
        "id": model_id(model),
        "object": "model",
        "status": "succeeded",
        "lifecycle_status": "generally-available",
        "created_at": now,
        "capabilities": {
            "inference": True,
            "fine_tune": False,
            "embeddings": model_operation(model) == "embeddings",
            "completion": model_operation(model) == "completion",
            "chat_completion": model_operation(model) == "chatCompletion",
        },
    }


OPERATIONS = (
    Operation(
        "POST",
        "/openai/deployments/{deployment-id}/chat/completions",
        f"{_ACTIONS}/deployments/chat/completions/action",
        partial(_infer, "chatCompletion", chat_completion),
        "ChatCompletions_Create",
    ),
    Operation(
        "POST",
        "/openai/deployments/{deployment-id}/completions",
        f"{_ACTIONS}/deployments/completions/action",
        partial(_infer, "completion", completion),
        "Completions_Create",
    ),
    Operation(
        "POST",
        "/openai/deployments/{deployment-id}/embeddings",
        f"{_ACTIONS}/deployments/embeddings/action",
        partial(_infer, "embeddings", embeddings),
        "Embeddings_Create",
    ),
    Operation("GET", "/openai/models", f"{_ACTIONS}/models/read", partial(_list_models, _describe)),
    Operation("GET", "/openai/models/{model-id}", f"{_ACTIONS}/models/read", partial(_get_model, _describe)),
    Operation(
        "POST",
        f"{V1}/chat/completions",
        f"{_ACTIONS}/deployments/chat/completions/action",
        partial(_infer_v1, "chatCompletion", chat_completion),
        "ChatCompletions_Create",
    ),
    Operation(
        "POST",
        f"{V1}/embeddings",
        f"{_ACTIONS}/deployments/embeddings/action",
        partial(_infer_v1, "embeddings", embeddings),
        "Embeddings_Create",
    ),
    Operation("POST", f"{V1}/responses", f"{_ACTIONS}/responses/write", _respond, "Responses_Create"),
    Operation(
        "GET",
        f"{V1}/responses/{{response_id}}",
        f"{_ACTIONS}/responses/read",
        lambda call: call.stored.get(call.name, call.query),
    ),
    Operation(
        "DELETE",
        f"{V1}/responses/{{response_id}}",
        f"{_ACTIONS}/responses/delete",
        lambda call: call.stored.delete(call.name),
    ),
    Operation(
        "POST",
        f"{V1}/responses/{{response_id}}/cancel",
        f"{_ACTIONS}/responses/write",
        lambda call: call.stored.cancel(call.name),
    ),
    Operation(
        "GET",
        f"{V1}/responses/{{response_id}}/input_items",
        f"{_ACTIONS}/responses/read",
        lambda call: call.stored.input_items(call.name, call.query),
    ),
    Operation("GET", f"{V1}/models", f"{_ACTIONS}/models/read", partial(_list_models, _describe_v1)),
    Operation("GET", f"{V1}/models/{{model}}", f"{_ACTIONS}/models/read", partial(_get_model, _describe_v1)),
)

_NOT_OFFERED = {
    f"{V1}/": (
        "assistants",
        "audio",
        "batches",
        "chat/completions",
        "completions",
        "containers",
        "conversations",
        "evals",
        "files",
        "fine_tuning",
        "images",
        "models",
        "moderations",
        "realtime",
        "responses",
        "threads",
        "uploads",
        "vector_stores",
        "video",
        "videos",
    ),
    "/openai/": (
        "assistants",
        "batches",
        "files",
        "fine_tuning",
        "images",
        "realtime",
        "responses",
        "threads",
        "uploads",
        "vector_stores",
    ),
    "/openai/deployments/{deployment-id}/": ("audio", "images"),
}
"""Paths below a prefix where Azure has what the stand-in has not."""


def refuse_unoffered(method: str, path: str) -> None:
    """Name an operation that Azure would serve."""
    for prefix, paths in _NOT_OFFERED.items():
        pattern = re.sub(r"\{.*?\}", "[^/]+", prefix) + f"({'|'.join(paths)})(/.*)?"
        if re.fullmatch(pattern, path):
            raise not_offered(f"{method} {path:.200}")
