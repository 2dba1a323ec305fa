"""Which models an API offers, and under which names."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from options.mistakes import Key, Mistake, suggestion, unique
from options.rules import Rules, matches, prefixed

deployment_name = matches(
    "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}", "2 to 64 letters, digits and . _ -, beginning with a letter or digit"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelOptions:
    """A model that an API offers."""

    name: str
    """Name that callers give, which is compared as a whole and by case."""
    deployment: str | None = None
    """Deployment that answers. Defaults to the one of the same name."""


MODEL: Rules = {"name": (deployment_name,), "deployment": (deployment_name,)}
VALUES: Rules = prefixed("*", MODEL)


def targets(models: Sequence[ModelOptions]) -> dict[str, str]:
    """Return the deployment of each name."""
    return {model.name: model.deployment or model.name for model in models}


def check_models(models: Sequence[ModelOptions]) -> Iterator[Mistake]:
    """Yield what is wrong with the list of an API's models."""
    if not models:
        yield Mistake(key=(), problem="is empty; list at least one model, or leave it out to offer all")
    yield from unique([((i, "name"), model.name) for i, model in enumerate(models)], "each name is one model")


def check_models_in_use(models: Sequence[ModelOptions], deployments: Collection[str]) -> Iterator[Mistake]:
    """Refuse models without a deployment in the API's accounts, which have `deployments`."""
    for i, (name, target) in enumerate(targets(models).items()):
        if target not in deployments:
            key: Key = (i, "name") if name == target else (i, "deployment")
            allowed = ", ".join(sorted(deployments)) or "none"
            problem = (
                f"is not deployed in any of the API's accounts; allowed: {allowed}{suggestion(target, deployments)}"
            )
            yield Mistake(key=key, value=target, problem=problem)
