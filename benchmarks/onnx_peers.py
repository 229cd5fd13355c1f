"""ONNX Runtime's sides: its LSTM operator over a sequence, and step by step."""

import os
from importlib import import_module
from typing import Any

import numpy as np
from launch import THREADS
from onnx import TensorProto, helper, numpy_helper
from sides import STREAMED, Side, Subject

from noria.arrays import Array

GATES = "iofg"
"""The operator's order; it calls our g c."""

OPSET, IR_VERSION = 14, 8


def inference(subject: Subject) -> Side:
    """Run the operator over whole sequences."""
    session = _session(subject)
    feed = _feed(subject)

    def run() -> Array:
        return np.asarray(session.run(["y"], feed)[0])

    return Side(run, lambda: {"y": run().reshape(-1, subject.point.hidden)})


def single_step(subject: Subject) -> Side:
    """Run the operator over one step, its states handed on."""
    session = _session(subject)
    feed = _feed(subject)

    def run() -> Array:
        feed["h"], feed["c"] = session.run(["h_end", "c_end"], feed)
        return feed["h"][0]

    return Side(run, lambda: {"h": [run() for _ in range(STREAMED)][-1]})


def _feed(subject: Subject) -> dict[str, Array]:
    steps, batch, _, hidden = subject.point
    start = np.zeros((1, batch, hidden), np.float32)
    return {"x": subject.x.rows.reshape(steps, batch, -1), "h": start, "c": start}


def _session(subject: Subject) -> Any:
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = int(os.environ[THREADS])
    options.inter_op_num_threads = 1
    return runtime.InferenceSession(_model(subject), options, providers=["CPUExecutionProvider"])


def _model(subject: Subject) -> bytes:
    steps, batch, inputs, hidden = subject.point
    p = subject.parameters
    first = np.concatenate([p[f"b_{gate}"] for gate in GATES])
    constants = {
        "W": np.concatenate([p[f"W_{gate}"] for gate in GATES]),
        "R": np.concatenate([p[f"U_{gate}"] for gate in GATES]),
        "B": np.concatenate([first, np.zeros_like(first)]),
    }
    state = [1, batch, hidden]
    shapes = {
        "x": [steps, batch, inputs],
        "h": state,
        "c": state,
        "y": [steps, 1, batch, hidden],
        "h_end": state,
        "c_end": state,
    }
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in shapes.items()]
    names = ["x", "W", "R", "B", "", "h", "c"]
    node = helper.make_node("LSTM", names, ["y", "h_end", "c_end"], hidden_size=hidden)
    tensors = [numpy_helper.from_array(array[None], name) for name, array in constants.items()]
    graph = helper.make_graph([node], "lstm", values[:3], values[3:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(model.SerializeToString())
