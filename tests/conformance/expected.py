#!/usr/bin/env python3
"""Writes expected/MODEL.PRECISION.json: what the models of models/ find in the texts of cases.json, computed with
`tokenizers` and `transformers` and none of Innerspan's own code.

    python3 tests/conformance/expected.py [MODEL…]

For each case a list of entities, by start, longest first, then label; offsets in UTF-16 units. Of models that read
neighbours, corpus/ has what they find where the cases are the documents of a corpus.
"""
import json
import math
import sys
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
# and no two tags or classes may be so nearly as probable, nor anything else be so nearly the other way
TIE = 2e-5
# nor two spans that compete have so nearly the same score; scores near 1 are more exact
ORDER = 1e-6


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


def lstm(head, name, x):
    """Both directions over one sequence [steps, width]."""
    own = {f"head.{name}.{key}": key for key in ("right", "left")}
    size = head[f"head.{name}.right.recurrent.weight"].shape[1]
    net = torch.nn.LSTM(x.shape[1], size, bidirectional=True)
    state = {}
    for prefix, direction in own.items():
        suffix = "_l0" + ("_reverse" if direction == "left" else "")
        state["weight_ih" + suffix] = head[prefix + ".input.weight"]
        state["bias_ih" + suffix] = head[prefix + ".input.bias"]
        state["weight_hh" + suffix] = head[prefix + ".recurrent.weight"]
        state["bias_hh" + suffix] = torch.zeros(4 * size)
    net.load_state_dict(state)
    with torch.no_grad():
        return net(x)[0]


def characters(word):
    return [ord(c) - 32 if "!" <= c <= "~" else 0 for c in word[:64]] + [96]


def word_vectors(head, settings, hidden, words, texts):
    """[words, width] of tokens [tokens, width]; words are lists of tokens."""
    x = torch.stack([hidden[tokens].amax(0) for tokens in words])
    parts = [x]
    if "word-list" in settings:
        known = settings["word-list"]["words"]
        rows = [known.index(text.lower()) + 1 if text.lower() in known else 0 for text in texts]
        parts.append(head["head.features.word_vectors"][rows])
    if settings["char-size"] > 0:
        table = head["head.features.characters.embedding.weight"]
        of = lambda text: lstm(head, "features.characters.bilstm", table[characters(text)]).mean(0)
        means = {text: of(text) for text in set(texts)}
        parts.append(torch.stack([means[text] for text in texts]))
    x = torch.cat(parts, 1)
    if settings["bilstm"]:
        return lstm(head, "features.bilstm", x)
    return linear(head, "features.fuse", x) if len(parts) > 1 else x


def by_words(head, settings, x, threshold):
    """Locate and Label in vectors of words [words, width]: (label, first word, last word, score)."""
    count = len(x)

    def read(part, spans, beyond):
        rows = [
            torch.cat([x[max(i - beyond, 0)], x[min(j + beyond, count - 1)], x[i : j + 1].amax(0)])
            for i, j in spans
        ]
        middle = linear(head, f"{part}.dense", torch.stack(rows))
        return linear(head, f"{part}.out", torch.nn.functional.gelu(middle))

    longest = max(settings["seed-lengths"])
    seeds = [(i, j) for i in range(count) for j in range(i, min(i + longest, count))]
    belongs = torch.sigmoid(read("filter", seeds, 0)[:, 0])
    assert (belongs - settings["filter-threshold"]).abs().min() > TIE
    seeds = [seed for seed, p in zip(seeds, belongs.tolist()) if p > settings["filter-threshold"]]
    if not seeds:
        return []
    moved = {}
    for (i, j), offsets in zip(seeds, read("regressor", seeds, 1).tolist()):
        assert all(abs(by - math.floor(by) - 0.5) > TIE for by in offsets), offsets
        left, right = (math.floor(by + 0.5) for by in offsets)
        i, j = max(i + left, 0), min(j + right, count - 1)
        if i <= j:
            moved[i, j] = True
    if not moved:
        return []
    top = torch.softmax(read("classifier", list(moved), 0), -1).topk(2)
    assert (top.values[:, 0] - top.values[:, 1]).min() > TIE
    left = [
        [p[0], span, c[0] - 1]
        for span, p, c in zip(moved, top.values.tolist(), top.indices.tolist())
        if c[0] > 0
    ]
    return soft_nms(left, settings, threshold)


def crosses(one, other):
    (a, b), (i, j) = sorted([one, other])
    return a < i <= b < j


def soft_nms(left, settings, threshold):
    """Of [score, (first, last), label] what stays."""
    kept = []
    while left:
        best = max(left)
        left.remove(best)
        score, (i, j), label = best
        assert abs(score - threshold) > MARGIN, best
        if score <= threshold:
            break
        if settings["drop-crossing"] and any(crosses((i, j), (a, b)) for _, a, b, _ in kept):
            continue
        for other in left:
            a, b = other[1]
            shared = min(j, b) - max(i, a) + 1
            near = shared > 0 and shared / (max(j, b) - min(i, a) + 1) >= settings["decay-iou"]
            if near or (settings["drop-crossing"] and crosses((i, j), (a, b))):
                assert score - other[0] > ORDER, (best, other)
            if near:
                other[0] *= settings["decay"]
        kept.append((label, i, j, score))
    return kept


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


