"""Options as they arrive: dataclasses from Python, plain mappings from another language."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pulumi
from pydantic import ConfigDict, TypeAdapter, ValidationError

from options import Mistake, Warn, mistakes_in
from options.mistakes import first_of_each

T = TypeVar("T")


def read_options(kind: type[T], value: T | Mapping[str, Any], at: str) -> T:
    """Return `value`, the input named `at`, as a `kind` that obeys all of its rules.

    The component host hands over nested options as mappings with floats for integers; pydantic makes them whole. What
    is None was left out, and its default applies.

    Raises:
        pulumi.RunError: A value is missing, unknown, of the wrong type, or breaks a rule; all of them are listed.

    """
    if isinstance(value, kind):
        made = value
    else:
        # In a list, since pydantic takes the rule on unknown keys for what holds a dataclass, not for the dataclass.
        adapter = TypeAdapter(list[kind], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]
        try:
            made = adapter.validate_python([_given(value)])[0]
        except ValidationError as error:
            # Without the values: one may be a secret.
            sentences = [_sentence(detail, at) for detail in error.errors(include_input=False)]
            raise pulumi.RunError("; ".join(sentences)) from None
    mistakes = [mistake.under(at) for mistake in first_of_each(mistakes_in(made)).values()]
    if made is not value:  # this project's own program has told its warnings already, in the words of its config
        for warning in mistakes:
            if isinstance(warning, Warn):
                pulumi.log.warn(warning.line(_spell))
    raise_mistakes(mistakes)
    return made


def raise_mistakes(mistakes: Iterable[Mistake]) -> None:
    """Raise one error that lists all mistakes; warnings are none."""
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
