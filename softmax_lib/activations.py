"""Softmax, its logarithm, log-sum-exp and the sigmoid: the front doors."""

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
    r"""Turn scores into positive shares that sum to 1.

    .. math:: \operatorname{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}

    Parameters
    ----------
    x : array_like
        Scores (logits) of any shape: float16, bfloat16, float32, float64,
        integers or bool.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1; None means the whole
        array. SciPy's default is None, so say the axis when you come from there.
    where : array_like of bool, optional
        False leaves an entry out, whatever it holds. It is broadcast against `x`.
    out : numpy.ndarray, optional
        An array of the shape and dtype of the result to write it to, in any
        memory; it may be `x` itself, or overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares of the same shape as `x`, and of the same dtype if that is a
        float's; else float64, to which integers are converted before anything
        is subtracted. Half precision is computed in float32 and rounded once.
        A slice that holds NaN or +inf, or nothing but -inf, is NaN. What is
        left out has share 0, also where nothing else is there.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, `axis` is no int, `where`
        is not boolean, or `out` is no array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only, `axis` names an axis twice,
        or `where` cannot be broadcast to the shape of `x`.
    numpy.exceptions.AxisError
        If `x` has no such axis.

    See Also
    --------
    log_softmax : The logarithm of the shares, without loss.
    sigmoid : The same for two classes, one of them with score 0.
    scipy.special.softmax : Its `axis` is None unless given.

    Notes
    -----
    Each share is within 2 units in the last place of the exact value: instead of
    the maximum, powers of two are taken off, without rounding, and sums are
    compensated.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays; `axis` may be
    given by keyword, `where` and `out` may not be given.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> softmax([0.7, 1.5, 4.8]).round(4).tolist()
    [0.0157, 0.035, 0.9493]

    Huge scores are no harder than small ones; only their differences count.

    >>> softmax([1000.0, 1000.0, 1000.0, 1000.0]).tolist()
    [0.25, 0.25, 0.25, 0.25]

    Each row by itself, then each column.

    >>> scores = [[5.0, 5.0], [3.0, 5.0]]
    >>> softmax(scores).round(2).tolist()
    [[0.5, 0.5], [0.12, 0.88]]
    >>> softmax(scores, axis=0).round(2).tolist()
    [[0.88, 0.5], [0.12, 0.5]]

    Entries that are left out may hold anything.

    >>> softmax([1.0, float("nan"), 1.0], where=[True, False, True]).tolist()
    [0.5, 0.0, 0.5]
    """
    return _softmax.apply(x, axis, where, out)


@usable_in_njit("activations.type_along_axis")
def log_softmax(x, /, axis=-1, *, where=None, out=None):
    r"""Compute the logarithm of softmax, without the loss of taking it afterwards.

    .. math:: \log\operatorname{softmax}(x)_i = x_i - \log\sum_j e^{x_j}

    Parameters
    ----------
    x : array_like
        Scores (logits) of any shape: float16, bfloat16, float32, float64,
        integers or bool.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1; None means the whole
        array.
    where : array_like of bool, optional
        False leaves an entry out, whatever it holds. It is broadcast against `x`.
    out : numpy.ndarray, optional
        An array of the shape and dtype of the result to write it to, in any
        memory; it may be `x` itself, or overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Logarithms, at most 0, of the same shape as `x`; dtype and special
        values as for `softmax`. What is left out has -inf.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, `axis` is no int, `where`
        is not boolean, or `out` is no array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only, `axis` names an axis twice,
        or `where` cannot be broadcast to the shape of `x`.
    numpy.exceptions.AxisError
        If `x` has no such axis.

    See Also
    --------
    softmax : The shares themselves.
    scipy.special.log_softmax : Its `axis` is None unless given.
    torch.nn.functional.log_softmax : The same for tensors.

    Notes
    -----
    Each logarithm is within 2 units in the last place of the exact value. The
    winner's is computed as ``-log1p(sum of the others)``, the sum taken without the
    winner's own term, so that a share of almost 1 does not become a logarithm of
    exactly 0.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays; `axis` may be
    given by keyword, `where` and `out` may not be given.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> log_softmax([0.0, 0.0]).round(4).tolist()
    [-0.6931, -0.6931]

    A sure winner keeps its small doubt, and a hopeless loser its distance.

    >>> print(*log_softmax([0.0, -1000.0]))
    0.0 -1000.0
    >>> print(*(f"{v:.4g}" for v in log_softmax([0.0, -40.0])))
    -4.248e-18 -40
    """
    return _log_softmax.apply(x, axis, where, out)


