#!/usr/bin/env bash
# Runs every ```sh block of README.md that is not marked <!-- not run --> in an empty folder, as a reader would.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '
    /<!-- not run -->/ { skip = 1; next }
    /^```sh$/ { if (!skip) on = 1; else on = 0; inside = 1; next }
    /^```$/ && inside { on = 0; inside = 0; skip = 0; next }
    on { print }
' README.md >"$work/commands.sh"
test -s "$work/commands.sh"

cp "$root"/native-cli/demo/{train,dev}.jsonl "$work/"
cd "$work"
PATH="$target/release:$PATH" bash -euo pipefail -x commands.sh
