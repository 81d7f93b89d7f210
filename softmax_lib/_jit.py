"""How functions are compiled and cached: the options, in one place."""

import functools
import hashlib
import marshal
import os
import pkgutil
import sys
from contextlib import contextmanager, suppress

from numba import config, njit, prange, version_info
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

OPTIONS = {
    # Division by zero follows IEEE 754 (a row of -inf gives NaN), as NumPy does.
    "error_model": "numpy",
    # Written out on every kernel: without it a kernel that is first compiled
    # from a fastmath caller is compiled fast for everybody.
    "fastmath": False,
    # Kernels touch no Python object, so other threads may run meanwhile.
    "nogil": True,
}


def _code_digest():
    """Return a digest of all that is compiled, and of what decides about it."""
    package = sys.modules[__package__].__spec__
    digest = hashlib.sha256(_content(package))
    found = _private_modules(__package__, package.submodule_search_locations)
    if not found:
        # Nobody tells which modules there are. Then nothing is kept, rather than code
        # of another version used.
        digest.update(os.urandom(32))
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name])
    return digest.digest()


def _private_modules(package, places):
    """Return the content of modules with a leading underscore, and of all in them.

    It comes from where Python imports it: from source files, or without them, or from
    an archive.
    """
    found = {}
    for finder, name, is_package in pkgutil.iter_modules(places):
        if package == __package__ and not name.startswith("_"):
            continue
        whole, folder = f"{package}.{name}", f"{getattr(finder, 'path', '')}/{name}"
        try:
            # Asking the finder takes as long as all the rest.
            with open(folder + ("/__init__.py" if is_package else ".py"), "rb") as file:
                found[whole] = file.read()
            inside = [folder]
        except OSError:
            spec = finder.find_spec(whole)
            found[whole], inside = _content(spec), spec.submodule_search_locations
        if is_package:
            found |= _private_modules(whole, inside)
    return found


def _content(spec):
    try:
        return spec.loader.get_data(spec.origin)
    except (AttributeError, OSError):
        return marshal.dumps(spec.loader.get_code(spec.name))


CODE_DIGEST = _code_digest()


# The last version of Numba for which it is known that loading machine code needs the
# runtime library alone. Later ones also get ready for compiling, in half a second.
LAST_TESTED_NUMBA = (0, 68)


class _Cache(FunctionCache):
    """Numba's cache of machine code, whose failures never reach the caller."""

    def __init__(self, function):
        super().__init__(function)
        # Numba calls cached code stale when the file of the function has changed, but
        # a kernel is built from functions in other files.
        file = self._cache_file
        file._source_stamp = (file._source_stamp, CODE_DIGEST)

    def _index_key(self, sig, codegen):
        # Numba would add a hash of what the function closes over. The digest covers
        # that, and compiled functions pickle differently in each process.
        return sig, codegen.magic_tuple(), self._py_func.__qualname__

    def load_overload(self, sig, target_context):
        try:
            if version_info.short > LAST_TESTED_NUMBA:
                return super().load_overload(sig, target_context)
            rtsys.initialize(target_context)
            return self._load_overload(sig, target_context)
        except Exception:
            # Truncated, overwritten or unreadable: compile again.
            self._forget()
            return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception:
            # The disk is full or read-only, or the index is damaged.
            self._forget()

    def _forget(self):
        try:
            self.flush()
        except OSError:
            self.disable()


@contextmanager
def _jit_enabled():
    # NUMBA_DISABLE_JIT lets people step through their own functions. Kernels use
    # vectors and pointers, which Python does not have: they stay compiled.
    before, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield before
    finally:
        config.DISABLE_JIT = before


def kernel(function, cached=True, **options):
    """Compile a loop that is called from Python, and cache its machine code."""
    with _jit_enabled() as disabled:
        dispatcher = njit(**OPTIONS, **options)(function)
    if disabled:
        # The functions in a kernel are compiled with it, at its first call.
        dispatcher._compile_for_args = _jit_enabled()(dispatcher._compile_for_args)
    # The first call in a new process loads machine code and compiles nothing. In a
    # read-only install without a home there is nowhere to write to, and no cache; nor
    # is there one where Numba does not find the source, as in an archive without it.
    with suppress(RuntimeError, OSError, KeyError):
        if cached:
            dispatcher._cache = _Cache(function)
    return dispatcher


def renamed(function, module, qualname):
    """Give a function made by a factory the place where it can be found again."""
    function.__module__, function.__qualname__ = module, qualname
    function.__name__ = qualname.replace(".", "_")
    return function


@functools.cache
def threaded(serial):
    """Return a driver that runs a kernel on all threads, with the same bits.

    It is called with the kernel's arguments but the last two, as a tuple; with how
    many tasks (rows, tiles, entries) there are; and with the number of parts.
    """

    def driver(arguments, tasks, parts):
        for part in prange(parts):
            first, last = tasks * part // parts, tasks * (part + 1) // parts
            serial(*arguments, first, last)

    function = serial.py_func
    name = f"{function.__qualname__}_threaded"
    cached = isinstance(serial._cache, _Cache)
    return kernel(renamed(driver, function.__module__, name), cached, parallel=True)


class _Part:
    """A function inside kernels, which Numba compiles as a part of them.

    Its dispatcher is made when a kernel is compiled that calls it. When all kernels
    come from the cache, none is made.
    """

    def __init__(self, function, forceinline):
        functools.update_wrapper(self, function)
        self._forceinline = forceinline

    @functools.cached_property
    def dispatcher(self):
        with _jit_enabled():
            return njit(**OPTIONS, forceinline=self._forceinline)(self.__wrapped__)

    @property
    def _numba_type_(self):
        return self.dispatcher._numba_type_


# A formula inside kernels: inlined always, so that vectors stay in registers.
inlined = functools.partial(_Part, forceinline=True)

# A loop inside kernels, which LLVM may inline. One that begins with `noinline()` stays
# a function of its kernel.
outlined = functools.partial(_Part, forceinline=False)
