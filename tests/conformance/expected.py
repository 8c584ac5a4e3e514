#!/usr/bin/env python3
"""Writes expected/MODEL.PRECISION.json: what the models of models/ find in the texts of cases.json, computed with
`tokenizers` and `transformers` and none of Innerspan's own code.

    python3 tests/conformance/expected.py

For each case a list of entities, by start, longest first, then label; offsets in UTF-16 units.
"""
import json
import unicodedata
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel

HERE = Path(__file__).parent
FILES = {"f32": "model.safetensors", "f16": "model.f16.safetensors", "q8": "model.q8.safetensors"}
# no score may lie so near the threshold that rounding decides
MARGIN = 0.0012
# and no two tags or classes may be so nearly as probable
TIE = 2e-5


def weights(path):
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    for name in [name for name in tensors if tensors[name].dtype == torch.int8]:
        tensors[name] = tensors[name].float() * tensors.pop(name + ".scale")[:, None]
    return {name: tensor.float() for name, tensor in tensors.items()}


def rotate(x):
    """Rotary position embedding with interleaved pairs; x is [..., tokens, width]."""
    tokens, width = x.shape[-2:]
    angle = torch.arange(tokens).double()[:, None] * 10000 ** (-torch.arange(0, width, 2).double() / width)
    cos, sin = angle.cos().float(), angle.sin().float()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, odd * cos + even * sin], -1).flatten(-2)


def scores(head, settings, labels, hidden):
    """[types, tokens, tokens] of hidden [tokens, width]."""
    size = settings["size"]
    p = hidden @ head["head.dense.weight"].T + head["head.dense.bias"]
    if settings["kind"] == "global-pointer":
        q, k = rotate(p.view(len(p), labels, 2, size).permute(1, 2, 0, 3)).unbind(1)
        return q @ k.transpose(1, 2) / size**0.5
    q, k = rotate(p[:, :size]), rotate(p[:, size:])
    bias = (p @ head["head.types_dense.weight"].T + head["head.types_dense.bias"]) / 2
    start, end = bias[:, :labels].T[:, :, None], bias[:, labels:].T[:, None, :]
    return q @ k.T / size**0.5 + start + end


