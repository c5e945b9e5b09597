"""A Python program's syntax subtrees and data flow, read from the standard `ast`.

python -c "from selfdebug.rewards.codebleu.python_code import structure; print(structure('x = y'))"
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from selfdebug.languages import python
from selfdebug.rewards.codebleu.flow import Assign, Branch, Event, Items, Loop, Scope, Use, edges

# What stands between the parts of a node; names, literals and operators are leaves, and a leaf's
# own text is not compared (Ren et al. 2020, section 3.2).
_NO_NODES = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def structure(code: str) -> tuple[Items, Items]:
    """Return the subtrees and the data flow; a program that does not parse has none."""
    subtrees: Items = Counter()
    try:
        if python.check_syntax(code) is not None:
            return Counter(), Counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a string is no error
            tree = ast.parse(code)
        _shape(tree, subtrees)
        return subtrees, edges(_Reader().block(tree.body))
    except (RecursionError, MemoryError):  # nobody writes so deep a program in good faith
        return Counter(), Counter()


def _shape(node: ast.AST, subtrees: Items) -> str:
    """Return a node's kind with everything below it; count it where there is something below."""
    parts = [
        _shape(child, subtrees)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, _NO_NODES)
    ]
    if not parts:
        return type(node).__name__
    shape = f"({type(node).__name__} {' '.join(parts)})"
    subtrees[shape] += 1
    return shape


class _Reader:
    """Reads statements and expressions in the order in which they happen."""

    def __init__(self) -> None:
        self._uses = 0
        self._events: list[Event] = []

    def block(self, nodes: Iterable[ast.AST], before: Sequence[Event] = ()) -> tuple[Event, ...]:
        """Return what happens in some statements or expressions, each by itself."""
        outer, self._events = self._events, list(before)
        for node in nodes:
            self._node(node)
        inner, self._events = self._events, outer
        return tuple(inner)

    def _node(  # noqa: PLR0912 - each kind of statement that assigns or chooses
        self, node: ast.AST
    ) -> None:
        """Add what happens in a statement, or in an expression whose value is not kept."""
        match node:
            case ast.Assign():
                self._assign(node.targets, [node.value])
            case ast.AnnAssign() if node.value is not None:
                self._assign([node.target], [node.value])
            case ast.AugAssign():
                self._assign([node.target], [node.target, node.value])
            case ast.If():
                self._read([node.test])
                self._events.append(Branch((self.block(node.body), self.block(node.orelse))))
            case ast.For() | ast.AsyncFor():
                body = self.block(node.body, self._assigned([node.target], [node.iter]))
                self._events += [Loop(body), *self.block(node.orelse)]
            case ast.While():
                self._events.append(Loop(self.block([node.test, *node.body])))
                self._events += self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._assign(filter(None, [item.optional_vars]), [item.context_expr])
                self._events += self.block(node.body)
            case ast.Try():
                self._events += self.block(node.body)
                arms = [self.block(node.orelse), *(self.block(h.body) for h in node.handlers)]
                self._events += [Branch(tuple(arms)), *self.block(node.finalbody)]
            case ast.ClassDef():
                self._events.append(Scope(self.block(node.body)))
            case ast.Match():
                self._read([node.subject])
                self._events.append(Branch(tuple(self.block(case.body) for case in node.cases)))
            case ast.expr() | ast.FunctionDef() | ast.AsyncFunctionDef():
                self._read([node])
            case _:
                self._read(ast.iter_child_nodes(node))

    def _assign(self, targets: Iterable[ast.AST], values: Iterable[ast.AST]) -> None:
        self._events += self._assigned(targets, values)

    def _read(self, nodes: Iterable[ast.AST]) -> None:
        self._assign((), nodes)

    def _assigned(self, targets: Iterable[ast.AST], values: Iterable[ast.AST]) -> list[Event]:
        sources = [use for value in values for use in self._reads(value)]
        places = [self._use(name) for target in targets for name in self._names(target, sources)]
        return [Assign(tuple(places), tuple(sources))] if places or sources else []

    def _names(self, target: ast.AST, sources: list[Use]) -> Iterator[str]:
        """Yield what a target assigns; `xs[i] = y` assigns xs, and reads xs and i besides."""
        match target:
            case ast.Name():
                yield target.id
            case ast.Tuple() | ast.List():
                for part in target.elts:
                    yield from self._names(part, sources)
            case ast.Starred():
                yield from self._names(target.value, sources)
            case ast.Subscript() | ast.Attribute():
                sources += self._reads(target)
                yield from self._names(target.value, [])
            case _:
                return

    def _reads(self, node: ast.AST) -> list[Use]:
        """Return the variables that an expression reads; what it assigns is added on the way."""
        match node:
            case ast.Name():
                return [self._use(node.id)]
            case ast.NamedExpr():
                found = self._reads(node.value)
                self._events.append(Assign((self._use(node.target.id),), tuple(found)))
                return found
            case _ if isinstance(node, _COMPREHENSIONS):
                return self._comprehension(node)
            case _ if isinstance(node, _FUNCTIONS):
                every = ast.walk(node.args)
                names = [self._use(part.arg) for part in every if isinstance(part, ast.arg)]
                body = node.body if isinstance(node.body, list) else [node.body]
                self._events.append(Scope(self.block(body, [Assign(tuple(names), ())])))
                return []
            case _:
                return [use for child in ast.iter_child_nodes(node) for use in self._reads(child)]

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> list[Use]:
        before = self._events
        self._events = []
        for part in node.generators:
            self._assign([part.target], [part.iter])
            self._read(part.ifs)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._read(parts)
        inner, self._events = self._events, before
        self._events.append(Scope(tuple(inner)))
        # What it is computed from: the variables that are not its own.
        own = {use[1] for event in inner if isinstance(event, Assign) for use in event.targets}
        reads = (use for event in inner if isinstance(event, Assign) for use in event.sources)
        return [use for use in reads if use[1] not in own]

    def _use(self, name: str) -> Use:
        self._uses += 1
        return self._uses, name
