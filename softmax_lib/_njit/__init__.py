"""The public functions inside ``@njit``, under their own names.

Code that Numba compiles into a caller takes over the caller's options, fastmath too,
and takes its time each time. So a call inside ``@njit`` is one call of a function that
is compiled here, with our options, and kept in our cache. It prepares arrays as
`_dispatch` does, for the same bits, but never starts threads: a caller that wants them
has `prange`.
"""

import functools
import importlib
import inspect

from numba.extending import overload


def usable_in_njit(typing):
    """Return a decorator of front doors that makes them usable inside ``@njit``.

    `typing` names what makes the typing function for Numba, "module.function" in this
    package. Its module is imported when a user's function is compiled that needs it.
    The typing function takes all arguments in their order, and returns what to compile.
    """

    @functools.cache
    def make(function):
        module, name = typing.split(".")
        module = importlib.import_module(f"{__name__}.{module}")
        return getattr(module, name)(function)

    def register(function):
        signature = inspect.signature(function)

        def choose(*args, **kwargs):
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            return make(function)(*given.arguments.values())

        choose.__signature__ = signature
        overload(function, strict=False, prefer_literal=True)(choose)
        return function

    return register
