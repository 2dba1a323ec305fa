"""Rules on the claims that a token must carry, whoever issues it."""

from collections.abc import Iterator, Mapping

from options.mistakes import Key, Mistake
from options.rules import Rules, like, literal, own


def _names_claims(key: Key, value: object) -> Iterator[Mistake]:
    if isinstance(value, Mapping):
        for name in value:
            for mistake in literal(key, name):
                yield Mistake(key=(*key, own(name)), problem=f"has a claim name that {mistake.problem}")


def _demands_something(key: Key, value: object) -> Iterator[Mistake]:
    if value == []:
        yield Mistake(key=key, problem="is empty and would let any value in; list the values that are accepted")


VALUES: Rules = {
    "required_claims": (_names_claims,),
    "required_claims.*.values": (_demands_something,),
    "required_claims.*.values.*": (literal,),
    "required_claims.*.separator": (like("[ -~]", "one character, such as a space"),),
}
