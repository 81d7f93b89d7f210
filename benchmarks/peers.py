"""One interface to the library and its peers; those not installed are left out."""

import importlib.util

import numpy as np

import softmax_lib

PEERS = ["softmax_lib", "torch", "onnxruntime", "jax", "scipy"]


def contenders(name, x, axis=-1, threads=None, out=None):
    """Return {peer: call}, where `call()` applies the named function to x.

    x is converted (to a tensor, a device array) beforehand, so that only the
    computation is measured. With `out` the result is written there, and peers
    that cannot do that are left out.
    """
    makers = {
        "softmax_lib": _ours,
        "torch": _torch,
        "onnxruntime": _onnxruntime,
        "jax": _jax,
        "scipy": _scipy,
    }
    found = {}
    for peer, maker in makers.items():
        if importlib.util.find_spec(peer) is not None:
            call = maker(name, x, axis, threads, out)
            if call is not None:
                found[peer] = call
    return found


def _ours(name, x, axis, threads, out):
    import numba

    if threads:
        numba.set_num_threads(threads)
    function = getattr(softmax_lib, name)
    if "sigmoid" in name:
        return lambda: function(x, out=out)
    if out is None:
        return lambda: function(x, axis=axis)
    return lambda: function(x, axis=axis, out=out)


def _torch(name, x, axis, threads, out):
    import torch

    if threads:
        torch.set_num_threads(threads)
    t = torch.from_numpy(x)
    to = {} if out is None else {"out": torch.from_numpy(out)}
    if name == "log_sigmoid":
        return None if to else lambda: torch.nn.functional.logsigmoid(t)
    function = getattr(torch, name)
    if name == "sigmoid":
        return lambda: function(t, **to)
    return lambda: function(t, axis, **to)


def _onnxruntime(name, x, axis, threads, out):
    import onnxruntime

    operators = {
        "softmax": "Softmax",
        "log_softmax": "LogSoftmax",
        "logsumexp": "ReduceLogSumExp",
        "sigmoid": "Sigmoid",
    }
    if name not in operators:
        return None
    session = _session(operators[name], x.dtype, axis, threads)
    if out is None:
        inputs = {"x": x}
        return lambda: session.run(None, inputs)
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    value = onnxruntime.OrtValue.ortvalue_from_numpy(out)
    binding.bind_ortvalue_output("y", value)
    return lambda: session.run_with_iobinding(binding)


def _session(operator, dtype, axis, threads):
    import onnxruntime
    from onnx import TensorProto, helper

    kind = TensorProto.FLOAT if dtype == np.float32 else TensorProto.DOUBLE
    constants = []
    options = {}
    if operator == "ReduceLogSumExp":
        constants = [helper.make_tensor("axes", TensorProto.INT64, [1], [axis])]
        options["keepdims"] = 0
    elif operator != "Sigmoid":
        options["axis"] = axis
    names = ["x"] + [tensor.name for tensor in constants]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], **options)],
        "one",
        [helper.make_tensor_value_info("x", kind, None)],
        [helper.make_tensor_value_info("y", kind, None)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    settings = onnxruntime.SessionOptions()
    if threads:
        settings.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )


def _jax(name, x, axis, threads, out):
    # Its threads are set by XLA_FLAGS, before it starts.
    if out is not None:
        return None
    import jax

    jax.config.update("jax_enable_x64", True)
    function = jax.jit(
        {
            "softmax": lambda x: jax.nn.softmax(x, axis=axis),
            "log_softmax": lambda x: jax.nn.log_softmax(x, axis=axis),
            "logsumexp": lambda x: jax.nn.logsumexp(x, axis=axis),
            "sigmoid": jax.nn.sigmoid,
            "log_sigmoid": jax.nn.log_sigmoid,
        }[name]
    )
    there = jax.device_put(x)
    return lambda: function(there).block_until_ready()


def _scipy(name, x, axis, threads, out):
    import scipy.special

    if name == "sigmoid":
        return lambda: scipy.special.expit(x, out=out)
    if name == "log_sigmoid":
        return lambda: scipy.special.log_expit(x, out=out)
    if out is not None:
        return None
    function = getattr(scipy.special, name)
    return lambda: function(x, axis=axis)
