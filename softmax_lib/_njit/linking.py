"""Calls from users' functions to kernels that are not copied into them.

Numba copies the code of a compiled function into each function that calls it, and
LLVM optimises all of it again: for kernels that took seconds each time. Here the caller
contains only a name, and the process knows the address of that name.
"""

import errno
import hashlib
import importlib
from operator import attrgetter

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from softmax_lib._jit import CODE_DIGEST

# Machine code lives as long as what it was compiled to.
_results = {}


def external_call(kernel, any_layout=False):
    """Return a function for compiled code that calls a kernel with a tuple.

    With any_layout the kernel is compiled once for arrays of any memory layout.
    """

    @intrinsic
    def call(typingctx, arguments):
        parameters = tuple(
            a.copy(layout="A", readonly=False)
            if any_layout and isinstance(a, types.Array)
            else types.unliteral(a)
            for a in arguments.types
        )
        result = _compiled(kernel, parameters)
        returned = result.signature.return_type

        def emit(context, builder, sig, args):
            name = _name(kernel, parameters)
            _relink_when_loaded(context, builder, _Link(kernel, parameters))
            callee = cgutils.get_or_insert_function(
                builder.module,
                context.call_conv.get_function_type(returned, parameters),
                name,
            )
            values = list(cgutils.unpack_tuple(builder, args[0]))
            for k, wanted in enumerate(parameters):
                # Arrays of any layout are represented in the same way.
                if not isinstance(wanted, types.Array):
                    given = arguments.types[k]
                    values[k] = context.cast(builder, values[k], given, wanted)
            status, value = context.call_conv.call_function(
                builder, callee, returned, parameters, values
            )
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return value

        return signature(returned, arguments), emit

    return call


def _name(kernel, parameters):
    types_ = hashlib.sha256(repr(parameters).encode()).hexdigest()[:16]
    function = kernel.py_func
    place = f"{function.__module__}.{function.__qualname__}"
    return f"{place}.{types_}.{CODE_DIGEST.hex()[:16]}"


def _compiled(kernel, parameters):
    """Compile or load a kernel, and publish its address under its name."""
    name = _name(kernel, parameters)
    if name not in _results:
        kernel.compile(parameters)
        result = kernel.overloads[parameters]
        code, function = attrgetter("library", "fndesc")(result)
        address = code.get_pointer_to_function(function.llvm_func_name)
        binding.add_symbol(name, address)
        _results[name] = result
    return _results[name]


class _Link:
    """Stored in the cache of a caller, so that loading it makes the name known."""

    def __init__(self, kernel, parameters):
        self.kernel, self.parameters = kernel, parameters

    def __reduce__(self):
        function = self.kernel.py_func
        place = function.__module__, function.__qualname__
        return _relink, (*place, self.parameters, CODE_DIGEST)


def _relink(module, function, parameters, digest):
    if digest != CODE_DIGEST:
        # Numba then treats the caller as if it was not in its cache.
        raise FileNotFoundError(errno.ENOENT, "compiled for another softmax_lib")
    kernel = attrgetter(function)(importlib.import_module(module))
    _compiled(kernel, parameters)
    return _Link(kernel, parameters)


def _relink_when_loaded(context, builder, link):
    """Put the link among the constants that are cached with the calling function."""
    context.environment.consts.append(link)
    # Numba caches the constants of functions that the code refers to. This empty
    # instruction is a reference that LLVM does not remove.
    name = context.get_env_name(context.fndesc)
    constants = context.declare_env_global(builder.module, name)
    kind = ir.FunctionType(ir.VoidType(), [constants.type])
    builder.asm(kind, "", "r", [constants], side_effect=True)
