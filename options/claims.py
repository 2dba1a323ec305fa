"""Rules on the claims that a token must have, whichever provider issues it."""

from collections.abc import Iterator, Mapping

from options.mistakes import Key, Mistake
from options.rules import Rules, chosen, literal, matches


def _claim_names(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, Mapping):
        for name in value:
            for mistake in literal(key, name):
                yield Mistake(key=(*key, chosen(name)), problem=f"has a claim name that {mistake.problem}")


def _not_empty(key: Key, value: object) -> Iterator[Mistake]:
    if value == []:
        yield Mistake(key=key, problem="is empty and would accept any value; list the accepted values")


VALUES: Rules = {
    "required_claims": (_claim_names,),
    "required_claims.*.values": (_not_empty,),
    "required_claims.*.values.*": (literal,),
    "required_claims.*.separator": (matches("[ -~]", "one character, such as a space"),),
}
