"""Every kernel is found again by its name, and no two share a name."""

import importlib
import pkgutil
import sys
from operator import attrgetter

import pytest
from numba.core.dispatcher import Dispatcher

import softmax_lib
from softmax_lib._kernels import operations
from softmax_lib._njit.activations import along_axis

LAYOUTS = ["rows", "split_rows", "columns", "blocked_columns"]
FORMS = ["apply", "reduce", "reduce_keepdims"]


def modules():
    """Return all modules of the package, imported."""
    found = pkgutil.walk_packages(softmax_lib.__path__, "softmax_lib.")
    return [importlib.import_module(module.name) for module in found]


def all_operations():
    """Return the kernels of operations in all modules, by module and name."""
    return {
        (module.__name__, name): value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, operations.AxisKernels)
        and module.__name__.startswith("softmax_lib._kernels.")
    }


OPERATIONS = all_operations()


def all_kernels():
    """Return every kernel of the package, without those for several threads."""
    found = [
        value
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__
    ]
    for kernels in OPERATIONS.values():
        found += [getattr(kernels, layout) for layout in LAYOUTS]
    for name, forms in vars(along_axis).items():
        reduces = OPERATIONS[operations.__name__, name].operation.apply is None
        found += [
            getattr(forms, form) for form in (FORMS[1:] if reduces else FORMS[:1])
        ]
    return list({id(kernel): kernel for kernel in found}.values())


KERNELS = all_kernels()


def place(kernel):
    """Return where a kernel says that it can be found."""
    return kernel.py_func.__module__, kernel.py_func.__qualname__


def test_kernels_of_all_kinds_are_among_them():
    places = {f"{module}.{name}" for module, name in map(place, KERNELS)}
    assert len(KERNELS) >= 4 * len(OPERATIONS) + len(vars(along_axis)) + 10
    for some in (
        "softmax_lib._kernels.operations.softmax.rows",
        "softmax_lib._kernels.operations.logsumexp.blocked_columns",
        "softmax_lib._kernels.elementwise.sigmoid_entries",
        "softmax_lib._njit.activations.along_axis.softmax.apply",
        "softmax_lib._njit.activations.along_axis.logsumexp.reduce_keepdims",
        "softmax_lib._njit.activations.sigmoid",
        "softmax_lib._njit.losses.loss_and_grad",
    ):
        assert some in places


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: ".".join(place(kernel)))
def test_a_kernel_is_found_by_its_module_and_name(kernel):
    module, name = place(kernel)
    assert attrgetter(name)(sys.modules[module]) is kernel


def test_no_two_kernels_share_a_name():
    assert len(set(map(place, KERNELS))) == len(KERNELS)


def test_kernels_are_made_once():
    for kernels in OPERATIONS.values():
        for layout in LAYOUTS:
            assert getattr(kernels, layout) is getattr(kernels, layout)


def test_operations_are_named_as_they_are_found():
    for (_, name), kernels in OPERATIONS.items():
        assert kernels.operation.name == name


def test_kernels_ignore_the_options_of_callers():
    for kernel in KERNELS:
        assert kernel.targetoptions["fastmath"] is False
        assert kernel.targetoptions["error_model"] == "numpy"
        assert kernel.targetoptions["nogil"] is True
