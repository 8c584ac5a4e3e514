"""Writes the network of a model folder as ONNX, in f32 and in dynamically quantised int8: a BERT encoder as PyTorch
exports it and the head Global Pointer on top; ids and mask in, scores of all spans `[batch, types, tokens, tokens]` out.

    python export.py FOLDER OUT
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file


class Graph:
    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = {}

    def constant(self, value, name=None):
        name = name or f"constant_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def weight(self, name, transposed=False):
        value = self.weights[name]
        return self.constant(np.ascontiguousarray(value.T) if transposed else value, name)

    def node(self, kind, *inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def linear(self, x, name):
        product = self.node("MatMul", x, self.weight(f"{name}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def layer_norm(self, x, name, epsilon):
        return self.node("LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), axis=-1, epsilon=epsilon)

    def gelu(self, x):
        erf = self.node("Erf", self.node("Div", x, self.constant(np.float32(np.sqrt(2)))))
        sum_ = self.node("Add", erf, self.constant(np.float32(1)))
        return self.node("Mul", self.node("Mul", x, sum_), self.constant(np.float32(0.5)))


def build(folder):
    config = json.loads((folder / "config.json").read_text())
    weights = {name.removeprefix("encoder.").removeprefix("bert."): value for name, value in load_file(folder / "model.safetensors").items()}
    g = Graph(weights)
    heads, hidden, epsilon = config["num_attention_heads"], config["hidden_size"], config["layer_norm_eps"]
    width = hidden // heads

    shape = g.node("Shape", "input_ids")
    length = g.node("Gather", shape, g.constant(np.int64(1)), axis=0)
    positions = g.node("Slice", g.weight("embeddings.position_embeddings.weight"), g.constant([0]), g.node("Unsqueeze", length, g.constant([0])), g.constant([0]))
    words = g.node("Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids", axis=0)
    types = g.constant(weights["embeddings.token_type_embeddings.weight"][0], "token_type")
    x = g.layer_norm(g.node("Add", g.node("Add", words, types), positions), "embeddings.LayerNorm", epsilon)

    mask = g.node("Unsqueeze", g.node("Cast", "attention_mask", to=TensorProto.FLOAT), g.constant([1, 2]))
    mask = g.node("Mul", g.node("Sub", g.constant(np.float32(1)), mask), g.constant(np.float32(-1e4)))

    split = g.constant(np.array([0, 0, heads, width]))
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        if f"{name}.attention.self.query.weight" not in weights:
            name = f"layer.{layer}"
        q, k, v = (g.node("Reshape", g.linear(x, f"{name}.attention.self.{part}"), split) for part in ("query", "key", "value"))
        q = g.node("Transpose", q, perm=[0, 2, 1, 3])
        k = g.node("Transpose", k, perm=[0, 2, 3, 1])
        v = g.node("Transpose", v, perm=[0, 2, 1, 3])
        scores = g.node("Div", g.node("MatMul", q, k), g.constant(np.float32(np.sqrt(width))))
        probabilities = g.node("Softmax", g.node("Add", scores, mask), axis=-1)
        context = g.node("Transpose", g.node("MatMul", probabilities, v), perm=[0, 2, 1, 3])
        context = g.node("Reshape", context, g.constant(np.array([0, 0, hidden])))
        attention = g.linear(context, f"{name}.attention.output.dense")
        x = g.layer_norm(g.node("Add", attention, x), f"{name}.attention.output.LayerNorm", epsilon)
        inner = g.gelu(g.linear(x, f"{name}.intermediate.dense"))
        x = g.layer_norm(g.node("Add", g.linear(inner, f"{name}.output.dense"), x), f"{name}.output.LayerNorm", epsilon)

    scores = global_pointer(g, x, length, config["innerspan"], config["max_position_embeddings"])
    g.nodes.append(helper.make_node("Identity", [scores], ["scores"]))
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")]
    types = len(config["innerspan"]["labels"])
    out = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", types, "tokens", "tokens"])]
    graph = helper.make_graph(g.nodes, "ner", ids, out, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def global_pointer(g, x, length, config, longest):
    """Queries and keys of each type, rotated by their position, and their products."""
    types, size = len(config["labels"]), config["head"]["size"]
    assert config["head"]["kind"] == "global-pointer", "another head is not written yet"
    angles = np.arange(longest)[:, None] * 10000.0 ** (-2 * (np.arange(size) // 2) / size)
    upto = g.node("Unsqueeze", length, g.constant([0]))
    cos, sin = (
        g.node("Slice", g.constant(table(angles).astype(np.float32)), g.constant([0]), upto, g.constant([0])) for table in (np.cos, np.sin)
    )
    rows = g.node("Reshape", g.linear(x, "head.dense"), g.constant([0, 0, 2 * types, size]))
    rows = g.node("Transpose", rows, perm=[0, 2, 1, 3])
    # (-x1, x0, -x3, x2, ...)
    even = g.node("Slice", rows, g.constant([0]), g.constant([size]), g.constant([3]), g.constant([2]))
    odd = g.node("Slice", rows, g.constant([1]), g.constant([size]), g.constant([3]), g.constant([2]))
    pairs = [g.node("Unsqueeze", part, g.constant([4])) for part in (g.node("Neg", odd), even)]
    turned = g.node("Reshape", g.node("Concat", *pairs, axis=4), g.node("Shape", rows))
    rows = g.node("Add", g.node("Mul", rows, cos), g.node("Mul", turned, sin))
    query, key = (
        g.node("Slice", rows, g.constant([part]), g.constant([2 * types]), g.constant([1]), g.constant([2])) for part in (0, 1)
    )
    scores = g.node("MatMul", query, g.node("Transpose", key, perm=[0, 1, 3, 2]))
    return g.node("Div", scores, g.constant(np.float32(np.sqrt(size))))


if __name__ == "__main__":
    folder, out = map(Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(build(folder), out / "model.onnx")
    quantize_dynamic(out / "model.onnx", out / "model.q8.onnx", weight_type=QuantType.QInt8, per_channel=True)
