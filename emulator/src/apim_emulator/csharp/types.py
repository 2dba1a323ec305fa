"""The static types of expressions: what decides in C# which member, operator or conversion is meant."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from apim_emulator.csharp.runtime.exceptions import BASES

Frame = list[Any]
"""Storage of one call of a function: the context at 0, then captured variables, parameters and locals."""
Run = Callable[[Frame], Any]


@dataclass(frozen=True, slots=True)
class Type:
    """A C# type: a name and its type arguments. Arrays are named `[]`, nullables `?`, tuples `()`."""

    name: str
    args: tuple["Type", ...] = ()
    names: tuple[str, ...] = ()
    """Member names of an anonymous type or a tuple."""

    STRING: ClassVar["Type"]
    INT: ClassVar["Type"]
    LONG: ClassVar["Type"]
    BYTE: ClassVar["Type"]
    DOUBLE: ClassVar["Type"]
    BOOL: ClassVar["Type"]
    CHAR: ClassVar["Type"]
    OBJECT: ClassVar["Type"]
    NULL: ClassVar["Type"]
    VOID: ClassVar["Type"]
    CONTEXT: ClassVar["Type"]

    def __str__(self) -> str:
        if self.name == "[]":
            return f"{self.args[0]}[]"
        if self.name == "?":
            return f"{self.args[0]}?"
        arguments = ", ".join(map(str, self.args))
        if self.name in {"()", "anonymous"}:
            return f"({arguments})" if self.name == "()" else "anonymous type"
        return f"{self.name}<{arguments}>" if self.args else self.name

    @property
    def is_value(self) -> bool:
        """Whether it is a value type, one that `object` boxes."""
        return self.name in VALUE_TYPES or self.name in ENUMS

    @property
    def is_nullable(self) -> bool:
        """Whether it is `T?` of a value type."""
        return self.name == "?"

    @property
    def is_reference(self) -> bool:
        """Whether a value may be null and `?.` may follow."""
        return not self.is_value and self.name != "void"

    @property
    def is_integral(self) -> bool:
        """Whether it is an integer type; `char` is not counted."""
        return self.name in RANGES

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic takes it: integers, `char` and `double`."""
        return self.name in RANGES or self.name in {"char", "double"}

    def bases(self) -> Iterator["Type"]:
        """Yield the type and what it derives from, nearest first."""
        yield self
        if self.name == "[]":
            yield from Type("IList", self.args).bases()
        elif self.name in _DECLARED:
            variables, parents = _DECLARED[self.name]
            bound = dict(zip(variables, self.args, strict=True))
            for parent in parents:
                yield from substituted(parent, bound).bases()

    def lookup(self) -> Iterator["Type"]:
        """Yield the types whose members it has; an array hides those of its interfaces."""
        return iter((self,)) if self.name == "[]" else self.bases()

    def base(self, name: str) -> "Type | None":
        """Find what it derives from by name, itself included."""
        return next((found for found in self.bases() if found.name == name), None)

    def refers_to(self, target: "Type") -> bool:
        """Whether a reference of this type is also one of the target's: identity, inheritance, covariance."""
        if target == Type.OBJECT:
            return self.is_reference and not self.is_nullable
        if self == Type.NULL:
            return target.is_reference
        found = self.base(target.name)
        if found is None:
            return False
        return found == target or (
            target.name in {"IEnumerable", "IGrouping"}
            and all(
                one == other or (one.is_reference and one.refers_to(other))
                for one, other in zip(found.args, target.args, strict=True)
            )
        )

    @property
    def is_variable(self) -> bool:
        """Whether it stands for a type, as `T` in the tables of members."""
        return len(self.name) == 1 and self.name.isupper()


def substituted(type_: Type, bound: dict[str, Type]) -> Type:
    """Put types in the place of type variables."""
    if type_.is_variable:
        return bound.get(type_.name, type_)
    if not type_.args:
        return type_
    return Type(type_.name, tuple(substituted(argument, bound) for argument in type_.args), type_.names)


_TOKEN = re.compile(r"\s*([A-Za-z_][\w.]*|\[\]|[<>,?()])")


@lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """Read a type as C# writes it; raises `ValueError` for anything else."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise ValueError(text)
    type_, rest = _parse(tokens)
    if rest:
        raise ValueError(text)
    return type_


def split_types(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    found, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    last = text[start:].strip()
    return [*found, last] if last else found


def _parse(tokens: list[str]) -> tuple[Type, list[str]]:
    name, rest = tokens[0], tokens[1:]
    arguments: list[Type] = []
    if name == "(":
        rest, name = ["<", *rest], "()"
    elif not name[0].isalpha() and name[0] != "_":
        raise ValueError(name)
    if rest[:1] == ["<"]:
        while rest[:1] and rest[0] in {"<", ","}:
            if len(rest) == 1:
                raise ValueError(name)
            argument, rest = _parse(rest[1:])
            arguments.append(argument)
        if rest[:1] != [")" if name == "()" else ">"]:
            raise ValueError(name)
        rest = rest[1:]
    namespace, _, short = name.rpartition(".")
    if namespace and namespace != NAMESPACES.get(short, "System"):
        raise ValueError(name)
    type_ = Type(ALIASES.get(short, short), tuple(arguments))
    if type_.name == "Nullable":
        type_ = Type("?", type_.args)
    while rest[:1] and rest[0] in {"[]", "?"}:
        type_, rest = Type(rest[0], (type_,)), rest[1:]
    return type_, rest


ALIASES = {
    "String": "string",
    "Int32": "int",
    "Int64": "long",
    "Int16": "short",
    "UInt32": "uint",
    "UInt64": "ulong",
    "UInt16": "ushort",
    "Byte": "byte",
    "SByte": "sbyte",
    "Boolean": "bool",
    "Object": "object",
    "Char": "char",
    "Double": "double",
}
"""Names of .NET for C#'s keywords."""