@usable_in_njit("activations.type_reduction")
def logsumexp(x, /, axis=-1, *, b=None, where=None, keepdims=False, out=None):
    r"""Compute the logarithm of a sum of exponentials, without overflow.

    .. math:: \operatorname{logsumexp}(x) = \log\sum_j e^{x_j}

    Parameters
    ----------
    x : array_like
        Scores (logits) of any shape: float16, bfloat16, float32, float64,
        integers or bool.
    axis : int, tuple of int or None, default -1
        The axis or axes that are summed over; None means the whole array.
        SciPy's default is None.
    b : array_like, optional
        A factor for each term, broadcast against `x`; it may be negative. A
        factor of 0 leaves its term out, whatever that is.
    where : array_like of bool, optional
        False leaves an entry out, whatever it holds. It is broadcast against `x`.
    keepdims : bool, default False
        Keep the axes that are summed over, with length 1.
    out : numpy.ndarray, optional
        An array of the shape and dtype of the result to write it to.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Dtype as for `softmax`, whatever that of `b`. The sum over nothing gives
        -inf; so does a slice of nothing but -inf. One with +inf gives +inf, with
        NaN NaN. A sum that is negative, because of `b`, gives NaN, as in SciPy.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, `axis` is no int, `where` or
        `keepdims` is not boolean, or `out` is no array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only, `axis` names an axis twice,
        or `where` or `b` cannot be broadcast to the shape of `x`.
    numpy.exceptions.AxisError
        If `x` has no such axis.

    See Also
    --------
    log_softmax : The scores less their log-sum-exp.
    scipy.special.logsumexp : Its `axis` is None unless given.
    numpy.logaddexp : The same for two numbers.

    Notes
    -----
    Without `b` the result is within 2 units in the last place of the exact
    value. With `b` it is computed in float64, within a few of its units of the
    larger of 1 and the largest ``x + log|b|``: what cancels is lost.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays; `keepdims`
    has to be a literal, and `b`, `where` and `out` may not be given.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> print(logsumexp([1000.0, 1000.0]).round(4))
    1000.6931
    >>> logsumexp([[0.0, 1.0], [2.0, 3.0]], axis=0, keepdims=True).shape
    (1, 2)

    The logarithm of a difference.

    >>> print(logsumexp([1000.0, 999.0], b=[1, -1]).round(4))
    999.5413
    """
    return _logsumexp.reduce(x, axis, b, where, keepdims, out)


@usable_in_njit("activations.type_elementwise")
def sigmoid(x, /, *, out=None):
    r"""Compute the logistic sigmoid, softmax's share of `x` against a score of 0.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x : array_like
        Numbers of any shape: float16, bfloat16, float32, float64, integers or
        bool.
    out : numpy.ndarray, optional
        An array of the shape and dtype of the result to write it to, in any
        memory; it may be `x` itself, or overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares of the same shape as `x`; dtype as for `softmax`. NaN stays NaN.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, or
        `out` is no array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only.

    See Also
    --------
    softmax : The same for any number of classes.
    scipy.special.expit : The same, as a ufunc.

    Notes
    -----
    Each share is within 2 units in the last place of the exact value. For negative
    `x` the formula is written as ``e / (1 + e)`` with ``e = exp(x)``, which keeps
    the smallest results.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays and numbers;
    `out` may not be given.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> sigmoid([-2.0, 0.0, 2.0]).round(4).tolist()
    [0.1192, 0.5, 0.8808]
    >>> print(f"{sigmoid(-740.0):.3g}")
    4.2e-322
    """
    return _sigmoid.apply(x, out)


@usable_in_njit("activations.type_elementwise")
def log_sigmoid(x, /, *, out=None):
    r"""Compute the logarithm of the sigmoid, without loss at either end.

    .. math:: \log\sigma(x) = -\log(1 + e^{-x})

    Parameters
    ----------
    x : array_like
        Numbers of any shape: float16, bfloat16, float32, float64, integers or
        bool.
    out : numpy.ndarray, optional
        An array of the shape and dtype of the result to write it to, in any
        memory; it may be `x` itself, or overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Logarithms of the same shape as `x`; dtype as for `softmax`. NaN stays NaN.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, or
        `out` is no array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only.

    See Also
    --------
    log_softmax : The same for any number of classes.
    scipy.special.log_expit : The same, as a ufunc.

    Notes
    -----
    Each result is within 2 units in the last place of the exact value: for
    positive `x` it is ``-log1p(exp(-x))``, for negative `x` it is
    ``x - log1p(exp(x))``.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays and numbers;
    `out` may not be given.

    References
    ----------
    M. Mächler, "Accurately computing ``log(1 - exp(-|a|))``", vignette of the R package
    Rmpfr (2012), for ``log1p(exp(x))``.

    Examples
    --------
    >>> log_sigmoid(0.0).round(4).item()
    -0.6931
    >>> print(log_sigmoid(-1000.0))
    -1000.0
    """
    return _log_sigmoid.apply(x, out)
