"""Logits and labels in, losses and gradients out: as `_dispatch`, for the losses."""

import functools
import math
import operator

import numpy as np
from numpy.exceptions import AxisError

from softmax_lib import _layout
from softmax_lib._arguments import normalize_axes, to_float_array
from softmax_lib._dispatch import is_kernel_ready
from softmax_lib._kernels import cross_entropy as class_indices
from softmax_lib._kernels import labels, soft_targets, vjps
from softmax_lib._threads import run

REDUCTIONS = ("none", "mean", "sum")
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_INT64 = np.dtype(np.int64)
# Kernels take an empty array for an argument that was not given.
_EMPTY = {np.dtype(t): np.empty(0, t) for t in (np.float32, np.float64, np.int64)}
# No label is ignored: this one is out of range in any case.
NO_LABEL = -1


def cross_entropy(logits, given, axis, reduction, ignore, weight, smoothing, gradient):
    """Return the loss, and the gradient with respect to the logits if wanted."""
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(
            f"got reduction={reduction!r}; allowed are 'none', 'mean' and 'sum'"
        )
    if type(smoothing) is not float or smoothing != 0.0:
        smoothing = _to_smoothing(smoothing)
    a, dtype = _logits(logits)
    axis = _one_axis(axis, a.ndim)
    n = a.shape[axis]
    if weight is not None:
        weight = _weight(weight, n, a.dtype)
    rows_shape = a.shape[:axis] + a.shape[axis + 1 :]
    t = _label_array(given)
    if t.dtype.kind == "f":
        if ignore is not None:
            raise ValueError(
                f"got ignore_index={ignore!r} with rows of probabilities; it is "
                "allowed with integer labels only"
            )
        if t.shape != a.shape:
            raise ValueError(
                f"got labels of shape {t.shape} and dtype {t.dtype}; probabilities "
                f"have the shape of the logits, {a.shape}, and class numbers are "
                "integers"
            )
        losses, grad = _from_probabilities(
            a, t, axis, weight, smoothing, reduction, gradient
        )
        divisor = float(losses.size), 0.0
    else:
        if t.shape != rows_shape:
            raise ValueError(
                f"got labels of shape {t.shape} and dtype {t.dtype}; class numbers "
                f"have the shape of the logits without the class axis, {rows_shape} "
                f"(one-hot rows are probabilities: pass them as floats)"
            )
        ignored = NO_LABEL if ignore is None else _to_label(ignore)
        flat = _int_labels(t)
        count = _count(flat, t, n, ignored, ignore is not None)
        divisor = float(count), 0.0
        if weight is not None and reduction == "mean":
            divisor = labels.label_weight_sum(flat, weight, ignored)
        over = divisor if reduction == "mean" else (1.0, 0.0)
        arguments = a, flat, axis, weight, ignored, over, gradient
        if smoothing == 0.0:
            losses, grad = _from_class_indices(*arguments)
        else:
            losses, grad = _from_smoothed_indices(*arguments, smoothing)
    if reduction == "none":
        loss = _rounded(losses, dtype).reshape(rows_shape)[()]
    else:
        over = divisor if reduction == "mean" else (1.0, 0.0)
        loss = _rounded(labels.mean_loss(losses, *over), dtype)
    if not gradient:
        return loss
    return loss, _rounded(grad, dtype)


def _logits(logits):
    """Return logits as an array that kernels take, and the dtype of the result."""
    if is_kernel_ready(logits):
        return logits, logits.dtype
    a, dtype = to_float_array(logits, "logits")
    native = a.dtype.newbyteorder("=")
    return a if is_kernel_ready(a) else np.array(a, native, order="C"), dtype


def _rounded(value, dtype):
    """Return an array or a number in dtype, infinite where it is too large for it."""
    if type(value) is float:
        if -6e4 < value < 6e4 or dtype is _FLOAT64:
            return dtype.type(value)
        value = np.float64(value)
    elif value.dtype is dtype:
        return value
    with np.errstate(all="ignore"):
        return value.astype(dtype)


def _one_axis(axis, ndim):
    if type(axis) is int and -ndim <= axis < ndim:
        return axis % ndim
    if isinstance(axis, tuple) or axis is None:
        raise TypeError(f"got axis={axis!r}; allowed is one int, the axis of classes")
    if ndim == 0:
        raise AxisError(axis, 0, "axis")
    return normalize_axes(axis, ndim)[0]


