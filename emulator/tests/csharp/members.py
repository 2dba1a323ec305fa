"""Every supported member, as the tables of the library declare it, and how C# writes a use of it.

    for one in uses():
        one.signature                  # "string.Substring(int, int)"
        one.types                      # what a use needs: the receiver's type, if any, and the arguments'
        one.written(["(x)", "1", "2"]) # "@((x).Substring(1, 2))"

A member of a generic type, or with type parameters of its own, has a use for each of several choices of them. Values
of the types are in `values`; whoever has values of his own, such as `(string)context.Variables["long"]`, writes them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice, product

import apim_emulator.csharp  # fills the tables
import apim_emulator.gateway.context.members  # noqa: F401 - fills those of `context`
from apim_emulator.csharp.library import table
from apim_emulator.csharp.library.table import Member
from apim_emulator.csharp.types import NAMED, Type, parse, substituted

RECEIVERS = {
    "[]": "int[] string[] byte[] char[]",
    "?": "int? DateTime? bool?",
    "List": "List<int> List<string>",
    "IList": "IList<string>",
    "ICollection": "ICollection<string> ICollection<int>",
    "Dictionary": "Dictionary<string,int> Dictionary<int,string>",
    "IDictionary": "IDictionary<string,IList<string>>",
    "IReadOnlyDictionary": "IReadOnlyDictionary<string,string[]>",
    "HashSet": "HashSet<string> HashSet<int>",
    "KeyValuePair": "KeyValuePair<string,int> KeyValuePair<int,string>",
    "IGrouping": "IGrouping<int,string> IGrouping<string,int>",
}
"""Types with type arguments whose members are used, by the name in the tables."""
ITEMS = ("int", "string", "double", "JToken", "KeyValuePair<string,int>")
"""Types that stand for `T` of sequences."""
CHOICES = {"K": ("int", "string"), "V": ("int", "string"), "R": ("string", "int"), "U": ("string", "int"),
           "A": ("int", "string"), "E": ("int", "string")}  # fmt: skip
"""Types that stand for a method's other type parameters."""
ASKED = {
    "JToken.ToObject": "string int long bool double JToken JObject JArray string[] List<string>",
    "JToken.Value": "string int long bool double JToken JObject object int? DateTime",
    "JToken.Children": "JToken JObject JProperty",
    "JToken.Values": "string int bool JToken",
    "Value": "string int bool double JToken long?",
    "JsonConvert.DeserializeObject": "string int bool double JToken JObject JArray string[]",
    "IMessageBody.As": "string byte[] JObject JArray JToken XElement XDocument",
    "MatchCollection.Cast": "Match",
    "MatchCollection.OfType": "Match",
    "Cast": "JObject JValue JToken",
    "OfType": "JObject JValue JProperty",
    "IVariables.GetValueOrDefault": "string int bool object Jwt",
    "Enumerable.Empty": "int string",
}
"""Types that a caller of a method gives, where no argument tells them."""
_CONSTRAINTS = {
    "equatable": {"int", "string", "char", "byte"},
    "comparable": {"int", "double", "char", "byte"},
    "text": {"string"},
    "container": {"XElement", "XDocument"},
    "node": {"XElement", "XText"},
}
_TURNS = 3
"""How many choices of type arguments a member is used with, at most."""


