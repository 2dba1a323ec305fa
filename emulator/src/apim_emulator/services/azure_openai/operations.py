"""Operations of the Azure OpenAI data plane, as its OpenAPI definition (inference.json) names them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from apim_emulator.model import Account, ModelDeployment
from apim_emulator.services.azure_openai.embeddings import embeddings
from apim_emulator.services.azure_openai.exceptions import (
    deployment_not_found,
    model_not_found,
    operation_not_supported,
)
from apim_emulator.services.azure_openai.generation import Answer, chat_completion, completion, model_id
from apim_emulator.services.azure_openai.parameters import Json, parse

__all__ = ["model_operation"]

_ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI"


@dataclass(frozen=True, slots=True)
class Call:
    """An authorized request for an operation."""

    account: Account
    name: str
    """Deployment or model ID of the path, empty where it has none."""
    content: bytes
    now: int


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


def _infer(operation: str, infer: Callable[[ModelDeployment, Json, int], Answer], call: Call) -> Answer:
    model = next((model for model in call.account.deployments if model.name == call.name), None)
    if model is None:
        raise deployment_not_found()
    if model_operation(model) != operation:
        raise operation_not_supported(operation, model.model)
    return infer(model, parse(call.content), call.now)


def _list_models(call: Call) -> Json:
    described = {model_id(model): _describe(model, call.now) for model in call.account.deployments}
    return {"object": "list", "data": list(described.values())}


def _get_model(call: Call) -> Json:
    for model in call.account.deployments:
        if model_id(model) == call.name:
            return _describe(model, call.now)
    raise model_not_found(call.name)


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
    Operation("GET", "/openai/models", f"{_ACTIONS}/models/read", _list_models),
    Operation("GET", "/openai/models/{model-id}", f"{_ACTIONS}/models/read", _get_model),
)
