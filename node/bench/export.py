#!/usr/bin/env python3
"""Makes of a model folder what compare.mjs gives ONNX Runtime.

    python3 export.py MODEL TEXTS OUT

needs `torch`, `transformers`, `onnx`, `onnxscript`, `onnxruntime` and `safetensors`, a BERT with a global-pointer head, and a file
with a text per line. Writes encoder.onnx, model.onnx (with the head), both again as .q8.onnx (dynamic, per channel, as
users of ONNX Runtime quantize), and texts.jsonl with the word pieces of each text, so that ONNX Runtime is timed
without a tokenizer.
"""
import json
import sys
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel


class GlobalPointer(torch.nn.Module):
    """Scores [batch, types, start, end]; padding is masked by whoever reads them."""

    def __init__(self, hidden, types, size):
        super().__init__()
        self.dense = torch.nn.Linear(hidden, types * 2 * size)
        self.types, self.size = types, size

    def forward(self, hidden):
        batch, tokens = hidden.shape[0], hidden.shape[1]
        rows = self.dense(hidden).reshape(batch, tokens, self.types, 2, self.size)
        position = torch.arange(tokens, dtype=torch.float32)[:, None]
        angle = position * 10000.0 ** (-2.0 * torch.arange(self.size // 2) / self.size)
        cos = angle.cos().repeat_interleave(2, -1)[:, None, None]
        sin = angle.sin().repeat_interleave(2, -1)[:, None, None]
        turned = torch.stack([-rows[..., 1::2], rows[..., ::2]], -1).reshape(rows.shape)
        rows = rows * cos + turned * sin
        query, key = rows[:, :, :, 0].permute(0, 2, 1, 3), rows[:, :, :, 1].permute(0, 2, 3, 1)
        return query @ key / self.size**0.5


class Recognizer(torch.nn.Module):
    def __init__(self, encoder, head):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, input_ids, attention_mask):
        return self.head(self.encoder(input_ids, attention_mask).last_hidden_state)


class Encoder(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids, attention_mask).last_hidden_state


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    own = config["innerspan"]
    weights = load_file(folder / "model.safetensors")
    encoder = BertModel(BertConfig(**config), add_pooling_layer=False)
    part = {name.removeprefix("bert."): value for name, value in weights.items() if name.startswith("bert.")}
    missing, unexpected = encoder.load_state_dict(part, strict=False)
    assert not unexpected and all("position_ids" in name for name in missing), (missing, unexpected)
    head = GlobalPointer(config["hidden_size"], len(own["labels"]), own["head"]["size"])
    part = {name.removeprefix("head."): value for name, value in weights.items() if name.startswith("head.")}
    head.load_state_dict(part)
    return own, encoder.eval(), head.eval()


def main(folder, texts, out):
    out.mkdir(parents=True, exist_ok=True)
    own, encoder, head = load(folder)
    example = (torch.randint(5, 900, (2, 17)), torch.ones(2, 17, dtype=torch.long))
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    for name, module in [("encoder", Encoder(encoder)), ("model", Recognizer(encoder, head))]:
        path = out / f"{name}.onnx"
        torch.onnx.export(
            module,
            example,
            str(path),
            dynamo=True,
            external_data=False,
            input_names=["input_ids", "attention_mask"],
            output_names=["output"],
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        )
        quantize_dynamic(str(path), str(out / f"{name}.q8.onnx"), weight_type=QuantType.QInt8, per_channel=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(own["window"]["max_length"])
    with open(out / "texts.jsonl", "w") as file:
        for line in texts.read_text().splitlines():
            pieces = tokenizer.encode(line)
            row = {"text": line, "ids": pieces.ids, "offsets": pieces.offsets}
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
