"""The files that stack config refers to, and the policies that it contains."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from options import ApiOptions, GatewaySku, PolicyOptions
from options.api import check_operations, definition
from options.mistakes import Mistake
from options.policy import check_policy, policy_document
from settings.mistakes import in_config
from settings.schema import Stack


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiTexts:
    """The long texts of an API, which come from files or from config."""

    definition: str | None = None
    """OpenAPI document."""
    policy: PolicyOptions | None = None
    """The policy hook."""


def read_texts(stack: Stack, project_dir: Path, wrong: set[str]) -> tuple[list[ApiTexts], list[Mistake]]:
    """Return each API's texts, as far as they can be read, and the mistakes in them."""
    sku = None if "gateway" in wrong or stack.gateway.existing else stack.gateway.sku
    key_names = {(api.key or stack.key).named_value or f"{api.name}-api-key" for api in stack.apis}
    mistakes: list[Mistake] = []
    texts = []
    for i, api in enumerate(stack.apis):
        texts.append(
            ApiTexts(
                definition=_definition(i, api, project_dir, mistakes),
                policy=_policy(i, api, project_dir, mistakes, sku=sku, key_names=key_names),
            )
        )
    return texts, mistakes


def _definition(i: int, api: ApiOptions, project_dir: Path, mistakes: list[Mistake]) -> str | None:
    if api.definition_file is None:
        return None
    key, name = ("apis", i, "definitionFile"), api.definition_file
    try:
        text = _read(project_dir / name, "a JSON text file; name an OpenAPI 3 document in JSON")
    except ValueError as error:
        mistakes.append(Mistake(key=key, value=name, problem=str(error)))
        return None
    if unfit := [replace(mistake, value=name) for mistake in definition(key, text, api.surface)]:
        mistakes += unfit
    else:
        mistakes += in_config("apis", i, of=check_operations(api.operations, text))
    return text


def _policy(
    i: int,
    api: ApiOptions,
    project_dir: Path,
    mistakes: list[Mistake],
    *,
    sku: GatewaySku | None,
    key_names: Collection[str],
) -> PolicyOptions | None:
    if api.policy is not None:
        mistakes += in_config("apis", i, "policy", of=check_policy(api.policy, sku=sku, key_names=key_names))
    if api.policy_file is None:
        return api.policy
    name = api.policy_file
    try:
        text = _read(project_dir / name, "a text file; name a policy document")
        return policy_document(text, sku=sku, key_names=key_names)
    except ValueError as error:
        mistakes.append(Mistake(key=("apis", i, "policyFile"), value=name, problem=str(error)))
        return None


def _read(file: Path, expected: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); name a file relative to the project's folder") from None
    except ValueError:  # not UTF-8, or a null character in the name
        raise ValueError(f"is not {expected}") from None
