"""What a class says of each of its attributes, in the string below it."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise


def docstrings(owner: type) -> dict[str, str]:
    """The texts by attribute, as they stand in the class's own source."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(owner)).body if isinstance(node, ast.ClassDef))
    found = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                found[name] = inspect.cleandoc(said)
    return found
