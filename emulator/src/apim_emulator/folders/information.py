"""What the `...Information.json` files of a folder say: properties as Azure Resource Manager has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from apim_emulator.errors import EmulatorError
from apim_emulator.files import UniqueKeys, yaml_mistake
from apim_emulator.folders.named_values import read_text


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in a file that is no policy document."""

    file: Path
    text: str
    """With the key where there is one; no value is quoted."""
    place: tuple[int, int] | None = None
    """Line and column, both counted from 1, where they are known."""

    def __str__(self) -> str:
        """One line for a person."""
        return f"{':'.join(map(str, (self.file, *(self.place or ()))))}: {self.text}"


class Properties(BaseModel):
    """Properties of a resource; those that the gateway does not look at may be anything."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class KeyNames(Properties):
    """Names of the header and of the query parameter with the subscription key."""

    header: StrictStr | None = None
    query: StrictStr | None = None


class ApiProperties(Properties):
    """Of `apiInformation.json`."""

    path: StrictStr = ""
    service_url: StrictStr | None = None
    subscription_required: StrictBool = True
    subscription_key_parameter_names: KeyNames | None = None
    type: StrictStr | None = None
    api_version: StrictStr | None = None
    api_version_set_id: StrictStr | None = None
    is_current: StrictBool = True


class ProductProperties(Properties):
    """Of `productInformation.json`."""

    subscription_required: StrictBool = True
    state: StrictStr = "notPublished"


class NamedValueProperties(Properties):
    """Of `namedValueInformation.json`; an extracted secret has no value."""

    display_name: StrictStr | None = None
    value: StrictStr | None = Field(default=None, repr=False)
    secret: StrictBool = False
    key_vault: Mapping[str, Any] | None = None


class SubscriptionProperties(Properties):
    """Of `subscriptionInformation.json`."""

    scope: StrictStr
    state: StrictStr = "active"


class VersionSetProperties(Properties):
    """Of `versionSetInformation.json`."""

    versioning_scheme: StrictStr = "Segment"


class Identity(Properties):
    """The managed identity with which the gateway authenticates to a backend."""

    resource: StrictStr
    client_id: StrictStr | None = None


class Credentials(Properties):
    """What a call to a backend is given."""

    header: Mapping[str, list[StrictStr]] | None = Field(default=None, repr=False)
    query: Mapping[str, list[StrictStr]] | None = Field(default=None, repr=False)
    managed_identity: Identity | None = None


class Member(Properties):
    """A backend in a pool."""

    id: StrictStr
    priority: StrictInt | None = None
    weight: StrictInt | None = None


class Pool(Properties):
    """The backends of a pool."""

    services: list[Member] = []


class BackendProperties(Properties):
    """Of `backendInformation.json`."""

    url: StrictStr | None = None
    credentials: Credentials | None = None
    pool: Pool | None = None
    circuit_breaker: Mapping[str, Any] | None = None


P = TypeVar("P", bound=Properties)
_WANTED = {
    "bool": "true or false", "dict": "a mapping", "int": "a whole number", "list": "a list", "mapping": "a mapping",
    "model": "a mapping", "string": "text",
}  # fmt: skip
"""What pydantic's types are in JSON."""


def read_json_or_yaml(path: Path) -> Any:
    """Read a file by its ending; raises `EmulatorError` with the place of what is wrong."""
    text = read_text(path)
    try:
        return json.loads(text) if path.suffix.lower() == ".json" else yaml.load(text, UniqueKeys)  # noqa: S506
    except json.JSONDecodeError as error:
        raise EmulatorError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        raise EmulatorError(yaml_mistake(path, error)) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise EmulatorError(f"{path}: not {'JSON' if path.suffix.lower() == '.json' else 'YAML'}") from None


def properties(kind: type[P], content: Any, path: Path, mistakes: list[Mistake]) -> P | None:
    """Check the properties that a file has of a resource; None where there are mistakes, which are added."""
    own = content.get("properties") if isinstance(content, dict) else None
    if not isinstance(own, dict):
        mistakes.append(Mistake(path, "must be an object with properties, as Azure Resource Manager has it"))
        return None
    try:
        return kind.model_validate(own)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            key = ("properties", *one["loc"])
            wanted = _WANTED.get(one["type"].removesuffix("_type"))
            missing = "is missing; it is required" if one["type"] == "missing" else one["msg"]
            text = f"{'.'.join(map(str, key))}: {missing if wanted is None else f'must be {wanted}'}"
            mistakes.append(Mistake(path, text, _place(path, key)))
        return None


def _place(path: Path, key: tuple[str | int, ...]) -> tuple[int, int] | None:
    """Find the line and column of a key, or of what should hold it; JSON is read as the YAML that it is, too."""
    try:
        node = yaml.compose(read_text(path), UniqueKeys)
    except (EmulatorError, yaml.YAMLError, RecursionError, ValueError):
        return None
    mark = None if node is None else node.start_mark
    for part in key:
        if isinstance(node, yaml.MappingNode):
            found = next(((name, inner) for name, inner in node.value if name.value == part), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
    return None if mark is None else (mark.line + 1, mark.column + 1)