class Pieces:
    """The word pieces of a text."""

    def __init__(self, text, tokenizer):
        encoding = tokenizer.encode(text)
        inner = [at for at, flag in enumerate(encoding.special_tokens_mask) if not flag]
        ids = encoding.ids
        self.text = text
        self.prefix, self.suffix = ids[: inner[0]] if inner else ids[:1], ids[-1:]
        self.ids, self.offsets = [ids[at] for at in inner], [encoding.offsets[at] for at in inner]
        self.first_of, self.last_of = {}, {}
        for at, (start, end) in enumerate(self.offsets):
            if start < end:
                if not self.first_of or start > max(self.first_of):
                    self.first_of[start] = at
                self.last_of[end] = at

    def starts_word(self, piece):
        start = self.offsets[piece][0]
        return self.first_of.get(start) == piece and not inside_word(self.text, start)

    def ends_word(self, piece):
        end = self.offsets[piece][1]
        return self.last_of.get(end) == piece and not inside_word(self.text, end)

    def words(self, window):
        """Lists of pieces; what a window cuts off a word is one too, and what lies between words is in none."""
        words, inside = [], False
        for piece in range(*window):
            if not words or self.starts_word(piece):
                words.append([piece])
                inside = True
            elif inside:
                words[-1].append(piece)
            if self.ends_word(piece):
                inside = False
        return words


def recognise(pieces, encoder, head, own, before=None, after=None):
    """The entities of a text, which may be a document between others of a corpus."""
    text, ids, offsets = pieces.text, pieces.ids, pieces.offsets
    max_length = own["window"]["max_length"]
    cuts = windows(len(ids), max_length - 2, own["window"]["stride"])
    threshold, found = own["decode"]["threshold"], []
    context, room = own["head"].get("context", 0), max_length - 2 - len(ids)
    left, right = [], []
    if context and len(cuts) == 1:
        left = before.ids[-min(context, room // 2) :] if before and room >= 2 else []
        right = after.ids[: min(context, room - len(left))] if after else []
    for window in cuts:
        row = torch.tensor([pieces.prefix + left + ids[window[0] : window[1]] + right + pieces.suffix])
        with torch.no_grad():
            states = encoder(row, attention_mask=torch.ones_like(row), output_hidden_states=True)
        if own["head"]["kind"] == "two-stage":
            hidden = torch.stack(states.hidden_states[-4:]).mean(0)[0]
            words = pieces.words(window)
            tokens = [[1 + len(left) + piece - window[0] for piece in word] for word in words]
            texts = [text[offsets[word[0]][0] : offsets[word[-1]][1]] for word in words]
            x = word_vectors(head, own["head"], hidden, tokens, texts)
            of_words = by_words(head, own["head"], x, threshold)
            in_window = [(label, words[i][0], words[j][-1], score) for label, i, j, score in of_words]
        else:
            of_tokens = spans(head, own, states.last_hidden_state[0], window[1] - window[0])
            in_window = [(label, window[0] + i - 1, window[0] + j - 1, score) for label, i, j, score in of_tokens]
        for label, first_piece, last_piece, score in in_window:
            if owner(cuts, len(ids), first_piece, last_piece) != window:
                continue
            start, end = offsets[first_piece][0], offsets[last_piece][1]
            if own["decode"]["word_boundaries"]:
                if not (pieces.starts_word(first_piece) and pieces.ends_word(last_piece)):
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


def write(path, found):
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(entities, ensure_ascii=False) for entities in found)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(path.relative_to(HERE), [len(entities) for entities in found])


cases = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
names = sys.argv[1:] or sorted(folder.name for folder in (HERE / "models").iterdir())
for folder in [HERE / "models" / name for name in names]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own = json.loads((folder / "config.json").read_text())["innerspan"]
    config = AutoConfig.from_pretrained(folder)
    texts = [Pieces(case["text"], tokenizer) for case in cases]
    for precision, name in FILES.items():
        if not (folder / name).exists():
            continue
        tensors = weights(folder / name)
        encoder = AutoModel.from_config(config).eval()
        bare = {key.split(".", 1)[1]: value for key, value in tensors.items() if not key.startswith("head.")}
        missing = encoder.load_state_dict(bare, strict=False)
        assert not missing.unexpected_keys and all("pooler" in key or "position_ids" in key for key in missing.missing_keys), missing
        file = f"{folder.name}.{precision}.json"
        write(HERE / "expected" / file, [recognise(text, encoder, tensors, own) for text in texts])
        if own["head"].get("context", 0) > 0:
            around = zip([None, *texts], texts, [*texts[1:], None])
            in_corpus = [recognise(text, encoder, tensors, own, before, after) for before, text, after in around]
            write(HERE / "corpus" / file, in_corpus)