def _to_smoothing(smoothing):
    try:
        fine = bool(0.0 <= smoothing <= 1.0)
    except (TypeError, ValueError):
        raise TypeError(
            f"got label_smoothing={smoothing!r}; allowed is a number from 0 to 1"
        ) from None
    if not fine:
        raise ValueError(
            f"got label_smoothing={smoothing!r}; allowed is a number from 0 to 1"
        )
    return float(smoothing)


def _to_label(ignore):
    if isinstance(ignore, bool | np.bool_):
        raise TypeError(f"got ignore_index={ignore!r}; allowed are an int and None")
    try:
        ignored = operator.index(ignore)
    except TypeError:
        raise TypeError(
            f"got ignore_index={ignore!r}; allowed are an int and None"
        ) from None
    # Kernels count in int64; no label of a wider type has such a value.
    return ignored if -(2**63) <= ignored < 2**63 else NO_LABEL


def _label_array(given):
    if type(given) is np.ndarray and given.dtype is _INT64:
        return given
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(
            "got masked labels, whose mask would be lost; give the entries to leave "
            "out one value of their own and pass that as ignore_index"
        )
    t = np.asarray(given)
    if t.dtype.kind in "iu":
        return t
    if t.dtype.kind == "b":
        raise TypeError(
            "got labels of dtype bool; allowed are integers (class numbers) and "
            "floats (probabilities)"
        )
    if t.size == 0 and t.dtype == _FLOAT64 and isinstance(given, list | tuple):
        # An empty list has no type of its own.
        return t.astype(np.int64)
    try:
        return to_float_array(t)[0]
    except TypeError:
        raise TypeError(
            f"got labels of dtype {t.dtype}; allowed are integers (class numbers) and "
            "floats (probabilities)"
        ) from None


def _int_labels(t):
    if t.dtype is _INT64 and t.flags.carray:
        return t.reshape(-1)
    if t.dtype.kind == "u" and t.dtype.itemsize == 8:
        # Beyond int64 there is no class either.
        t = np.minimum(t, np.uint64(2**63 - 1))
    return np.array(t, np.int64, order="C").reshape(-1)


def _count(flat, t, n, ignored, ignores):
    """Return how many labels count; raise if one is out of range."""
    bad, count = labels.validate_labels(flat, n, ignored, ignores)
    if bad >= 0:
        place = tuple(int(i) for i in np.unravel_index(bad, t.shape))
        where = f"[{', '.join(map(str, place))}]" if place else ""
        also = f", and ignore_index={ignored}" if ignores else ""
        allowed = f"0 to {n - 1}" if n else "none (there are no classes)"
        raise ValueError(f"got labels{where} = {t[place]}; allowed are {allowed}{also}")
    return count


def _weight(weight, n, dtype):
    w, _ = to_float_array(weight, "weight")
    if w.shape != (n,):
        raise ValueError(
            f"got weight of shape {w.shape}; one for each class has shape {(n,)}"
        )
    if (w < 0).any():
        place = int(np.argmax(w < 0))
        raise ValueError(
            f"got weight[{place}] = {w[place]}; allowed are numbers from 0 on"
        )
    return np.array(w, dtype, order="C")


@functools.lru_cache(1024)
def _planned(outer, n, inner, itemsize, gradient):
    """Return a kernel, its arguments between arrays and tasks, and the tasks."""
    layout, *shape, tasks = _layout.plan(outer, n, inner, itemsize, False)
    if layout == _layout.ROWS:
        kernels, shape = (
            (class_indices.loss_rows, class_indices.loss_and_grad_rows),
            (n,),
        )
    else:
        kernels = class_indices.loss_columns, class_indices.loss_and_grad_columns
    return kernels[gradient], tuple(shape), tasks


