"""The library's fused multiply-add for arrays, beside that of the pages' module."""

from numba import njit

from softmax_lib import _vector as v
from softmax_lib._jit import OPTIONS


@njit(**OPTIONS)
def exact_fma(a, b, c, out):
    """Write a * b + c, rounded once; their length is a multiple of a vector's."""
    x, y, z = v.data_pointer(a), v.data_pointer(b), v.data_pointer(c)
    r = v.data_pointer(out)
    for i in range(0, a.size, v.vector_length(x)):
        v.store(r, i, v.exact_fma(v.load(x, i), v.load(y, i), v.load(z, i)))
