#!/usr/bin/env python3
"""Writes small random encoders, as Hugging Face folders, and word vectors, for models.sh to train with.

    python3 tests/conformance/encoders.py OUT

needs `torch`, `transformers` and `tokenizers`.
"""
import json
import re
import sys
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

OUT = Path(sys.argv[1])
CORPUS = Path(__file__).resolve().parents[2] / "native-cli/demo/train.jsonl"
TEXTS = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
SIZES = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96)
torch.manual_seed(1)


def save(name, tokenizer, model):
    folder = OUT / name
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


# lower case, no accents: offsets must find their way back to the text as it was
pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
pieces.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=700, special_tokens=special))
pieces.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
bert = BertConfig(vocab_size=700, max_position_embeddings=128, pad_token_id=0, **SIZES)
save("bert", pieces, BertModel(bert))

# bytes: several pieces share a character
letters = Tokenizer(models.BPE())
letters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
letters.decoder = decoders.ByteLevel()
special = ["<s>", "<pad>", "</s>", "<unk>"]
alphabet = pre_tokenizers.ByteLevel.alphabet()
letters.train_from_iterator(
    TEXTS, trainers.BpeTrainer(vocab_size=700, special_tokens=special, initial_alphabet=alphabet)
)
letters.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
roberta = RobertaConfig(
    vocab_size=700, max_position_embeddings=130, pad_token_id=1, type_vocab_size=1, layer_norm_eps=1e-5, **SIZES
)
save("roberta", letters, RobertaModel(roberta))

# more than the four layers that the two-stage head reads
narrow = dict(hidden_size=32, num_hidden_layers=5, num_attention_heads=4, intermediate_size=48)
deep = BertConfig(vocab_size=700, max_position_embeddings=128, pad_token_id=0, **narrow)
save("deep", pieces, BertModel(deep))

# vectors for some words, so that others have none
counts = Counter(re.findall(r"\w+|[^\w\s]", " ".join(TEXTS).lower()))
frequent = sorted(word for word, count in counts.items() if count >= 20)
rows = zip(frequent, torch.randn(len(frequent), 8).tolist())
lines = [" ".join([word, *(f"{value:.3f}" for value in row)]) for word, row in rows]
(OUT / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