@dataclass(frozen=True)
class Use:
    """A supported member with concrete types."""

    kind: str
    """`property`, `setter`, `method`, `index`, `index setter`, `new`, `static`, `constant` or `extension`."""
    owner: str
    """The type that has it, as C# writes it; empty for an extension method."""
    name: str
    signature: str
    """What the tables declare."""
    types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """The names of the parameters, by place; empty where the tables give none, and for the receiver."""
    result: str = ""
    given: tuple[str, ...] = ()
    """Type arguments that a caller writes."""
    outs: frozenset[int] = frozenset()
    """Places in `types` that the member fills."""
    expands: bool = False
    """Whether the last of the types is that of a `params` array."""

    @property
    def has_receiver(self) -> bool:
        """Whether the first of the types is what stands before the dot."""
        return self.kind in {"property", "setter", "method", "index", "index setter", "extension"}

    @property
    def needs(self) -> tuple[tuple[str, str], ...]:
        """The type and the role of each value that a use takes."""
        return tuple(
            (type_, role)
            for place, (type_, role) in enumerate(zip(self.types, self.roles, strict=True))
            if place not in self.outs
        )

    def written(self, values: Sequence[str]) -> str:
        """Write the use with a value for each of its needs; what follows the last is taken by `params`.

        What the member changes is given back with what it returns.
        """
        lines, texts = [], iter(values)
        arguments: list[str] = []
        for place, type_ in enumerate(self.types):
            if place in self.outs:
                lines.append(f"{type_} o{place};")
                arguments.append(f"out o{place}")
            else:
                arguments += islice(texts, 1)
        arguments += texts
        if self.kind == "static" and self.result == "void":
            lines += [f"var a{place} = {one};" for place, one in enumerate(arguments)]
            arguments = [f"a{place}" for place in range(len(arguments))]
            return (
                f"@{{ {' '.join(lines)} {self._call(arguments)}; return new object[] {{ {', '.join(arguments)} }}; }}"
            )
        if not lines and not self._changes:
            length = ".Length" if (self.kind, self.name) == ("method", "Encrypt") or self._is_keyed_by_chance else ""
            return f"@({_seen(self._call(arguments), self.result)}{length})"
        kept = [_seen(f"o{place}", self.types[place]) for place in sorted(self.outs)]
        if self._changes:
            lines.append(f"var r = {arguments[0]};")
            arguments[0] = "r"
            kept.append(_seen("r", self.types[0]))
        call = self._call(arguments)
        if self.result == "void" or self.kind in {"setter", "index setter"}:
            return f"@{{ {' '.join(lines)} {call}; return {kept[-1]}; }}"
        return f"@{{ {' '.join(lines)} var v = {call}; return new object[] {{ {', '.join(['v', *kept])} }}; }}"

    @property
    def _is_keyed_by_chance(self) -> bool:
        return self.kind == "new" and self.owner.startswith("HMAC") and not self.types

    @property
    def _changes(self) -> bool:
        """Whether it changes the receiver, or may."""
        if self.kind in {"setter", "index setter"} or (self.result == "void" and self.has_receiver):
            return True
        words = ("Add", "Append", "Clear", "Insert", "Remove", "Replace")
        return self.kind == "method" and self.owner not in _UNCHANGED and self.name.startswith(words)

    def _call(self, arguments: Sequence[str]) -> str:
        types = f"<{', '.join(self.given)}>" if self.given else ""
        if self.kind == "new":
            return f"new {self.owner}({', '.join(arguments)})"
        if self.kind == "constant":
            return f"{self.owner}.{self.name}"
        if self.kind == "static":
            return f"{self.owner}.{self.name}{types}({', '.join(arguments)})"
        receiver, *rest = arguments
        if not _PLAIN.fullmatch(receiver):
            receiver = f"({receiver})"
        if self.kind == "property":
            return f"{receiver}.{self.name}"
        if self.kind == "setter":
            return f"{receiver}.{self.name} = {rest[0]}"
        if self.kind == "index":
            return f"{receiver}[{', '.join(rest)}]"
        if self.kind == "index setter":
            return f"{receiver}[{', '.join(rest[:-1])}] = {rest[-1]}"
        return f"{receiver}.{self.name}{types}({', '.join(rest)})"


