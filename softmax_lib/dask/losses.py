"""Cross-entropy of Dask arrays, and the gradients of it and of softmax."""

import dask.array as da
import numpy as np

from softmax_lib import _arguments
from softmax_lib.dask import _arrays, _blocks, _sums, _vjp_blocks
from softmax_lib.dask._losses import Loss

__all__ = ["cross_entropy", "cross_entropy_and_grad", "log_softmax_vjp", "softmax_vjp"]


def cross_entropy(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Cross-entropy of logits, in chunks along any axis, against labels.

    .. math:: \ell = w_y \Bigl(\log\sum_j e^{x_j} - x_y\Bigr)
              \qquad\text{or}\qquad
              \ell = \sum_k w_k\,t_k \Bigl(\log\sum_j e^{x_j} - x_k\Bigr)

    Parameters
    ----------
    logits : dask.array.Array
        Logits, of a dtype as for `softmax_lib.softmax`, in chunks of known sizes along
        any axis, that of the classes too.
    labels : array_like
        Class indices or class probabilities, of NumPy's or Dask's, as for
        `softmax_lib.cross_entropy`.
    axis, reduction, ignore_index, label_smoothing
        As for `softmax_lib.cross_entropy`.
    weight : array_like, optional
        As for `softmax_lib.cross_entropy`, but no Dask array.

    Returns
    -------
    dask.array.Array
        The loss, as from `softmax_lib.cross_entropy`.

    Raises
    ------
    TypeError
        If `logits` is no Dask array, and as for `softmax_lib.cross_entropy`.
    ValueError
        If chunks have unknown sizes, and as for `softmax_lib.cross_entropy`; of a label
        out of range when the loss is computed.

    See Also
    --------
    softmax_lib.cross_entropy : The same for NumPy arrays.

    Notes
    -----
    What goes from chunk to chunk are a `softmax_lib.LogSumExp` and one score a slice,
    never logits. Each chunk is read once; for probabilities and smoothed labels a
    second time, as for `softmax`.

    Each loss of a class index has the bits of that of NumPy arrays, however the logits
    are chunked, and is within 5 units in the last place otherwise. The mean and the sum
    are those of losses rounded to the dtype of the result.

    Examples
    --------
    >>> import dask.array as da
    >>> logits = da.from_array([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]], chunks=(1, 2))
    >>> cross_entropy(logits, [0, 2], reduction="none").compute().round(4).tolist()
    [0.4076, 1.0986]
    """
    how = axis, reduction, ignore_index, weight, label_smoothing
    return Loss(logits, labels, *how).loss()


def cross_entropy_and_grad(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Cross-entropy and its gradient with respect to the logits.

    .. math:: \frac{\partial\ell}{\partial x_k} = w_y \bigl(p_k - [k = y]\bigr)
              \qquad\text{or}\qquad
              C\,p_k - w_k t_k, \quad C = \sum_j w_j t_j

    Parameters
    ----------
    logits, labels, axis, reduction, ignore_index, weight, label_smoothing
        As for `cross_entropy`.

    Returns
    -------
    loss : dask.array.Array
        As from `cross_entropy`.
    grad : dask.array.Array
        Gradient, as from `softmax_lib.cross_entropy_and_grad`, in the chunks of the
        logits.

    Raises
    ------
    TypeError
        Or ValueError, as for `cross_entropy`.

    See Also
    --------
    softmax_lib.cross_entropy_and_grad : The same for NumPy arrays.

    Notes
    -----
    ``dask.compute(loss, grad)`` shares the totals between them. A chunk is read again
    for its gradient, as for `softmax`.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> logits = da.from_array([2.0, 1.0, 0.0], chunks=2)
    >>> loss, grad = dask.compute(*cross_entropy_and_grad(logits, 0))
    >>> print(loss.round(4), grad.round(4).tolist())
    0.4076 [-0.3348, 0.2447, 0.09]
    """
    how = axis, reduction, ignore_index, weight, label_smoothing
    loss = Loss(logits, labels, *how)
    return loss.loss(), loss.gradient()


def softmax_vjp(p, g, /, axis=-1):
    r"""Backpropagate a gradient through softmax (vector-Jacobian product).

    .. math:: \frac{\partial L}{\partial x_k} = p_k \Bigl(g_k - \sum_j p_j g_j\Bigr)

    Parameters
    ----------
    p : dask.array.Array
        Shares, the result of `softmax`.
    g : dask.array.Array
        Gradient with respect to the shares, in the same shape.
    axis
        As for `softmax`.

    Returns
    -------
    dask.array.Array
        Gradient with respect to the scores, as from `softmax_lib.softmax_vjp`, in the
        chunks of `p`.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax` and `softmax_lib.softmax_vjp`.

    See Also
    --------
    softmax_lib.softmax_vjp : The same for NumPy arrays.

    Notes
    -----
    The sum is compensated, within chunks and over them.

    Examples
    --------
    >>> import dask.array as da
    >>> p, g = da.from_array([0.5, 0.25, 0.25], chunks=2), da.from_array([1.0, 0, 0])
    >>> softmax_vjp(p, g).compute().tolist()
    [0.25, -0.125, -0.125]
    """
    return _vjp(p, g, axis, "p", "softmax_vjp")


def log_softmax_vjp(logp, g, /, axis=-1):
    r"""Backpropagate a gradient through log-softmax (vector-Jacobian product).

    .. math:: \frac{\partial L}{\partial x_k} = g_k - e^{\ell_k} \sum_j g_j

    Parameters
    ----------
    logp : dask.array.Array
        Logarithms of shares, the result of `log_softmax`.
    g : dask.array.Array
        Gradient with respect to the logarithms, in the same shape.
    axis
        As for `softmax`.

    Returns
    -------
    dask.array.Array
        Gradient with respect to the scores, as from `softmax_lib.log_softmax_vjp`, in
        the chunks of `logp`.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax_vjp`.

    See Also
    --------
    softmax_lib.log_softmax_vjp : The same for NumPy arrays.

    Notes
    -----
    The sum is compensated, within chunks and over them.

    Examples
    --------
    >>> import dask.array as da
    >>> logp = da.from_array([0.0, float("-inf")], chunks=1)
    >>> log_softmax_vjp(logp, da.from_array([-1.0, 0.25])).compute().tolist()
    [-0.25, 0.25]
    """
    return _vjp(logp, g, axis, "logp", "log_softmax_vjp")


def _vjp(result, g, axis, name, function):
    a, narrow, _ = _arrays.to_scores(result, name)
    g, other, _ = _arrays.to_scores(g, "g")
    if a.shape != g.shape:
        got = f"got {name} of shape {a.shape} and g of shape {g.shape}"
        raise ValueError(f"{got}; the shapes must be equal")
    axes, g = _arguments.normalize_axes(axis, a.ndim), g.rechunk(a.chunks)
    if (dtype := narrow) != other:
        dtype = np.result_type(*map(_blocks.computed_in, (narrow, other)))
    kind = {"dtype": dtype, "meta": _arrays.meta(a.ndim, dtype)}
    if _arrays.is_in_one_chunk(a, axes):
        return da.map_blocks(_vjp_blocks.whole_slices, a, g, axes, function, **kind)
    if function == "softmax_vjp":
        parts = a, axes, _vjp_blocks.products_of_block, _sums.merge_sums
        sums = _arrays.reduce(*parts, weights=g)
    else:
        sums = _arrays.reduce(g, axes, _sums.sum_of_block, _sums.merge_sums)
    return da.map_blocks(getattr(_vjp_blocks, function), a, g, sums, dtype, **kind)
