"""Public functions: softmax, log-softmax, log-sum-exp and the sigmoids."""

import math

from softmax_lib._dispatch import AxisFunction, ElementwiseFunction
from softmax_lib._kernels import elementwise, operations
from softmax_lib._njit import usable_in_njit

__all__ = ["log_sigmoid", "log_softmax", "logsumexp", "sigmoid", "softmax"]

_softmax = AxisFunction(operations.softmax, masked_value=0.0)
_log_softmax = AxisFunction(operations.log_softmax, masked_value=-math.inf)
_logsumexp = AxisFunction(operations.logsumexp)
_sigmoid = ElementwiseFunction(elementwise.sigmoid_entries)
_log_sigmoid = ElementwiseFunction(elementwise.log_sigmoid_entries)


@usable_in_njit("activations.type_along_axis")
def softmax(x, /, axis=-1, *, where=None, out=None):
    r"""Turn scores (logits) into positive shares that sum to 1.

    .. math:: \operatorname{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}

    Parameters
    ----------
    x : array_like
        Scores of any shape: float16, bfloat16, float32, float64, integers or bool.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1. None, SciPy's default, means
        the whole array.
    where : array_like of bool, optional
        Mask, broadcast against `x`. Entries where it is False are masked: they take no
        part and may hold anything.
    out : numpy.ndarray, optional
        Array for the result, of its shape and dtype, with any strides; it may be `x` or
        overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares, which other books call the probability distribution, in the shape and
        dtype of `x`. Integers are converted to float64 first; half precision is
        computed in float32 and rounded once. A slice that contains NaN or +inf, or only
        -inf, is NaN. Masked entries get 0, even in fully masked slices.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, `axis` has the wrong type,
        `where` is not boolean, or `out` is not an array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only, `axis` repeats an axis, or `where`
        does not broadcast to the shape of `x`.
    numpy.exceptions.AxisError
        If `x` has no such axis.

    See Also
    --------
    log_softmax : Logarithm of the shares, without cancellation.
    sigmoid : The same for two classes, one of which has score 0.
    scipy.special.softmax : Its `axis` defaults to None.

    Notes
    -----
    Each share is within 2.9 units in the last place of the exact value, and beyond 2
    only where very many scores are equal: instead of subtracting the maximum, powers of
    two are factored out, which is exact, and sums are compensated. Its bits depend on
    the numbers of its slice alone: not on other slices, the axis, memory, threads, or
    entries of -inf. Inside ``@njit`` it takes arrays and runs on one thread; pass
    `axis` by position or keyword, but neither `where` nor `out`.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and
    softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> softmax([0.7, 1.5, 4.8]).round(4).tolist()
    [0.0157, 0.035, 0.9493]
    >>> softmax([1000.0, 1000.0]).tolist()  # only differences count
    [0.5, 0.5]
    >>> softmax([[5.0, 5.0], [3.0, 5.0]], axis=0).round(2).tolist()
    [[0.88, 0.5], [0.12, 0.5]]
    >>> softmax([1.0, float("nan"), 1.0], where=[True, False, True]).tolist()
    [0.5, 0.0, 0.5]
    """
    return _softmax.apply(x, axis, where, out)


@usable_in_njit("activations.type_along_axis")
def log_softmax(x, /, axis=-1, *, where=None, out=None):
    r"""Compute the logarithm of softmax without cancellation.

    .. math:: \log\operatorname{softmax}(x)_i = x_i - \log\sum_j e^{x_j}

    Parameters
    ----------
    x, axis, where, out
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Logarithms, at most 0, in the shape of `x`; dtype and special values as for
        `softmax`, except that masked entries get -inf.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `softmax`.

    See Also
    --------
    softmax : The shares themselves.
    scipy.special.log_softmax : Its `axis` defaults to None.
    torch.nn.functional.log_softmax : The same for tensors.

    Notes
    -----
    Each logarithm is within 2 units in the last place of the exact value. The winner's
    is ``-log1p(s)``, where s sums the other terms relative to its own, so a share of
    almost 1 keeps a logarithm below 0. Inside ``@njit`` as for `softmax`.

    References
    ----------
    Blanchard, Higham and Higham (2021), as for `softmax`.

    Examples
    --------
    >>> print(*(f"{v:.4g}" for v in log_softmax([0.0, -40.0])))
    -4.248e-18 -40
    """
    return _log_softmax.apply(x, axis, where, out)