NAMESPACES = {
    **dict.fromkeys(("List", "Dictionary", "HashSet", "IEnumerable", "IList"), "System.Collections.Generic"),
    **dict.fromkeys(("IDictionary", "ICollection", "KeyValuePair"), "System.Collections.Generic"),
    "Enumerable": "System.Linq",
    "WebUtility": "System.Net",
    **dict.fromkeys(("Encoding", "StringBuilder"), "System.Text"),
    **dict.fromkeys(("Regex", "Match", "Group", "RegexOptions", "MatchCollection"), "System.Text.RegularExpressions"),
    **dict.fromkeys(("JsonConvert", "Formatting", "JsonException", "JsonReaderException"), "Newtonsoft.Json"),
    **dict.fromkeys(("JToken", "JObject", "JArray", "JProperty", "JValue", "JContainer"), "Newtonsoft.Json.Linq"),
    "JTokenType": "Newtonsoft.Json.Linq",
    "XmlNodeType": "System.Xml",
    **dict.fromkeys(("XName", "XNamespace", "XObject", "XNode", "XContainer", "XElement"), "System.Xml.Linq"),
    **dict.fromkeys(("XDocument", "XText", "XCData", "XComment", "XProcessingInstruction"), "System.Xml.Linq"),
    **dict.fromkeys(("XAttribute", "XDeclaration", "LoadOptions", "SaveOptions"), "System.Xml.Linq"),
    **dict.fromkeys(
        (
            "HashAlgorithm",
            *(f"{key}{name}" for key in ("", "HMAC") for name in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512")),
            *("AsymmetricAlgorithm", "HashAlgorithmName", "Oid", "RSA", "RSACng"),
            *("RSAEncryptionPadding", "RSASignaturePadding"),
        ),
        "System.Security.Cryptography",
    ),
    **dict.fromkeys(
        (
            "PublicKey",
            "X500DistinguishedName",
            "X509Certificate",
            "X509Certificate2",
            "X509ContentType",
            "X509NameType",
        ),
        "System.Security.Cryptography.X509Certificates",
    ),
}
"""Namespaces of types outside `System`."""

RANGES = {
    "sbyte": (-(2**7), 2**7 - 1),
    "byte": (0, 2**8 - 1),
    "short": (-(2**15), 2**15 - 1),
    "ushort": (0, 2**16 - 1),
    "int": (-(2**31), 2**31 - 1),
    "uint": (0, 2**32 - 1),
    "long": (-(2**63), 2**63 - 1),
    "ulong": (0, 2**64 - 1),
}
"""Smallest and largest value of the integer types."""

VALUE_TYPES = {
    *RANGES,
    "char",
    "double",
    "bool",
    "Guid",
    "DateTime",
    "DateTimeOffset",
    "HashAlgorithmName",
    "TimeSpan",
    "KeyValuePair",
    "()",
}
ENUMS = {
    "DateTimeKind",
    "DayOfWeek",
    "Formatting",
    "JTokenType",
    "LoadOptions",
    "MidpointRounding",
    "RegexOptions",
    "SaveOptions",
    "StringComparison",
    "StringSplitOptions",
    "X509ContentType",
    "X509NameType",
    "XmlNodeType",
}

_DECLARATIONS = """
string: IEnumerable<char>
IEnumerable<T>
IOrderedEnumerable<T>: IEnumerable<T>
IGrouping<K, T>: IEnumerable<T>
ICollection<T>: IEnumerable<T>
IList<T>: ICollection<T>
List<T>: IList<T>
HashSet<T>: ICollection<T>
IReadOnlyDictionary<K, V>: IEnumerable<KeyValuePair<K, V>>
IDictionary<K, V>: ICollection<KeyValuePair<K, V>>
Dictionary<K, V>: IDictionary<K, V>
JToken: IEnumerable<JToken>
JContainer: JToken
JArray: JContainer
JObject: JContainer
JProperty: JContainer
JValue: JToken
Group
Match: Group
XObject
XNode: XObject
XContainer: XNode
XElement: XContainer
XDocument: XContainer
XText: XNode
XCData: XText
XComment: XNode
XProcessingInstruction: XNode
XAttribute: XObject
HashAlgorithm
SHA1: HashAlgorithm
SHA256: HashAlgorithm
SHA384: HashAlgorithm
SHA512: HashAlgorithm
MD5: HashAlgorithm
HMAC: HashAlgorithm
HMACMD5: HMAC
HMACSHA1: HMAC
HMACSHA256: HMAC
HMACSHA384: HMAC
HMACSHA512: HMAC
AsymmetricAlgorithm
RSA: AsymmetricAlgorithm
RSACng: RSA
RSAEncryptionPadding
RSASignaturePadding
Oid
PublicKey
X500DistinguishedName
X509Certificate
X509Certificate2: X509Certificate
"""


def _declared(line: str) -> tuple[str, tuple[tuple[str, ...], tuple[Type, ...]]]:
    head, _, tail = line.partition(":")
    type_ = parse(head)
    return type_.name, (tuple(argument.name for argument in type_.args), (parse(tail),) if tail else ())


_DECLARED = dict(map(_declared, _DECLARATIONS.strip().splitlines()))

for _name in ("string", "int", "long", "byte", "double", "bool", "char", "object", "void"):
    setattr(Type, _name.upper(), Type(_name))
Type.NULL = Type("<null>")
Type.CONTEXT = Type("context")


def array(element: Type) -> Type:
    """Make `element[]`."""
    return Type("[]", (element,))


NAMED: dict[str, int] = {
    **dict.fromkeys((*RANGES, "char", "double", "bool", "string", "object", "Guid", *ENUMS), 0),
    **dict.fromkeys(("DateTime", "DateTimeOffset", "TimeSpan", "Uri", "StringBuilder", "Random", "Exception"), 0),
    **dict.fromkeys(("Regex", "MatchCollection", "GroupCollection", "Encoding", "HashAlgorithmName"), 0),
    **dict.fromkeys(("XName", "XNamespace", "XDeclaration"), 0),
    **{name: len(variables) for name, (variables, _) in _DECLARED.items()},
    **dict.fromkeys(BASES, 0),
    "[]": 1,
    "?": 1,
    "KeyValuePair": 2,
    "Predicate": 1,
}
"""Types that an expression may name, and how many type arguments each has."""


def declare(head: str, *, nameable: bool = True) -> None:
    """Add a type, such as `IHeaders: IReadOnlyDictionary<string, string[]>`; `nameable`: expressions may name it."""
    type_, declared = _declared(head)
    _DECLARED[type_] = declared
    if nameable:
        NAMED[type_] = len(declared[0])


Unassigned = frozenset[Any]
"""Local variables that may have no value yet."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A compiled expression: its static type, how to evaluate it, and what C# knows of it at compile time."""

    type: Type
    run: Run
    constant: Any = None
    """Its value, where it is a constant."""
    when: tuple[Unassigned, Unassigned] | None = field(default=None, compare=False)
    """Variables that may have no value yet where it is true and where it is false, if these differ."""
