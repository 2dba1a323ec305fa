"""Functions that a model may call: which it calls, and with what.

A real model calls what helps. The stand-in calls the functions whose names the user's message holds; where a call is
required and none is named, the first one.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from apim_emulator.services.azure_openai.exceptions import AzureOpenAIError, invalid_request
from apim_emulator.services.azure_openai.json_schema import SchemaError, check_strict, instance
from apim_emulator.services.azure_openai.parameters import (
    Json,
    array,
    at_most,
    invalid_value,
    lacking,
    optional,
    refuse_others,
    text,
    wrong_type,
)

MAX_TOOLS = 128
"""Functions in one request."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a request defines."""

    name: str
    parameters: Json | None
    """JSON schema of the arguments, None if there are none."""
    param: str
    """Where the request defines it."""

    def arguments(self, words: str) -> str:
        """JSON text of arguments that validate."""
        if self.parameters is None:
            return "{}"
        try:
            return json.dumps(instance(self.parameters, words))
        except SchemaError as error:
            raise self.refusal(error) from error

    def refusal(self, error: SchemaError) -> AzureOpenAIError:
        """Refusal of the parameters' schema."""
        return invalid_request(
            f"Invalid schema for function '{self.name}': {error}",
            param=f"{self.param}.parameters",
            code="invalid_function_parameters",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """Functions of a request, and which of them are to be called."""

    functions: tuple[Function, ...] = ()
    choice: str = "auto"
    """`none`, `auto`, `required`, or `named` with a name."""
    name: str = ""
    parallel: bool = True
    described: tuple[Json, ...] = field(default=())
    """The functions as the request has them, completed."""

    def called(self, words: str, *, by_user: bool) -> list[Function]:
        """Functions that answer a message: a user's, or a tool's own answer."""
        if self.choice == "named":
            return [next(one for one in self.functions if one.name == self.name)]
        if self.choice == "none" or not (by_user or self.choice == "required"):
            return []
        lower = words.lower()
        found = [one for one in self.functions if one.name.lower() in lower]
        if not found and self.choice == "required":
            found = [self.functions[0]]
        return found if self.parallel else found[:1]


def chat_tools(body: Json) -> Tools:
    """Read `tools`, `tool_choice` and `parallel_tool_calls` of a chat completion."""
    functions = []
    for param, tool in _definitions(body):
        refuse_others(tool, {"type", "function"}, {}, within=f"{param}.")
        definition = tool.get("function")
        if not isinstance(definition, dict):
            raise wrong_type(f"{param}.function", "an object", definition)
        functions.append(_function(definition, f"{param}.function"))
    choice = body.get("tool_choice")
    named = None
    if isinstance(choice, dict):
        refuse_others(choice, {"type", "function"}, {"allowed_tools": None}, within="tool_choice.")
        target = choice.get("function")
        if choice.get("type") != "function":
            raise lacking("tool_choice.type")
        if not isinstance(target, dict):
            raise wrong_type("tool_choice.function", "an object", target)
        refuse_others(target, {"name"}, {}, within="tool_choice.function.")
        named = text(target, "name", within="tool_choice.function.")
    return _tools(body, tuple(functions), choice, named)


def response_tools(body: Json) -> Tools:
    """Read `tools`, `tool_choice` and `parallel_tool_calls` of a response.

    As OpenAI does, a function without `strict` is strict if its parameters allow it.
    """
    functions = []
    described = []
    for param, tool in _definitions(body):
        rest = {key: value for key, value in tool.items() if key != "type"}
        function = _function(rest, param)
        strict = rest.get("strict")
        if strict is None:
            strict = _may_be_strict(function)
        functions.append(function)
        described.append(
            {
                "type": "function",
                "name": function.name,
                "description": rest.get("description"),
                "parameters": rest.get("parameters"),
                "strict": strict,
            }
        )
    choice = body.get("tool_choice")
    named = None
    if isinstance(choice, dict):
        if choice.get("type") != "function":
            raise lacking("tool_choice.type")
        refuse_others(choice, {"type", "name"}, {}, within="tool_choice.")
        named = text(choice, "name", within="tool_choice.")
    return _tools(body, tuple(functions), choice, named, tuple(described))


def _definitions(body: Json) -> list[tuple[str, Json]]:
    if body.get("tools") is None or body["tools"] == []:
        return []
    tools = array("tools", "an array of objects", body["tools"])
    at_most("tools", tools, MAX_TOOLS)
    found = []
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict):
            raise wrong_type(f"tools[{index}]", "an object", tool)
        if text(tool, "type", within=f"tools[{index}].") != "function":
            raise lacking(f"tools[{index}].type")
        found.append((f"tools[{index}]", tool))
    return found


def _function(definition: Json, param: str) -> Function:
    refuse_others(definition, {"name", "description", "parameters", "strict"}, {}, within=f"{param}.")
    name = text(definition, "name", within=f"{param}.")
    if not _NAME.fullmatch(name):
        raise invalid_request(
            f"Invalid '{param}.name': string does not match pattern. Expected a string that matches the pattern"
            " '^[a-zA-Z0-9_-]+$', of 64 characters at most.",
            param=f"{param}.name",
            code="invalid_value",
        )
    optional(definition, "description", str, "a string", within=f"{param}.")
    parameters = optional(definition, "parameters", dict, "an object", within=f"{param}.") or None
    function = Function(name, parameters, param)
    try:
        if optional(definition, "strict", bool, "a boolean", within=f"{param}.") and parameters is not None:
            check_strict(parameters)
        if parameters is not None and parameters.get("type") != "object":
            kind = parameters.get("type")
            raise SchemaError(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind!s:.100}\"'.")
    except SchemaError as error:
        raise function.refusal(error) from error
    return function


def _may_be_strict(function: Function) -> bool:
    try:
        check_strict(function.parameters or {"type": "object", "additionalProperties": False, "required": []})
    except SchemaError:
        return False
    return True


def _tools(
    body: Json, functions: tuple[Function, ...], choice: Any, named: str | None, described: tuple[Json, ...] = ()
) -> Tools:
    parallel = optional(body, "parallel_tool_calls", bool, "a boolean")
    if not functions:
        # Responses has defaults for both, which clients send back
        for param, value in (("tool_choice", choice), ("parallel_tool_calls", parallel)):
            if value not in (None, "none", "auto", True):
                raise invalid_request(
                    f"Invalid value for '{param}': '{param}' is only allowed when 'tools' are specified.", param=param
                )
        return Tools()
    if named is not None:
        if named not in {function.name for function in functions}:
            raise invalid_request(f"Tool choice '{named:.100}' not found in 'tools' parameter.", param="tool_choice")
        choice = "named"
    elif choice is None:
        choice = "auto"
    elif choice not in ("none", "auto", "required"):
        if not isinstance(choice, str):
            raise wrong_type("tool_choice", "a string or an object", choice)
        raise invalid_value("tool_choice", choice, ("none", "auto", "required"))
    return Tools(
        functions=functions,
        choice=choice,
        name=named or "",
        parallel=parallel is not False,
        described=described,
    )
