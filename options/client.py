"""What a client of a hub's API asks for."""

from collections.abc import Collection, Iterator

from options.mistakes import Mistake


def check_client(given: Collection[str]) -> Iterator[Mistake]:
    """Refuse a client that gets nothing, and a role without all that it takes; `given` are the inputs that are set."""
    if not {"product", "application"} & {*given}:
        problem = "is missing, and so is {0}; name the product for a key, the app registration for a role, or both"
        yield Mistake(key=("product",), problem=problem, about=(("application",),))
    for name, what in (("role", "the app role"), ("principal_id", "the object ID of the client's principal")):
        if "application" in given and name not in given:
            yield Mistake(key=(name,), problem=f"is missing; give {what} for {{0}}", about=(("application",),))
        if name in given and "application" not in given:
            problem = "has no effect without {0}; remove it, or name the app registration"
            yield Mistake(key=(name,), problem=problem, about=(("application",),))
