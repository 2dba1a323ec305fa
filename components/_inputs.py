"""Reads the options among a component's inputs: dataclasses from Python, mappings from other languages."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pulumi
from pydantic import ConfigDict, TypeAdapter, ValidationError

from options import Mistake, Surface, Warn, mistakes_in
from options.mistakes import first_of_each

T = TypeVar("T")


def read_options(kind: type[T], value: T | Mapping[str, Any], at: str) -> T:
    """Return `value`, the input named `at`, as a `kind` that follows all of its rules.

    The component host passes nested options as mappings with floats for integers, which pydantic converts. Values that
    are None get their defaults.

    Raises:
        pulumi.RunError: Values are missing, unknown, of the wrong type, or break a rule; all of them are listed.

    """
    if isinstance(value, kind):
        made = value
    else:
        # In a list, since pydantic applies the rule on unknown keys to what contains a dataclass, not to the dataclass.
        adapter = TypeAdapter(list[kind], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]
        try:
            made = adapter.validate_python([_given(value)])[0]
        except ValidationError as error:
            # Without the values, which may be secret.
            sentences = [_sentence(detail, at) for detail in error.errors(include_input=False)]
            raise pulumi.RunError("; ".join(sentences)) from None
    mistakes = [mistake.under(at) for mistake in first_of_each(mistakes_in(made)).values()]
    if made is not value:  # this project's own program has already logged its warnings, with its config keys
        for warning in mistakes:
            if isinstance(warning, Warn):
                pulumi.log.warn(warning.line(_spell))
    raise_mistakes(mistakes)
    return made


def surface_of(args: Mapping[str, Any]) -> Surface:
    """Return the surface of Azure OpenAI that an API publishes, from its input `surface`."""
    return Surface(args.get("surface") or Surface.DATED)


def raise_mistakes(mistakes: Iterable[Mistake]) -> None:
    """Raise one error that lists all mistakes except warnings, if there are any."""
    if errors := [mistake.line(_spell) for mistake in mistakes if not isinstance(mistake, Warn)]:
        raise pulumi.RunError("\n".join(errors))


def _spell(key: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


def _given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _sentence(detail: Any, at: str) -> str:
    return f"{'.'.join(map(str, (at, *detail['loc'][1:])))}: {detail['msg']}"
