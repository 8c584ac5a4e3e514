#!/usr/bin/env python3
"""Turns corpus.txt into train.jsonl and dev.jsonl, and says what is in them.

    python3 native-cli/demo/build.py           write both files
    python3 native-cli/demo/build.py --check   exit with 1 if they are not up to date

Offsets count code points, half open. Chapters marked "(held out)" and every ninth sentence of the others become
dev.jsonl, the rest train.jsonl: half of the dev set is new names and places, half is new sentences about known ones.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
EVERY = 9
TYPES = ["PERSON", "ROLE", "ORG", "PLACE", "SHIP", "PART", "FAULT", "MEASURE", "RULE"]


def parse(line, number):
    """One sentence with its entities, outer before inner."""
    text, entities, open_entities = "", [], []
    for piece in re.split(r"(\[[A-Z]+ |[\[\]])", line):
        if re.fullmatch(r"\[[A-Z]+ ", piece):
            label = piece[1:-1]
            if label not in TYPES:
                sys.exit(f"corpus.txt:{number}: unknown type {label}")
            open_entities.append({"start": len(text), "end": None, "label": label})
            entities.append(open_entities[-1])
        elif piece == "]":
            if not open_entities:
                sys.exit(f"corpus.txt:{number}: ] without [TYPE")
            entity = open_entities.pop()
            entity["end"] = len(text)
            mention = text[entity["start"] : entity["end"]]
            if not mention or mention != mention.strip():
                sys.exit(f"corpus.txt:{number}: entity {mention!r} is empty or has space around it")
        elif piece == "[":
            sys.exit(f"corpus.txt:{number}: [ without a type")
        else:
            text += piece
    if open_entities:
        sys.exit(f"corpus.txt:{number}: {len(open_entities)} entities are not closed")
    if text != text.strip() or "  " in text:
        sys.exit(f"corpus.txt:{number}: stray space")
    return {"text": text, "entities": entities}


def read():
    """The sentences of the corpus as (train, dev)."""
    splits, held_out, seen, shared = ([], []), None, {}, 0
    for number, line in enumerate((HERE / "corpus.txt").read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            held_out = line.endswith("(held out)")
        elif line and not line.startswith("#"):
            if held_out is None:
                sys.exit(f"corpus.txt:{number}: a sentence before the first chapter")
            sentence = parse(line, number)
            if sentence["text"] in seen:
                sys.exit(f"corpus.txt:{number}: the same sentence as line {seen[sentence['text']]}")
            seen[sentence["text"]] = number
            shared += not held_out
            splits[held_out or shared % EVERY == 0].append(sentence)
    return splits


def depth(entity, entities):
    """1 for an outermost entity, 2 for one inside it, and so on."""
    return sum(1 for e in entities if e["start"] <= entity["start"] and entity["end"] <= e["end"])


def mentions(sentences):
    return [(s["text"][e["start"] : e["end"]], e["label"], depth(e, s["entities"])) for s in sentences for e in s["entities"]]


def describe(name, sentences):
    found = mentions(sentences)
    by_type, by_depth = Counter(label for _, label, _ in found), Counter(d for _, _, d in found)
    lengths = Counter(min(len(text.split()), 8) for text, _, _ in found)
    deep = sum(1 for s in sentences if any(depth(e, s["entities"]) >= 3 for e in s["entities"]))
    words = sum(len(s["text"].split()) for s in sentences)
    print(f"{name}: {len(sentences)} sentences, {words} words, {len(found)} entities, {deep} sentences with depth 3 or more")
    print("  type   ", ", ".join(f"{t} {by_type[t]} ({100 * by_type[t] / len(found):.1f} %)" for t in TYPES))
    print("  depth  ", ", ".join(f"{d}: {n}" for d, n in sorted(by_depth.items())))
    print("  words  ", ", ".join(f"{n}{'+' if n == 8 else ''}: {lengths[n]}" for n in sorted(lengths)))


def main():
    train, dev = read()
    files = {"train.jsonl": train, "dev.jsonl": dev}
    stale = []
    for name, sentences in files.items():
        content = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in sentences)
        path = HERE / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                stale.append(name)
        else:
            path.write_text(content, encoding="utf-8", newline="\n")
        describe(name, sentences)
    known = {(text, label) for text, label, _ in mentions(train)}
    for scope, found in [("all", mentions(dev)), ("names", [m for m in mentions(dev) if m[1] in ("PERSON", "SHIP", "PLACE", "ORG")])]:
        new = sum((text, label) not in known for text, label, _ in found)
        print(f"dev mentions that train never shows ({scope}): {new} of {len(found)} ({100 * new / len(found):.0f} %)")
    if stale:
        sys.exit(f"out of date, run build.py: {', '.join(stale)}")


if __name__ == "__main__":
    main()