def _from_class_indices(a, flat, axis, weight, ignored, over, gradient):
    """Return the losses, and the gradient, for one label a slice."""
    losses = np.empty(flat.size)
    grad = np.empty(a.shape, a.dtype) if gradient else None
    if not a.size:
        losses[:] = 0.0
        return losses, grad
    n = a.shape[axis]
    inner = math.prod(a.shape[axis + 1 :]) if axis + 1 < a.ndim else 1
    outer = a.size // (n * inner)
    kernel, shape, tasks = _planned(outer, n, inner, a.itemsize, gradient)
    w = _EMPTY[a.dtype] if weight is None else weight
    arguments = a.reshape(-1), flat, w, ignored, losses
    if gradient:
        arguments += (grad.reshape(-1), *over)
    _run(kernel, a, (*arguments, *shape), tasks)
    return losses, grad


def _from_smoothed_indices(a, flat, axis, weight, ignored, over, gradient, smoothing):
    """Return the losses, and the gradient, for one smoothed label a slice."""
    moved = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    indices = _EMPTY[a.dtype], flat, weight, ignored
    return _from_targets(moved, indices, axis, over, gradient, smoothing)


def _from_probabilities(a, t, axis, weight, smoothing, reduction, gradient):
    """Return the losses, and the gradient, for rows of probabilities."""
    moved = np.ascontiguousarray(np.moveaxis(a, axis, -1))
    targets = np.moveaxis(t, axis, -1)
    if not (targets.flags.carray and targets.dtype is moved.dtype):
        targets = np.array(targets, moved.dtype, order="C")
    rows = math.prod(moved.shape[:-1])
    over = (float(rows), 0.0) if reduction == "mean" else (1.0, 0.0)
    rows_of = targets.reshape(-1), _EMPTY[_INT64], weight, NO_LABEL
    return _from_targets(moved, rows_of, axis, over, gradient, smoothing)


def _from_targets(moved, given, axis, over, gradient, smoothing):
    targets, flat, weight, ignored = given
    n = moved.shape[-1]
    rows = math.prod(moved.shape[:-1])
    losses = np.zeros(rows)
    grad = np.empty(moved.shape, moved.dtype) if gradient else None
    if moved.size:
        arguments = (
            moved.reshape(-1),
            targets,
            flat,
            np.ones(n, moved.dtype) if weight is None else weight,
            ignored,
            1.0 - smoothing,
            smoothing / n,
            losses,
            grad.reshape(-1) if gradient else _EMPTY[moved.dtype],
            *over,
            n,
        )
        _run(soft_targets.soft_target_rows, moved, arguments, rows)
    if gradient:
        grad = np.ascontiguousarray(np.moveaxis(grad, -1, axis))
    return losses, grad


def _run(kernel, a, arguments, tasks):
    """Run a kernel over rows or tiles of a, on several threads if that is faster."""
    if a.size < _layout.MIN_PARALLEL_SIZE:
        kernel(*arguments, 0, tasks)
    else:
        run(kernel, arguments, tasks, _layout.MAX_LOSS_COST * a.nbytes)


def softmax_vjp(p, g, axis):
    """Return the vector-Jacobian product of softmax."""
    return _vjp(vjps.softmax_vjp_rows, p, g, axis, "p")


def log_softmax_vjp(logp, g, axis):
    """Return the vector-Jacobian product of log-softmax."""
    return _vjp(vjps.log_softmax_vjp_rows, logp, g, axis, "logp")


def _vjp(kernel, result, g, axis, name):
    (a, narrow), (b, other) = to_float_array(result, name), to_float_array(g, "g")
    if a.shape != b.shape:
        raise ValueError(
            f"got {name} of shape {a.shape} and g of shape {b.shape}; "
            "the shapes must be equal"
        )
    dtype = np.result_type(a.dtype, b.dtype).newbyteorder("=")
    axes = normalize_axes(axis, a.ndim)
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    n = math.prod(a.shape[d] for d in axes)
    first, second = (_moved(v, order, dtype) for v in (a, b))
    back = np.empty(first.shape, dtype)
    if a.size:
        flat = first.reshape(-1), second.reshape(-1), back.reshape(-1), n
        _run(kernel, first, flat, a.size // n)
    back = np.ascontiguousarray(back.transpose(np.argsort(order))).reshape(a.shape)
    return _rounded(back, narrow if narrow == other else dtype)[()]


def _moved(a, order, dtype):
    moved = a.transpose(order)
    if moved.flags.carray and moved.dtype is dtype:
        return moved
    return np.array(moved, dtype, order="C")
