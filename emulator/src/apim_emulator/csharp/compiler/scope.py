"""What the compiler knows while it goes through one expression: names, frames and which variables have a value."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tree_sitter import Node

from apim_emulator.csharp.compiler import conversions
from apim_emulator.csharp.compiler.syntax import Source
from apim_emulator.csharp.runtime.exceptions import ExpressionError
from apim_emulator.csharp.types import NAMED, Frame, Run, Type, Typed, Unassigned, parse

FUNCTIONS = {"lambda_expression", "local_function_statement", "anonymous_method_expression"}
"""Syntax that makes a function of its own."""


@dataclass(eq=False, slots=True)
class Variable:
    """A local variable or parameter."""

    name: str
    type: Type
    function: "Function"
    slot: int
    shared: bool
    """Whether a function inside refers to it, so that it lives in a cell of its own."""
    fixed: str | None = None
    """Why nothing may be assigned to it, such as a constant."""
    constant: object = None


class Function:
    """The frame of a function that is being compiled: the whole expression, a lambda or a local function."""

    def __init__(self, node: Node, text: Callable[[Node], str], parent: "Function | None" = None) -> None:
        """Start with the context alone; `parent` is the function around it."""
        self.parent = parent
        self.size = 1
        self.result: Type | None = None
        """What `return` must give; None: what it gives is what the function gives."""
        self.returned: list[Type] = []
        self.captured: list[tuple[int, int]] = []
        """Slots of the parent whose cells it takes, each with its own slot."""
        self._own: dict[Variable, int] = {}
        self._inner = _names_inside(node, text)

    def slot(self) -> int:
        """Reserve a place in the frame."""
        self.size += 1
        return self.size - 1

    def declare(self, name: str, type_: Type) -> Variable:
        """Make a variable."""
        return Variable(name, type_, self, self.slot(), name in self._inner)

    def place(self, variable: Variable) -> int:
        """Find the slot of a variable, captured from the functions around if need be."""
        if variable.function is self:
            return variable.slot
        if variable not in self._own:
            assert self.parent is not None  # noqa: S101 - the outermost function owns what is left
            outer = self.parent.place(variable)
            self._own[variable] = self.slot()
            self.captured.append((outer, self._own[variable]))
        return self._own[variable]


def _names_inside(node: Node, text: Callable[[Node], str]) -> set[str]:
    """Names that functions inside a function refer to."""
    found: set[str] = set()
    stack = [(child, False) for child in node.children]
    while stack:
        current, inside = stack.pop()
        inside = inside or current.type in FUNCTIONS
        if inside and current.type == "identifier":
            found.add(text(current))
        stack.extend((child, inside) for child in current.children)
    return found


@dataclass(slots=True)
class Block:
    """The names of one block; C# forbids a name that a block inside has had already."""

    names: dict[str, Variable]
    own: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Loop:
    """A loop or a switch statement: what may have no value at each of its breaks."""

    is_switch: bool = False
    breaks: list[Unassigned] = field(default_factory=list)


Execute = Callable[[Frame], object]
"""Runs a statement; gives `ON` to go on with the next one, or what `return` gives."""
Rule = Callable[["Compiler", Node], Typed]
StatementRule = Callable[["Compiler", Node], tuple[Execute, bool]]
"""Gives how to run a statement, and whether the next one can be reached."""
STATEMENTS: dict[str, StatementRule] = {}
"""How each kind of statement is compiled."""
RULES: dict[str, Rule] = {}
"""How each kind of expression is compiled; the modules of this package fill it."""


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Register how a kind of expression is compiled."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


def statement_rule(*kinds: str) -> Callable[[StatementRule], StatementRule]:
    """Register how a kind of statement is compiled."""

    def register(function: StatementRule) -> StatementRule:
        STATEMENTS.update(dict.fromkeys(kinds, function))
        return function

    return register


