#!/usr/bin/env bash
# Makes models/ and expected/ anew; needs `innerspan` on the PATH, and Python with torch and transformers.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
demo=../../native-cli/demo

"$python" cases.py
"$python" encoders.py "$work"
rm -rf models expected
train() {
    local name=$1
    shift
    innerspan train --train $demo/train.jsonl --dev $demo/dev.jsonl --encoder "$work/$name" --out "models/$name" \
        --device cpu --epochs 40 --lr 2e-3 --head-lr 4e-3 --head-size 16 --max-length 64 --stride 16 "$@"
    rm "models/$name"/{metrics.jsonl,settings.toml,README.md}
    for precision in f16 q8; do
        innerspan quantize --model "models/$name" --precision $precision --data $demo/dev.jsonl
    done
}
train bert
train roberta --head efficient-global-pointer
"$python" expected.py
