"""What the providers declare, and where."""

import re
from importlib import import_module

import pytest

from apim_emulator.azure import functions, resource_types
from apim_emulator.azure.resource_types import ResourceType


def room(token: str) -> str:
    """Package of the provider that a token names."""
    package, module, _ = token.split(":")
    namespace = module if package == "azure-native" else package
    return f"apim_emulator.azure.providers.{namespace}"


def snake_case(name: str) -> str:
    return re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize("token", resource_types())
def test_a_type_is_declared_in_the_file_that_is_called_after_it(token: str) -> None:
    module = import_module(f"{room(token)}.{snake_case(token.rsplit(':', 1)[1])}")
    declared = [found for found in vars(module).values() if isinstance(found, ResourceType)]

    assert (module.TYPE, declared) == (resource_types()[token], [resource_types()[token]])


@pytest.mark.parametrize("token", resource_types())
def test_a_provider_names_its_types(token: str) -> None:
    assert token in vars(import_module(room(token))).values()


def test_functions_are_of_providers_that_have_types() -> None:
    assert functions()
    assert {room(token) for token in functions()} <= {room(token) for token in resource_types()}