class Compiler:
    """Compiles the expressions of one source."""

    def __init__(self, source: Source, root: Node) -> None:
        """Start with nothing in scope but `context`."""
        self.source = source
        self.function = Function(root, source.text)
        self.unassigned: Unassigned = frozenset()
        """Variables that may have no value yet at this place."""
        self.declared: list[Variable] = []
        """Every variable so far."""
        self.bound: dict[int, Typed] = {}
        """Receivers of `?.` by the node that asks for them."""
        self.known: dict[int, Typed] = {}
        """Expressions that are compiled already, by a node of another meaning."""
        self.reads: set[str] = set()
        """Messages whose body is read: `Request`, `Response`."""
        self.named: set[str] = set()
        """Properties of `context` that are read."""
        self.loops: list[Loop] = []
        """Loops and switch statements around this place, in this function."""
        self.handled: int | None = None
        """Slot of the exception that the catch clause around this place handles."""
        self.finals = 0
        """How many finally clauses are around this place, in this function."""
        self._blocks = [Block({})]

    def error(self, node: Node, reason: str) -> ExpressionError:
        """Make an error at a node."""
        return self.source.error(node, reason)

    def text(self, node: Node) -> str:
        """Return the source text of a node."""
        return self.source.text(node)

    # Expressions

    def expression(self, node: Node) -> Typed:
        """Compile any expression that has a value.

        Raises `ExpressionError`: outside the allow-list, or not surely what C# does.
        """
        found = self.any_expression(node)
        if found.type == Type.VOID:
            raise self.error(node, "this has no value")
        return found

    def any_expression(self, node: Node) -> Typed:
        """Compile any expression, one without a value too."""
        if self.known and node.id in self.known:
            return self.known[node.id]
        compile_ = RULES.get(node.type)
        if compile_ is None:
            raise self.error(node, f"{node.type.replace('_', ' ')} is not supported")
        return compile_(self, node)

    def statement(self, node: Node) -> tuple[Execute, bool]:
        """Compile a statement; tells whether the next one can be reached."""
        compile_ = STATEMENTS.get(node.type)
        if compile_ is None:
            raise self.error(node, f"{node.type.replace('_', ' ')} is not supported")
        return compile_(self, node)

    def converted(self, node: Node, target: Type) -> Typed:
        """Compile an expression in a place that needs a type."""
        return self.fitting(node, self.expression(node), target)

    def fitting(self, node: Node, found: Typed, target: Type) -> Typed:
        """Convert an expression to the type that its place needs."""
        result = conversions.converted(found, target)
        if result is None:
            hint = ""
            if conversions.explicit(found.type, target) is not None:
                hint = f"; cast it with ({target})"
            raise self.error(node, f"this is {found.type} where {target} is needed{hint}")
        return result

    def condition(self, node: Node) -> tuple[Typed, Unassigned, Unassigned]:
        """Compile a boolean; tells which variables have no value yet where it is true and where it is false."""
        found = self.converted(node, Type.BOOL)
        true, false = found.when or (self.unassigned, self.unassigned)
        return found, true, false

    def named_type(self, node: Node, text: str | None = None) -> Type:
        """Look up a type that an expression names."""
        name = self.text(node) if text is None else text
        try:
            found = parse(name)
        except ValueError:
            raise self.error(node, f"type {name} is not supported") from None
        if not _is_known(found):
            raise self.error(node, f"type {name} is not supported")
        return found

    # Names

    @contextmanager
    def block(self) -> Iterator[None]:
        """Open a block of names."""
        outer = self._blocks[-1]
        self._blocks.append(Block(dict(outer.names)))
        yield
        closed = self._blocks.pop()
        outer.inside |= closed.own | closed.inside
        self.unassigned = frozenset(
            variable for variable in self.unassigned if outer.names.get(getattr(variable, "name", "")) is variable
        )

    @contextmanager
    def inside(self, node: Node) -> Iterator[Function]:
        """Compile a function within this one; what it assigns does not count outside."""
        kept = self.function, self.unassigned, self.loops, self.handled, self.finals
        self.function, self.loops, self.handled, self.finals = Function(node, self.text, kept[0]), [], None, 0
        with self.block():
            yield self.function
        self.function, self.unassigned, self.loops, self.handled, self.finals = kept

    @contextmanager
    def loop(self, *, is_switch: bool = False) -> "Iterator[Loop]":
        """Compile the body of a loop or of a switch statement."""
        loop = Loop(is_switch)
        self.loops.append(loop)
        kept, self.finals = self.finals, 0
        yield loop
        self.finals = kept
        self.loops.pop()

    def declare(self, node: Node, type_: Type, name: str | None = None) -> Variable:
        """Declare a variable; it has no value yet."""
        name = self.text(node) if name is None else name
        block = self._blocks[-1]
        if name in block.names or name in block.inside or name == "context":
            raise self.error(node, f"{name} is already declared")
        if name.startswith("@"):
            raise self.error(node, "names with @ are not supported")
        variable = self.function.declare(name, type_)
        block.names[name] = variable
        block.own.add(name)
        self.declared.append(variable)
        self.unassigned |= {variable}
        return variable

    def since(self, mark: int) -> Unassigned:
        """List the variables declared since there were so many: where that part is skipped they have no value."""
        return frozenset(self.declared[mark:])

    def variable(self, name: str) -> Variable | None:
        """Find a variable in scope."""
        return self._blocks[-1].names.get(name)

    def load(self, node: Node, variable: Variable) -> Typed:
        """Read a variable."""
        if variable in self.unassigned:
            raise self.error(node, f"{variable.name} may have no value here")
        if variable.constant is not None:
            value = variable.constant
            return Typed(variable.type, lambda _: value, value)
        slot = self.function.place(variable)
        if variable.shared:
            return Typed(variable.type, lambda frame: frame[slot][0])
        return Typed(variable.type, lambda frame: frame[slot])

    def initial(self, variable: Variable, run: Run) -> Callable[[Frame], None]:
        """Give a variable its first value; each time it is a new variable for the functions that share it."""
        self.unassigned -= {variable}
        slot, shared = variable.slot, variable.shared

        def execute(frame: Frame) -> None:
            frame[slot] = [run(frame)] if shared else run(frame)

        return execute

    def store(self, variable: Variable) -> Callable[[Frame, object], None]:
        """Write a variable."""
        self.unassigned -= {variable}
        slot = self.function.place(variable)
        if variable.shared:

            def put(frame: Frame, value: object) -> None:
                frame[slot][0] = value

            return put

        def execute(frame: Frame, value: object) -> None:
            frame[slot] = value

        return execute


def _is_known(type_: Type) -> bool:
    if type_.name == "Func":
        return bool(type_.args) and all(map(_is_known, type_.args))
    arity = NAMED.get(type_.name)
    return arity is not None and len(type_.args) == arity and all(map(_is_known, type_.args))
