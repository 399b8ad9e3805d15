"""Prints what Python's own parser sees in each file that a directory of sys.path holds.

A line is a JSON list: the file, the imports at its top level, and the names that the
module binds; nothing for a file that Python does not accept.
"""
import ast
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")


class Names(ast.NodeVisitor):
    def __init__(self):
        self.names = set()

    def visit_FunctionDef(self, node):
        self.names.add(node.name)
        self.globals(node)

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node):
        pass

    def globals(self, node):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                self.names.update(inner.names)

    def visit_ListComp(self, node):
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.names.add(inner.target.id)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.names.add(node.id)

    def visit_alias(self, node):
        if node.name != "*":
            self.names.add(node.asname or node.name.split(".")[0])

    def visit_ExceptHandler(self, node):
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node):
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node):
        if node.rest:
            self.names.add(node.rest)
        self.generic_visit(node)


def imports(body):
    for node in body:
        if isinstance(node, ast.Import):
            for a in node.names:
                yield [node.lineno, a.name, 0, [], a.asname or ""]
        elif isinstance(node, ast.ImportFrom):
            yield [node.lineno, node.module or "", node.level, [a.name for a in node.names], ""]


def main(roots):
    for root in roots:
        for directory, inner, files in os.walk(root):
            inner[:] = sorted(d for d in inner if d not in ("site-packages", "dist-packages"))
            for name in sorted(files):
                path = os.path.join(directory, name)
                if not name.endswith(".py") or not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                try:
                    tree = ast.parse(data, path)
                except (SyntaxError, ValueError, UnicodeError, RecursionError, MemoryError):
                    continue
                names = Names()
                names.visit(tree)
                print(json.dumps([path, list(imports(tree.body)), sorted(names.names)]))


main(sys.argv[1:])