_HASHES = tuple(f"{key}{name}" for key in ("", "HMAC") for name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512"))
SEEN = {
    "Ordering": "{0} < 0",
    "CultureOrdering": "{0} == 0",
    **dict.fromkeys(("IApi", "IGateway", "IGroup", "IOperation", "IProduct", "ISubscription", "IUser"), "{0}.Id"),
    **dict.fromkeys(("IClaims", "ICertificates", "IHeaders", "IParameters", "IQuery", "IVariables"), "{0}.Count"),
    **dict.fromkeys(("HMAC", "HashAlgorithm", *_HASHES), "{0}.ComputeHash(new byte[] {{1}})"),
    **dict.fromkeys(("AsymmetricAlgorithm", "RSA"), "{0}?.KeySize"),
    **dict.fromkeys(("RSAEncryptionPadding", "RSASignaturePadding"), "{0} == null"),
    "Authorization": "{0}.AccessToken",
    "BasicAuthCredentials": "{0}?.Password",
    "Encoding": '{0}.GetBytes("\\u00e9")',
    "GroupCollection": "{0}.Count",
    "HashAlgorithmName": "{0}.Name",
    "IDeployment": "{0}.Region",
    "IEnumerable<IGroup>": "{0}.First().Name",
    "ILastError": "{0}.Reason",
    "IMessageBody": "{0}.As<string>()",
    "IRequest": "{0}.Method",
    "IResponse": "{0}.StatusCode",
    "IUrl": "{0}.ToString()",
    "Jwt": "{0}?.Subject",
    "Oid": "{0}.Value",
    "PublicKey": "{0}.Oid.Value",
    "Random": "{0}.Next(9, 9)",
    "Regex": '{0}.Match("b1a22,c").Value',
    "StringComparer": 'new[] {{"a"}}.Contains("A", {0})',
    "X500DistinguishedName": "{0}.Name",
    "X509Certificate": "{0}.Subject",
    "X509Certificate2": "{0}?.Subject",
}
"""What is compared of values that have no text of their own, by their type."""


def _seen(text: str, type_: str) -> str:
    return SEEN.get(type_, "{0}").format(text)


_PLAIN = re.compile(r"""[A-Za-z_][\w.]*|[0-9][\w]*|"(?:[^"\\]|\\.)*"|'[^'\\]'|\([^()]*\([^()]*\)[^()]*\)""")
"""What may stand before a dot without brackets."""
_UNCHANGED = {"string", "DateTime", "DateTimeOffset", "TimeSpan", "Regex"}


@cache
def uses() -> tuple[Use, ...]:
    """List a use of each supported member for each of some choices of its types."""
    return tuple(chain(_of_values(), _of_types(), _constants()))


def signatures() -> frozenset[str]:
    """List the supported members."""
    return frozenset(one.signature for one in uses())


def _of_values() -> Iterator[Use]:
    found: list[tuple[str, str, Member]] = []
    for owner, named in table.PROPERTIES.items():
        found += (("property", owner, one) for one in named.values())
    for owner, named in table.SETTERS.items():
        found += (("setter", owner, one) for one in named.values())
    for owner, several in table.METHODS.items():
        found += (("method", owner, one) for one in chain.from_iterable(several.values()))
    for kind, indexers in (("index", table.INDEXERS), ("index setter", table.INDEX_SETTERS)):
        for owner, members in indexers.items():
            found += ((kind, owner, one) for one in members)
    for kind, owner, one in found:
        for receiver in map(parse, RECEIVERS.get(owner, owner).split(" ")):
            yield from _concrete(kind, owner, one, receiver, has_receiver=True)


def _of_types() -> Iterator[Use]:
    for owner, several in table.STATICS.items():
        for one in chain.from_iterable(several.values()):
            yield from _concrete("static", owner, one, Type(owner))
    for one in chain.from_iterable(table.EXTENSIONS.values()):
        yield from _concrete("extension", "", one, Type.VOID)
    for owner, members in table.CONSTRUCTORS.items():
        for one in members:
            for made in map(parse, RECEIVERS.get(owner, owner).split(" ")):
                yield from _concrete("new", owner, one, made)


def _constants() -> Iterator[Use]:
    for full, (type_, _) in chain(table.CONSTANTS.items(), table.AMBIENT.items()):
        owner, _, name = full.rpartition(".")
        kind = "static" if name.endswith("()") else "constant"
        yield Use(kind, owner, name.removesuffix("()"), full, result=str(type_))


def _arguments(type_: Type) -> dict[str, Type]:
    names = ("K", "T") if type_.name == "IGrouping" else {1: ("T",), 2: ("K", "V")}.get(len(type_.args), ())
    return dict(zip(names, type_.args, strict=True))


def _concrete(kind: str, table_owner: str, one: Member, made: Type, *, has_receiver: bool = False) -> Iterator[Use]:
    """Use a member of a type with each of some choices of its own type parameters."""
    owner = str(made) if table_owner else ""
    bound = _arguments(made)
    name = f"{table_owner}.{one.name}".removeprefix(".")
    told = {variable for parameter in one.parameters for variable in _variables(parameter)}
    explicit = not set(one.generics) <= told
    turns = 0
    for choice in _choices(name, one, explicit):
        types = bound | dict(zip(one.generics, choice, strict=True))
        if not all(str(types[variable]) in _CONSTRAINTS[rule] for variable, rule in one.where if variable in types):
            continue
        turns += 1
        if turns > _TURNS and not explicit:
            return
        first = (owner,) if has_receiver else ()
        declared = (one.type,) if kind == "setter" else one.parameters
        parameters = tuple(str(substituted(parameter, types)) for parameter in declared)
        yield Use(
            kind,
            owner,
            one.name,
            _signature(kind, table_owner, one),
            types=(*first, *parameters),
            roles=(*("" for _ in first), *(one.names or ("",) * len(parameters))),
            result=str(substituted(one.type, types)),
            given=tuple(map(str, choice)) if explicit else (),
            outs=frozenset(place + len(first) for place in one.outs),
            expands=one.expands,
        )


def _choices(name: str, one: Member, explicit: bool) -> Iterable[tuple[Type, ...]]:
    if explicit:
        if name not in ASKED:
            raise AssertionError(f"members.ASKED does not say with which types {name} is called")
        return [(parse(text),) for text in ASKED[name].split(" ")]
    kinds = {variable: sorted(_CONSTRAINTS[rule]) for variable, rule in one.where if rule in {"container", "node"}}
    several = [kinds.get(variable) or (ITEMS if variable == "T" else CHOICES[variable]) for variable in one.generics]
    if len(several) < 2:
        return [tuple(map(parse, choice)) for choice in product(*several)]
    # Each choice of `T` with the others in turn.
    return [
        tuple(parse(options[(turn + place) % len(options)]) for place, options in enumerate(several))
        for turn in range(2 * _TURNS)
    ]


def _variables(type_: Type) -> Iterator[str]:
    if type_.is_variable:
        yield type_.name
    for argument in type_.args:
        yield from _variables(argument)


def _signature(kind: str, owner: str, one: Member) -> str:
    parts = ", ".join(
        f"{'out ' if place in one.outs else ''}{parameter}" for place, parameter in enumerate(one.parameters)
    )
    generics = f"<{', '.join(one.generics)}>" if one.generics else ""
    if kind == "new":
        return f"new {owner}({parts})"
    if kind in {"index", "index setter"}:
        return f"{owner}[{parts}]{' =' if kind == 'index setter' else ''}"
    if kind in {"property", "setter"}:
        return f"{owner}.{one.name}{' =' if kind == 'setter' else ''}"
    return f"{owner}.{one.name}{generics}({parts})".removeprefix(".")


def may_be_named(type_: str) -> bool:
    """Tell whether an expression may name a type."""
    return parse(type_).name in NAMED
