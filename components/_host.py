"""The component host for other languages: Pulumi's own, with stricter checks of the inputs."""

import json
from inspect import cleandoc
from typing import Any

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.analyzer import PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError


class ComponentHost(ComponentProvider):
    """Serves components, and refuses inputs that Pulumi's own host would silently drop.

    That host ignores a property that is not in the schema, and replaces an object that it cannot read with an empty
    one: `entra` given as an Output or a secret would publish an API that requires none of the roles in it.
    """

    def __init__(self, components: list[type[pulumi.ComponentResource]], name: str, *, version: str) -> None:
        """Infer the schema, with descriptions that are the same in all versions of Python.

        Up to Python 3.12 the lines of a class's docstring after the first have the indentation of the source.
        """
        super().__init__(components, name, version=version)
        schema = json.loads(self.schema or "")
        for described in (*schema["resources"].values(), *schema["types"].values()):
            if "description" in described:
                described["description"] = cleandoc(described["description"])
        self.schema = json.dumps(schema)

    def map_input_properties(
        self,
        inputs: pulumi.Inputs,
        properties: dict[str, PropertyDefinition],
        mapping: dict[str, str],
        component_name: str,
        property_path: str,
    ) -> pulumi.Inputs:
        """Convert the names of the inputs to Python's.

        Raises:
            InputPropertiesError: An input is unknown, has the wrong shape, or is an Output where a value is needed.
            InputPropertyError: An input is missing, or is not one of the allowed values.

        """
        for name, value in inputs.items():
            path = f"{property_path}.{name}" if property_path else name
            if name not in properties:
                raise _refusal(f"{path} is not a known property; allowed: {', '.join(properties)}")
            self._check(path, value, properties[name])
        return super().map_input_properties(inputs, properties, mapping, component_name, property_path)

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Construct a component; a mistake in its inputs is reported by message only, without a traceback."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, pulumi.RunError | ValueError):
                raise _refusal(str(error.inner)) from None
            raise

    def _check(self, path: str, value: Any, definition: PropertyDefinition) -> None:
        if definition.plain and isinstance(value, pulumi.Output | pulumi.output.Unknown):
            reason = "is an Output or a secret, but must be known before the deployment; give it as a plain value"
            raise _refusal(f"{path} {reason}")
        if definition.type is PropertyType.INTEGER and isinstance(value, float) and not value.is_integer():
            raise _refusal(f"{path} is {value}, but must be a whole number")
        kind = self.get_type_definition(definition) if definition.ref else None
        if kind is not None and not kind.enum and not isinstance(value, dict):
            raise _refusal(f"{path} is given where an object is expected")
        if isinstance(value, list) and definition.items is not None:
            for index, item in enumerate(value):
                self._check(f"{path}[{index}]", item, definition.items)
        elif isinstance(value, dict) and definition.additional_properties is not None:
            for key, item in value.items():
                self._check(f"{path}.{key}", item, definition.additional_properties)


def _refusal(message: str) -> InputPropertiesError:
    """Return an error without a separate property name, for which the engine would print the value, even a secret."""
    return InputPropertiesError(message, [])
