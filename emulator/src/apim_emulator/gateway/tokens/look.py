"""A look at a token for whoever follows the call: what it says beside what is demanded, never the token itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from apim_emulator.csharp import EvaluationError
from apim_emulator.gateway.context.objects import claim_values
from apim_emulator.gateway.tokens.claims import Demand, date
from apim_emulator.gateway.tokens.strict import RawToken, TokenError
from apim_emulator.gateway.witness import Demanded, witness

_TIMES = frozenset({"exp", "nbf", "iat"})


@dataclass(slots=True)
class Look:
    """What a policy has found out about a token so far."""

    token: RawToken | None = field(default=None, repr=False)
    signers: Sequence[str] = ()
    """What may have signed it, in words."""
    demands: Callable[[], Iterable[Demand]] = tuple
    signature_wrong: bool = True
    """Whether no key that is accepted was found to have signed it, as far as was looked."""

    def tell(self, *, accepted: bool) -> None:
        """Tell who follows the call; nothing is worked out where nobody does."""
        found = witness.get()
        if found is not None and self.token is not None:
            found.checked(list(self._rows(self.token)), accepted=accepted)

    def _rows(self, token: RawToken) -> Iterator[Demanded]:
        key = "" if token.key_id is None else f", key ID {token.key_id}"
        wanted = " or ".join(self.signers) or "a key that the policy accepts"
        yield Demanded("signature", [f"{token.algorithm}{key}"], wanted, not self.signature_wrong)
        told = set()
        for demand in self._made():
            told.add(demand.claim)
            yield Demanded(demand.claim, _values(token, demand.claim), _wanted(demand), _holds(demand))
        for name in token.payload:
            if name not in told:
                yield Demanded(name, _values(token, name), None, ok=True)

    def _made(self) -> Iterator[Demand]:
        """Give the demands up to the first that an expression fails to make: to be followed changes no call."""
        try:
            yield from self.demands()
        except EvaluationError:
            return


def _wanted(demand: Demand) -> str:
    try:
        return demand.wanted()
    except EvaluationError:
        return "what an expression gives that failed"


def _holds(demand: Demand) -> bool:
    try:
        demand.check()
    except (TokenError, EvaluationError):
        return False
    return True


def _values(token: RawToken, name: str) -> list[str]:
    value = token.payload.get(name)
    if name in _TIMES and isinstance(value, int | float):
        try:
            return [date(value)]
        except (ValueError, OverflowError, OSError):
            return [str(value)]
    return claim_values(value)