def tagged(tags, labels, first, last, together):
    """The spans (label, first, last, score) that BIO tags say within the tokens first..last."""
    found, open_ = [], None
    for token in [*range(first, last + 1), None]:
        tag = 2 * labels if token is None else tags[token]
        label, begins = (None, False) if tag == 2 * labels else (tag // 2, tag % 2 == 0)
        if open_ and not begins and label == open_[0]:
            continue
        if open_:
            end = last if token is None else token - 1
            found.append((*open_, end, together(open_[1], end)))
        open_ = (label, token) if begins else None
    return found


def by_token(head, labels, hidden, first, last):
    p = torch.softmax(linear(head, "dense", hidden), -1)
    top = p.topk(2).values
    assert (top[:, 0] - top[:, 1]).min() > TIE, (top[:, 0] - top[:, 1]).min()
    most, tags = p.max(-1)
    return tagged(tags.tolist(), labels, first, last, lambda a, b: float(most[a : b + 1].prod()))


def by_chain(head, labels, hidden, first, last, constrained):
    """Viterbi, and probabilities by the forward and backward recursions on logarithms."""
    e = linear(head, "dense", hidden).double()
    step, start, end = (head[f"head.{name}transitions"].double() for name in ("", "start_", "end_"))
    if constrained:
        step, start = step.clone(), start.clone()
        for label in range(labels):
            inside = 2 * label + 1
            start[inside] = -torch.inf
            others = [tag for tag in range(2 * labels + 1) if tag // 2 != label or tag == 2 * labels]
            step[inside, others] = -torch.inf
    best, back = start + e[0], []
    forward, backward = [start + e[0]], [end]
    for emission in e[1:]:
        values, tags = (best[None] + step).max(1)
        best = values + emission
        back.append(tags)
        forward.append(torch.logsumexp(forward[-1][None] + step, 1) + emission)
    for emission in e.flip(0)[:-1]:
        backward.insert(0, torch.logsumexp((backward[0] + emission)[:, None] + step, 0))
    path = [int((best + end).argmax())]
    for tags in reversed(back):
        path.insert(0, int(tags[path[0]]))
    total = torch.logsumexp(forward[-1] + end, 0)

    def together(a, b):
        inner = sum(step[path[t], path[t - 1]] + e[t, path[t]] for t in range(a + 1, b + 1))
        return float((forward[a][path[a]] + inner + backward[b][path[b]] - total).exp())

    return tagged(path, labels, first, last, together)


def by_span(head, labels, hidden, first, last, width):
    start, end = linear(head, "start", hidden), hidden @ head["head.end.weight"].T
    found = []
    for i in range(first, last + 1):
        for j in range(i, min(i + width, last + 1)):
            p = torch.softmax(start[i] + end[j], -1)
            top = p.topk(2)
            assert top.values[0] - top.values[1] > TIE, (i, j, top.values)
            if top.indices[0] < labels:
                found.append((int(top.indices[0]), i, j, float(top.values[0])))
    return found


def linear(head, name, x):
    return x @ head[f"head.{name}.weight"].T + head[f"head.{name}.bias"]


def spans(head, own, hidden, last):
    """What a head finds in tokens 1..last of hidden [tokens, width]: (label, first token, last token, score)."""
    labels, settings = len(own["labels"]), own["head"]
    match settings["kind"]:
        case "tagger":
            return by_token(head, labels, hidden, 1, last)
        case "crf":
            return by_chain(head, labels, hidden, 1, last, settings["constrained"])
        case "span-classifier":
            return by_span(head, labels, hidden, 1, last, settings["width"])
    of_type = torch.sigmoid(scores(head, settings, labels, hidden)).numpy()
    above = np.argwhere(of_type > own["decode"]["threshold"] - MARGIN)
    return [
        (label, i, j, float(of_type[label, i, j])) for label, i, j in above.tolist() if 1 <= i <= j <= last
    ]


def windows(pieces, capacity, stride):
    if pieces <= capacity:
        return [(0, pieces)] if pieces else []
    last = pieces - capacity
    return [(start, start + capacity) for start in [*range(0, last, capacity - stride), last]]


def owner(all_windows, pieces, first, last):
    """The window with most context on the poorer side of a span."""
    def context(window):
        left = float("inf") if window[0] == 0 else first - window[0]
        right = float("inf") if window[1] == pieces else window[1] - last - 1
        return min(left, right)

    holding = [window for window in all_windows if window[0] <= first and last < window[1]]
    return max(holding, key=context)


def unspaced(c):
    ranges = [(0x0E00, 0x0EFF), (0x1100, 0x11FF), (0x2E80, 0xA4CF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)]
    return any(low <= ord(c) <= high for low, high in ranges)


def inside_word(text, at):
    """Whether no word begins or ends between text[at - 1] and text[at]."""
    if at in (0, len(text)) or text[at].isspace() or text[at - 1].isspace():
        return False
    mark = lambda c: unicodedata.category(c) in ("Mn", "Me", "Mc", "Cf") or 0x1F3FB <= ord(c) <= 0x1F3FF
    if text[at] == "\u200d" or text[at - 1] == "\u200d" or mark(text[at]):
        return True
    before = at - 1
    while before > 0 and mark(text[before]):
        before -= 1
    letter = lambda c: c.isalnum() and not unspaced(c)
    return letter(text[before]) and letter(text[at])


def recognise(text, tokenizer, config, encoder, head, own):
    encoding = tokenizer.encode(text)
    special = encoding.special_tokens_mask
    inner = [at for at, flag in enumerate(special) if not flag]
    ids = encoding.ids
    prefix, suffix = ids[: inner[0]] if inner else ids[:1], ids[-1:]
    ids, offsets = [ids[at] for at in inner], [encoding.offsets[at] for at in inner]
    cuts = windows(len(ids), own["window"]["max_length"] - 2, own["window"]["stride"])
    threshold, found = own["decode"]["threshold"], []
    first_of, last_of = {}, {}
    for at, (start, end) in enumerate(offsets):
        if start < end:
            if not first_of or start > max(first_of):
                first_of[start] = at
            last_of[end] = at
    for window in cuts:
        row = torch.tensor([prefix + ids[window[0] : window[1]] + suffix])
        with torch.no_grad():
            hidden = encoder(row, attention_mask=torch.ones_like(row)).last_hidden_state[0]
        for label, first, last, score in spans(head, own, hidden, window[1] - window[0]):
            first_piece, last_piece = window[0] + first - 1, window[0] + last - 1
            if owner(cuts, len(ids), first_piece, last_piece) != window:
                continue
            start, end = offsets[first_piece][0], offsets[last_piece][1]
            if own["decode"]["word_boundaries"]:
                if first_of.get(start) != first_piece or last_of.get(end) != last_piece:
                    continue
                if inside_word(text, start) or inside_word(text, end):
                    continue
            if start >= end or not offsets[first_piece][1] > offsets[first_piece][0]:
                continue
            assert threshold == 0 or abs(score - threshold) > MARGIN, (text, own["labels"][label], text[start:end], score)
            found.append((start, end, own["labels"][label], score))
    utf16 = lambda at: len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
    found.sort(key=lambda e: (e[0], -e[1], e[2]))
    return [
        {"start": utf16(start), "end": utf16(end), "label": label, "score": round(score, 6)}
        for start, end, label, score in found
    ]


cases = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
(HERE / "expected").mkdir(exist_ok=True)
for folder in sorted((HERE / "models").iterdir()):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own = json.loads((folder / "config.json").read_text())["innerspan"]
    config = AutoConfig.from_pretrained(folder)
    for precision, name in FILES.items():
        if not (folder / name).exists():
            continue
        tensors = weights(folder / name)
        encoder = AutoModel.from_config(config).eval()
        bare = {key.split(".", 1)[1]: value for key, value in tensors.items() if not key.startswith("head.")}
        missing = encoder.load_state_dict(bare, strict=False)
        assert not missing.unexpected_keys and all("pooler" in key or "position_ids" in key for key in missing.missing_keys), missing
        found = [recognise(case["text"], tokenizer, config, encoder, tensors, own) for case in cases]
        path = HERE / "expected" / f"{folder.name}.{precision}.json"
        lines = ",\n".join(json.dumps(entities, ensure_ascii=False) for entities in found)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        print(path.name, [len(entities) for entities in found])
