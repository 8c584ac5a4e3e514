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
rm -rf models expected corpus
train() {
    local name=$1 encoder=$2
    shift 2
    innerspan train --train $demo/train.jsonl --dev $demo/dev.jsonl --encoder "$work/$encoder" --out "models/$name" \
        --device cpu --epochs 40 --lr 2e-3 --head-lr 4e-3 --head-size 16 --max-length 64 --stride 16 "$@"
    rm "models/$name"/{metrics.jsonl,settings.toml,README.md}
}
quantize() {
    innerspan quantize --model "models/$1" --precision "$2" --data $demo/dev.jsonl
}
train bert bert
train roberta roberta --head efficient-global-pointer
for name in bert roberta; do
    quantize $name f16
    quantize $name q8
done
# one precision is enough for the heads
train tagger bert --head tagger
train crf bert --head crf --constrained
train span-classifier bert --head span-classifier --span-width 16
# seeds belong to what they share half with, so that many boundaries move; the second has every feature, and takes for
# entities what is only near one, so that many cross
two_stage=(--head two-stage --head-dropout 0.1 --pair-iou 0.5 --regressor-weight 1 --decay-iou 0.5 --filter-threshold 0.25)
train two-stage bert "${two_stage[@]}" --seed-lengths 1-4,6
train two-stage-features deep "${two_stage[@]}" --seed-lengths 1-3,5 --class-iou 0.6 --decay 0.8 --drop-crossing \
    --threshold 0.55 --bilstm --char-size 6 --context 16 --word-vectors "$work/vectors.txt" --eval-every 40
for name in tagger crf span-classifier two-stage two-stage-features; do
    quantize $name q8
    rm models/$name/model.safetensors
done
"$python" expected.py
