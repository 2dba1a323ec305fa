"""Reads stack config as settings, and reports all mistakes in one error before any resource is created.

The keys are those of `Pulumi.yaml`, in the namespace `openai-gateway`, and `azure-native:location`.
"""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from options.mistakes import Warn
from settings.files import ApiTexts, read_texts
from settings.mistakes import LOCATION, NAMESPACE, SettingsError, in_order, line
from settings.resolve import ApiSettings, Settings, resolve, resolve_redis
from settings.rules import (
    check_accounts,
    check_budget,
    check_effect,
    check_keys,
    check_location,
    check_namespaces,
    check_stack,
    check_teams_access,
    check_tree,
)
from settings.schema import Stack, canonical, parse

_DATE = re.compile(r"(\d{4}-\d\d-\d\d) 00:00:00 \+0000 UTC")

__all__ = ["ApiSettings", "Settings", "SettingsError", "from_stack", "load"]


def from_stack() -> Settings:
    """Return the settings of the stack that Pulumi runs.

    Raises:
        pulumi.RunError: the config has mistakes; Pulumi prints the message without a traceback.

    """
    # Imported here, so that a command that only checks a config file does not wait for Pulumi's imports.
    import pulumi  # noqa: PLC0415
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    keys = {*get_config_env(), *CONFIG.get()}
    values = {key: _decoded(pulumi.runtime.get_config(key)) for key in sorted(keys)}
    secret_keys = {key for key in keys if pulumi.runtime.is_config_secret(key)}
    try:
        return load(values, Path(pulumi.get_root_directory()), secret_keys=secret_keys)
    except SettingsError as error:
        raise pulumi.RunError(f"the stack's config has mistakes; nothing was deployed:\n{error}") from None


def load(values: Mapping[str, Any], project_dir: Path, *, secret_keys: Collection[str] = ()) -> Settings:
    """Return the settings that stack config describes.

    Args:
        values: decoded values by full key, such as `openai-gateway:auth`; keys of other namespaces are ignored.
        project_dir: folder to which the paths of definition and policy files are relative.
        secret_keys: full keys whose values must not appear in a message.

    Raises:
        SettingsError: the config has mistakes; all of them are listed.

    """
    config = {str(key): _as_typed(value) for key, value in values.items()}
    prefix = f"{NAMESPACE}:"
    tree = canonical({key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)})
    location = config.get(LOCATION)

    stack, wrong, mistakes = parse(tree)
    mistakes += check_tree(tree)
    mistakes += check_namespaces(config)
    mistakes += check_location(location)
    mistakes += check_stack(stack, wrong, location)
    texts: list[ApiTexts] = []
    if "apis" not in wrong:
        texts, unreadable = read_texts(stack, project_dir, wrong)
        mistakes += unreadable
    apis: list[ApiSettings] = []
    # Rules across keys make sense only if each of the keys has the right shape.
    if not wrong & set(Stack.model_fields):
        apis = [resolve(stack, api, found) for api, found in zip(stack.apis, texts, strict=True)]
        mistakes += check_effect(stack, apis)
        mistakes += check_accounts(stack, apis)
        mistakes += check_budget(stack, apis)
        mistakes += check_keys(stack, apis)
        mistakes += check_teams_access(stack, apis)

    mistakes = in_order(mistakes)
    if errors := [mistake for mistake in mistakes if not isinstance(mistake, Warn)]:
        raise SettingsError(errors, secret_keys=secret_keys)
    return Settings(
        location=str(location),
        gateway=stack.gateway,
        openai=stack.openai,
        apis=tuple(apis),
        redis=resolve_redis(stack, apis),
        teams=tuple(stack.teams),
        token_policies=stack.token_policies,
        network=stack.network,
        protect=stack.protect,
        observability=stack.observability,
        warnings=tuple(line(warning, secret_keys) for warning in mistakes),
    )


def _decoded(value: Any) -> Any:
    """Return a config value as in YAML: Pulumi passes mappings and lists as JSON text."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _as_typed(value: Any) -> Any:
    """Return a config value with its dates as typed, such as a model's version without quotes.

    YAML reads `2024-11-20` as a timestamp, which the engine passes as `2024-11-20 00:00:00 +0000 UTC`
    (`sdk/go/common/resource/config/object.go`). The digits of a number cannot be restored, so a number is refused where
    text is expected.
    """
    if isinstance(value, str) and (date := _DATE.fullmatch(value)):
        return date[1]
    if isinstance(value, Mapping):
        return {key: _as_typed(item) for key, item in value.items()}
    return [_as_typed(item) for item in value] if isinstance(value, list) else value
