"""Checks of arguments inside ``@njit``, by type, and functions chosen by type."""

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.extending import overload


def by_type(choose):
    """Return a function for compiled code whose body depends on its arguments' types.

    `choose` takes the types and returns the body, a function of the same arguments.
    """

    def function(*arguments):
        raise NotImplementedError("for compiled code only")

    function.__name__, function.__doc__ = choose.__name__, choose.__doc__
    overload(function)(choose)
    return function


# Axes are the bits of an int64; see `arrays`.
MAX_NDIM = 63


def refuse(function, name, got, allowed):
    """Raise the error that Numba shows for a call that cannot be compiled."""
    raise TypingError(
        f"{function}: got {name} of type {got}; allowed inside @njit: {allowed}"
    )


def value_of(given):
    """Return the value of an argument known at compile time, else its type."""
    if isinstance(given, types.Omitted):
        return given.value
    if isinstance(given, types.Literal):
        return given.literal_value
    return None if isinstance(given, types.NoneType) else given


def is_integer(given):
    """Return whether a type is an integer, and neither bool nor None."""
    given = value_of(given)
    return isinstance(given, types.Integer) or type(given) is int


def is_number(given):
    """Return whether a type, or a value known at compile time, is a real number."""
    floats = types.float32, types.float64
    return given in floats or type(given) is float or is_integer(given)


def is_supported(dtype):
    """Return whether arrays of a type are accepted, as they are or converted."""
    floats = types.float32, types.float64
    return dtype in floats or isinstance(dtype, types.Integer | types.Boolean)


def check_array(function, name, x, scalars=False):
    """Raise unless x is an array of numbers, or one number if scalars may be given."""
    array = isinstance(x, types.Array)
    if not (array or scalars) or not is_supported(x.dtype if array else x):
        allowed = "arrays of float32, float64, integers or bool"
        refuse(function, name, x, allowed + (", and such numbers" if scalars else ""))
    if not scalars and x.ndim > MAX_NDIM:
        refuse(function, name, x, f"arrays of at most {MAX_NDIM} dimensions")


def check_axes(function, axis):
    """Raise unless axis is an int, a tuple of ints or None."""
    given = value_of(axis)
    members = axis.types if isinstance(axis, types.BaseTuple) else given
    ints = isinstance(members, tuple) and all(map(is_integer, members))
    if not (given is None or ints or is_integer(axis)):
        refuse(function, "axis", axis, "an int, a tuple of ints and None")


@by_type
def int_axes(axis):
    """Return axes with int64 for every type of integers; None as it is."""
    if isinstance(axis, types.NoneType):
        return lambda axis: None
    if isinstance(axis, types.BaseTuple):
        if not len(axis):
            return lambda axis: ()
        return lambda axis: (int_axes(axis[0]), *int_axes(axis[1:]))
    if axis == types.uint64:
        # What is beyond int64 must not become a negative axis: out of bounds as well.
        return lambda axis: np.int64(min(axis, np.uint64(2**63 - 1)))
    return lambda axis: np.int64(axis)


def check_labels(function, logits, labels, ignore_index):
    """Raise unless the labels and the one to ignore go with the logits, by type."""
    dtype = getattr(labels, "dtype", labels)
    ndim = labels.ndim if isinstance(labels, types.Array) else 0
    is_index = is_integer(dtype)
    is_float = dtype in (types.float32, types.float64)
    if not (is_index or is_float) or ndim != logits.ndim - is_index:
        indices = f"integers of {logits.ndim - 1} dimensions (class indices)"
        floats = f"floats of {logits.ndim} dimensions (probabilities)"
        refuse(function, "labels", labels, f"{indices}, and {floats}")
    ignores = value_of(ignore_index) is not None
    if ignores and not (is_integer(ignore_index) and is_index):
        allowed = "None, and an int with class indices"
        refuse(function, "ignore_index", ignore_index, allowed)


def check_absent(function, **given):
    """Raise if one of the arguments is given."""
    for name, value in given.items():
        if value_of(value) is not None:
            refuse(function, name, value, "None")
