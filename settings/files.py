"""The files that stack config names, and the policies that stand in it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from options import ApiOptions, GatewaySku, PolicyOptions
from options.api import definition
from options.mistakes import Mistake
from options.policy import check_policy, policy_document
from settings.mistakes import at
from settings.schema import Stack


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What an API says at length, in a file or in config."""

    definition: str | None = None
    """OpenAPI document."""
    policy: PolicyOptions | None = None
    """Policies of the user's own."""


def read_texts(stack: Stack, project_dir: Path, wrong: set[str]) -> tuple[list[Texts], list[Mistake]]:
    """Return each API's texts, as far as they can be read, and what is wrong with them."""
    sku = None if "gateway" in wrong or stack.gateway.existing else stack.gateway.sku
    own = {(api.key or stack.key).named_value or f"{api.name}-api-key" for api in stack.apis}
    mistakes: list[Mistake] = []
    texts = []
    for i, api in enumerate(stack.apis):
        texts.append(
            Texts(
                definition=_definition(i, api, project_dir, mistakes),
                policy=_policy(i, api, project_dir, mistakes, sku=sku, kept=own),
            )
        )
    return texts, mistakes


def _definition(i: int, api: ApiOptions, project_dir: Path, mistakes: list[Mistake]) -> str | None:
    if api.definition_file is None:
        return None
    key, name = ("apis", i, "definitionFile"), api.definition_file
    try:
        text = _read(project_dir / name, "JSON text; name an OpenAPI 3 document in JSON")
    except ValueError as error:
        mistakes.append(Mistake(key=key, value=name, problem=str(error)))
        return None
    mistakes += (replace(mistake, value=name) for mistake in definition(key, text))
    return text


def _policy(
    i: int,
    api: ApiOptions,
    project_dir: Path,
    mistakes: list[Mistake],
    *,
    sku: GatewaySku | None,
    kept: Collection[str],
) -> PolicyOptions | None:
    if api.policy is not None:
        mistakes += at("apis", i, "policy", of=check_policy(api.policy, sku=sku, kept=kept))
    if api.policy_file is None:
        return api.policy
    name = api.policy_file
    try:
        text = _read(project_dir / name, "text; name a policy document")
        return policy_document(text, sku=sku, kept=kept)
    except ValueError as error:
        mistakes.append(Mistake(key=("apis", i, "policyFile"), value=name, problem=str(error)))
        return None


def _read(file: Path, of: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); name a file relative to the project's folder") from None
    except ValueError:  # not UTF-8, or a null character in the name
        raise ValueError(f"is not a file of {of}") from None
