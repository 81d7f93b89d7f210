"""Vectors for kernels, a namespace: ``from softmax_lib import _vector as v``."""

from softmax_lib._vector.arithmetic import (
    exact_fma,
    fabs,
    fma,
    from_bits,
    maximum,
    one_lane,
    one_lane_of,
    select,
    splat,
    splat_fields,
    to_bits,
    to_dtype_of,
    to_float64,
)
from softmax_lib._vector.memory import (
    count_to_boundary,
    data_pointer,
    load,
    load_fields,
    load_head,
    load_like,
    load_scalar,
    load_tail,
    load_up_to,
    negated,
    prefetch,
    same_pointer,
    store,
    store_fields,
    store_head,
    store_scalar,
    store_tail,
    store_up_to,
)
from softmax_lib._vector.reduce import (
    any_of,
    lane0,
    reduce_and,
    reduce_max,
    reduce_sum,
    reduce_sum_compensated,
)
from softmax_lib._vector.transpose import load_transposed, store_transposed
from softmax_lib._vector.type import (
    constant,
    length_of,
    noinline,
    polynomial,
    stack_alloc,
    vector_length,
)
