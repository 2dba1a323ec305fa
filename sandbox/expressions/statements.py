"""The statements of `@{ ... }`: locals, assignments, `if` and `return`."""

from collections.abc import Callable, Sequence

from tree_sitter import Node

from sandbox.expressions.compiler import Compiler
from sandbox.expressions.syntax import children
from sandbox.expressions.types import Frame, Type

_Statement = Callable[[Frame], object]


class _NothingReturned:
    """Marks a statement after which the next one runs."""


_ON = _NothingReturned()


class Block:
    """Compiles a block whose every path returns a value of one type."""

    def __init__(self, compiler: Compiler, result: Type) -> None:
        """Take the compiler of the block's expressions and the type that the policy needs."""
        self._compiler = compiler
        self._result = result

    def compile(self, node: Node) -> _Statement:
        """Compile the whole body.

        Raises `ExpressionError`: a statement that is not supported, or a path without `return`.
        """
        run, returns = self._block(node)
        if not returns:
            raise self._compiler.error(node, "not every path ends with return")
        return run

    def _block(self, node: Node) -> tuple[_Statement, bool]:
        outer = dict(self._compiler.scope)
        compiled = [self._statement(child) for child in children(node)]
        self._compiler.scope = outer
        return _sequence([run for run, _ in compiled]), any(returns for _, returns in compiled)

    def _statement(self, node: Node) -> tuple[_Statement, bool]:
        if node.type == "block":
            return self._block(node)
        if node.type == "return_statement" and children(node):
            return self._compiler.converted(children(node)[0], self._result).run, True
        if node.type == "if_statement":
            return self._if(node)
        if node.type == "local_declaration_statement":
            return self._declaration(children(node)), False
        if node.type == "expression_statement":
            return self._assignment(children(node)[0]), False
        raise self._compiler.error(node, f"{node.type.replace('_', ' ')} is not supported")

    def _if(self, node: Node) -> tuple[_Statement, bool]:
        condition_node, yes_node, *no_nodes = children(node)
        for branch in (yes_node, *no_nodes):
            if branch.type == "local_declaration_statement":
                raise self._compiler.error(branch, "a declaration needs a block around it")
        condition = self._compiler.converted(condition_node, Type.BOOL).run
        yes, yes_returns = self._statement(yes_node)
        no, no_returns = self._statement(no_nodes[0]) if no_nodes else (lambda _: _ON, False)
        return lambda frame: yes(frame) if condition(frame) else no(frame), yes_returns and no_returns

    def _declaration(self, nodes: list[Node]) -> _Statement:
        compiler = self._compiler
        if len(nodes) != 1 or nodes[0].type != "variable_declaration":
            raise compiler.error(nodes[0], "only plain local variables are supported")
        type_node, *declarators = children(nodes[0])
        if len(declarators) != 1 or len(children(declarators[0])) != 2:
            raise compiler.error(nodes[0], "declare one variable at a time, with its value")
        name_node, value_node = children(declarators[0])
        name = compiler.source.text(name_node)
        if name in compiler.scope or name == "context":
            raise compiler.error(name_node, f"{name} is already declared")
        if type_node.type == "implicit_type":
            value = compiler.expression(value_node)
            type_ = value.type
        else:
            type_ = compiler.named_type(type_node)
            value = compiler.converted(value_node, type_)
        if type_ is Type.NULL:
            raise compiler.error(value_node, "var has no type here")
        slot, run = compiler.slot(), value.run
        compiler.scope[name] = (type_, slot)
        return _stored(slot, run)

    def _assignment(self, node: Node) -> _Statement:
        compiler = self._compiler
        parts = [child for child in node.children if child.type != "comment"]
        if node.type != "assignment_expression" or compiler.source.text(parts[1]) != "=":
            raise compiler.error(node, "only assignments to local variables are supported as statements")
        name = compiler.source.text(parts[0])
        if name not in compiler.scope:
            raise compiler.error(parts[0], f"{name} is not a local variable")
        type_, slot = compiler.scope[name]
        return _stored(slot, compiler.converted(parts[2], type_).run)


def _stored(slot: int, run: _Statement) -> _Statement:
    def execute(frame: Frame) -> object:
        frame[slot] = run(frame)
        return _ON

    return execute


def _sequence(statements: Sequence[_Statement]) -> _Statement:
    def execute(frame: Frame) -> object:
        for statement in statements:
            value = statement(frame)
            if value is not _ON:
                return value
        return _ON

    return execute
