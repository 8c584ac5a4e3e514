#!/usr/bin/env python3
"""Writes core/tests/vectors/encoders: tiny random encoders of every family, saved as Hugging Face
folders, with inputs and the hidden states that the `transformers` package computes for them.

    python3 tests/reference/encoders.py [MINILM_FOLDER]

needs `torch`, `transformers` and `safetensors`. With the folder of a MiniLM-L6-H384-uncased it also
writes minilm.json, slices of that encoder's hidden states. Seeds are fixed.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraForPreTraining,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaModel,
)

OUT = Path(__file__).resolve().parents[2] / "core/tests/vectors/encoders"
VOCAB, HIDDEN, LAYERS, HEADS, INNER = 60, 32, 2, 4, 48
COMMON = dict(
    vocab_size=VOCAB,
    hidden_size=HIDDEN,
    num_hidden_layers=LAYERS,
    num_attention_heads=HEADS,
    intermediate_size=INNER,
    max_position_embeddings=24,
)


def families():
    """name -> (model, how its weights are saved)"""
    yield "bert", BertModel(BertConfig(**COMMON, hidden_act="gelu")), "safetensors"
    # with its language-model head: a prefix, and tensors that an encoder does not need
    yield "roberta", RobertaForMaskedLM(
        RobertaConfig(**COMMON, pad_token_id=1, type_vocab_size=1, layer_norm_eps=1e-5, hidden_act="gelu_new")
    ), "sharded"
    yield "xlm-roberta", XLMRobertaModel(
        XLMRobertaConfig(**COMMON, pad_token_id=1, type_vocab_size=1, layer_norm_eps=1e-5, hidden_act="silu")
    ), "pytorch"
    yield "distilbert", DistilBertModel(
        DistilBertConfig(
            vocab_size=VOCAB, dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=INNER, max_position_embeddings=24
        )
    ), "safetensors"
    yield "electra", ElectraForPreTraining(
        ElectraConfig(**COMMON, embedding_size=16, hidden_act="relu")
    ), "safetensors"


def randomize(model, seed):
    """Weights large enough that every part of the network shows in the result."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            norm = "layernorm" in name.lower() or "layer_norm" in name.lower()
            parameter.copy_(1 + 0.2 * noise if norm and name.endswith("weight") else 0.2 * noise)


def save(model, folder, how):
    model.save_pretrained(folder, max_shard_size="40KB" if how == "sharded" else "5GB")
    if how == "pytorch":
        weights = folder / "model.safetensors"
        torch.save(load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()
    for file in folder.iterdir():
        file.chmod(0o644)


def hidden_states(model, ids, mask):
    base = getattr(model, model.base_model_prefix, model)
    base.eval()
    with torch.no_grad():
        output = base(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    return output.hidden_states, output.last_hidden_state


def rounded(tensor):
    return [[[round(value, 7) for value in token] for token in row] for row in tensor.tolist()]


def tiny(seed=20240607):
    for number, (name, model, how) in enumerate(families()):
        folder = OUT / name
        randomize(model, seed + number)
        save(model, folder, how)
        pad = model.config.pad_token_id
        generator = torch.Generator().manual_seed(seed - number - 1)
        ids = torch.randint(5, VOCAB, (2, 9), generator=generator)
        mask = torch.ones_like(ids)
        ids[1, 6:], mask[1, 6:] = pad, 0
        layers, last = hidden_states(model, ids, mask)
        expected = {
            "ids": ids.tolist(),
            "mask": mask.tolist(),
            "layers": [rounded(layer) for layer in layers],
            "last": rounded(last),
        }
        (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


SENTENCES = [
    "IL-2 gene expression and NF-kappa B activation through CD28 requires reactive oxygen production.",
    "The centrifugal pump's left bearing is leaking.",
    "Naïve café patients in Zürich received 5 mg of α-tocopherol daily, and the dose was doubled later.",
]


def minilm(folder):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    _, last = hidden_states(model, ids, mask)
    rows = []
    for row, (states, real) in enumerate(zip(last, mask)):
        length = int(real.sum())
        points = [(token, dim) for token in (0, 1, length // 2, length - 1) for dim in (0, 7, 191, 383)]
        rows.append({
            "ids": ids[row].tolist(),
            "mask": real.tolist(),
            "points": [[token, dim, round(float(states[token, dim]), 7)] for token, dim in points],
            "mean_abs": round(float(states[:length].abs().mean()), 7),
        })
    (OUT / "minilm.json").write_text(json.dumps({"sentences": SENTENCES, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    if OUT.exists() and len(sys.argv) > 1:
        shutil.rmtree(OUT)
    OUT.mkdir(parents=True, exist_ok=True)
    tiny()
    if len(sys.argv) > 1:
        minilm(sys.argv[1])
