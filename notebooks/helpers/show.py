"""Tables and source code, as the book shows them."""

import ast
import inspect
import re
import textwrap

import numpy as np
from IPython.display import Markdown


def table(columns, digits=4):
    """Show a dict of columns as a table with numbers of fixed precision.

    `digits` is the number of decimals of floats, a format such as ".2e", or a
    dict of either by column. Integers and text are shown unchanged.
    """
    aligned = [
        "---:" if len(v) and _is_number(v[0]) else ":---"
        for v in columns.values()
    ]
    formats = {
        name: digits.get(name, 4)
        if isinstance(digits, dict)
        else digits
        for name in columns
    }
    rows = zip(
        *(
            [_cell(v, formats[name]) for v in values]
            for name, values in columns.items()
        ),
        strict=True,
    )
    lines = [columns, aligned, *rows]
    return Markdown(
        "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    )


def source(*functions, docstring=True):
    """Show the current source code of functions."""
    codes = (_source(function, docstring) for function in functions)
    return Markdown("```python\n" + "\n\n".join(codes) + "```")


def inner(function, *names):
    """Show functions that are defined inside another one."""
    code = inspect.getsource(function)
    parts = {
        node.name: ast.get_source_segment(code, node, padded=True)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef)
    }
    found = "\n\n".join(textwrap.dedent(parts[n]) for n in names)
    return Markdown(f"```python\n{found}\n```")


def assignments(module, *names):
    """Show assignments of a module, with the comments above them."""
    code = inspect.getsource(module)
    lines, found = code.split("\n"), {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign):
            first = node.lineno - 1
            while lines[first - 1].startswith("#"):
                first -= 1
            text = "\n".join(lines[first : node.end_lineno])
            found[ast.unparse(node.targets[0])] = text
    parts = "\n\n".join(found[name] for name in names)
    return Markdown(f"```python\n{parts}\n```")


def _source(function, docstring):
    code = inspect.getsource(getattr(function, "py_func", function))
    if docstring:
        return code
    return re.sub(
        r'\n *r?""".*?"""(?=\n)', "", code, count=1, flags=re.DOTALL
    )


def _cell(value, digits):
    if isinstance(value, str | bool | np.bool_ | int | np.integer):
        return str(value)
    text = format(
        value, digits if isinstance(digits, str) else f".{digits}f"
    )
    return text.replace("-", "−")  # a minus sign is as wide as a plus


def _is_number(value):
    return isinstance(
        value, int | float | np.number
    ) and not isinstance(value, bool)