@usable_in_njit("activations.type_reduction")
def logsumexp(
    x, /, axis=-1, *, b=None, where=None, keepdims=False, return_sign=False, out=None
):
    r"""Compute the logarithm of a sum of exponentials without overflow.

    .. math:: \operatorname{logsumexp}(x) = \log\sum_j b_j e^{x_j}

    Parameters
    ----------
    x, where, out
        As for `softmax`.
    axis : int, tuple of int or None, default -1
        The axis or axes to sum over. None, SciPy's default, means the whole array.
    b : array_like, optional
        Factors of the terms, 1 unless given; they may be negative. `x` and `b` are
        broadcast against each other, and `axis` and `where` refer to the shape that
        they have together. A factor of 0 removes its term, even NaN or infinity.
    keepdims : bool, default False
        Keep the reduced axes, with length 1.
    return_sign : bool, default False
        Return the logarithm of the sum's absolute value, and the sign of the sum.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Dtype as for `softmax`, unless `b` is a wider array of floats. A sum of 0, as of
        nothing or of only -inf, gives -inf; +inf gives +inf, and NaN or a difference of
        infinities NaN. Without `return_sign` a negative sum gives NaN.
    sign : numpy.ndarray or numpy.floating
        With `return_sign` only: 1, -1, 0 or NaN; for no entries -1, as in SciPy.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `softmax`; also if `keepdims` or
        `return_sign` is no boolean, `b` has another dtype or does not broadcast.

    See Also
    --------
    log_softmax : The scores minus their log-sum-exp.
    scipy.special.logsumexp : Its `axis` defaults to None.
    numpy.logaddexp : The same for two numbers.

    Notes
    -----
    Without `b` the result is within 1.8 units in the last place of the exact value, or
    of the maximum where that and the logarithm cancel. With `b` it is within 1,
    whatever cancels, on every processor; where no factor has the other sign, up to
    2**-80 comes on top (for less than 2**25 terms), which shows where the result is
    almost 0. Rows that cancel to some 2**-30 of their terms take a thousand times as
    long as others, in decimal arithmetic.
    Inside ``@njit`` as for `softmax`, without `b` and signs; `keepdims` is a literal.

    References
    ----------
    Blanchard, Higham and Higham (2021), as for `softmax`.

    Examples
    --------
    >>> print(logsumexp([1000.0, 1000.0]).round(4))
    1000.6931
    >>> logsumexp([[0.0, 1.0], [2.0, 3.0]], axis=0, keepdims=True).shape
    (1, 2)
    >>> print(logsumexp([1000.0, 999.0], b=[1, -1]).round(4))  # log of a difference
    999.5413
    >>> value, sign = logsumexp([1000.0, 999.0], b=[-1, 1], return_sign=True)
    >>> print(value.round(4), sign)
    999.5413 -1.0
    """
    return _logsumexp.reduce(x, axis, b, where, keepdims, return_sign, out)


@usable_in_njit("activations.type_elementwise")
def sigmoid(x, /, *, out=None):
    r"""Compute the logistic sigmoid, softmax's share of `x` against a score of 0.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x, out
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares in the shape of `x`; dtype as for `softmax`. NaN stays NaN.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    softmax : The same for any number of classes.
    scipy.special.expit : The same, as a ufunc.

    Notes
    -----
    Each share is within 0.8 units in the last place of the exact value: in float32 all
    arguments were tried, in float64 the most found is that. For negative `x`
    it is ``e / (1 + e)`` with ``e = exp(x)``, which preserves the smallest results.
    Inside ``@njit`` as for `softmax`, for numbers too.

    References
    ----------
    Blanchard, Higham and Higham (2021), as for `softmax`.

    Examples
    --------
    >>> sigmoid([-2.0, 0.0, 2.0]).round(4).tolist()
    [0.1192, 0.5, 0.8808]
    >>> print(f"{sigmoid(-740.0):.3g}")
    4.2e-322
    """
    return _sigmoid.apply(x, -1, None, out)


@usable_in_njit("activations.type_elementwise")
def log_sigmoid(x, /, *, out=None):
    r"""Compute the logarithm of the sigmoid, accurate at both ends.

    .. math:: \log\sigma(x) = -\log(1 + e^{-x})

    Parameters
    ----------
    x, out
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Logarithms in the shape of `x`; dtype as for `softmax`. NaN stays NaN.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    log_softmax : The same for any number of classes.
    scipy.special.log_expit : The same, as a ufunc.

    Notes
    -----
    Each logarithm is within 1.2 units in the last place of the exact value: in float32
    all arguments were tried, in float64 the most found is that. It is
    ``-log1p(exp(-x))`` for positive `x`, ``x - log1p(exp(x))`` for negative `x`.
    Inside ``@njit`` as for `sigmoid`.

    References
    ----------
    M. Mächler, "Accurately computing ``log(1 - exp(-|a|))``", vignette of the R package
    Rmpfr (2012), for ``log1p(exp(x))``.

    Examples
    --------
    >>> log_sigmoid([0.0, -1000.0]).round(4).tolist()
    [-0.6931, -1000.0]
    """
    return _log_sigmoid.apply(x, -1, None, out)
