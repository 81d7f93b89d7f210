"""Tables, verdicts and source code, as the book shows them."""

import ast
import inspect
import re
import textwrap

import numpy as np
from IPython.display import Markdown


def table(columns, digits=4):
    """Show a dict of columns as a table with numbers of fixed precision.

    `digits` is the number of decimals of floats, a format such as ".2e", or a
    dict of either by column. Integers have all their digits, and a 0 has no
    exponent; text is shown unchanged, and truth values in words.
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


def facts(statements):
    """Show a dict of statement: whether it is true, as a list with yes and no."""
    return Markdown(
        "\n".join(
            f"- {statement}: **{_yes_or_no(true)}**"
            for statement, true in statements.items()
        )
    )


def source(*functions, docstring=True):
    """Show the current source code of functions."""
    codes = (_source(function, docstring) for function in functions)
    return Markdown("```python\n" + "\n\n".join(codes) + "```")


def inner(outer, *names):
    """Show functions that are defined inside a module or another function."""
    lines = inspect.getsource(outer).split("\n")
    parts = {}
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            first = min(n.lineno for n in [node, *node.decorator_list])
            code = "\n".join(lines[first - 1 : node.end_lineno])
            parts[node.name] = textwrap.dedent(code)
    found = "\n\n\n".join(parts[name] for name in names)
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


def constants(module, *names):
    """Show constants of the engine as they are in float32 and in float64."""
    both = [getattr(module, name).values for name in names]
    return table(
        {
            "constant": names,
            "float32": [np.float32(single) for single, _ in both],
            "float64": [double for _, double in both],
        },
        digits=".17g",
    )


def _source(function, docstring):
    code = inspect.getsource(getattr(function, "py_func", function))
    if docstring:
        return code
    return re.sub(
        r'\n *r?""".*?"""(?=\n)', "", code, count=1, flags=re.DOTALL
    )


def _cell(value, digits):
    if isinstance(value, bool | np.bool_):
        return _yes_or_no(value)
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        text = str(value)
    else:
        style = digits if isinstance(digits, str) else f".{digits}f"
        text = format(value, style)
        if value == 0 and "e" in text:
            text = "0"
    return text.replace("-", "−")  # a minus sign is as wide as a plus


def _yes_or_no(true):
    return "yes" if true else "no"


def _is_number(value):
    return isinstance(
        value, int | float | np.number
    ) and not isinstance(value, bool)
