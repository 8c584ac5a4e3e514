#!/usr/bin/env bash
# Runs every ```sh block of README.md that is not marked <!-- not run --> in an empty folder, as a reader would, and then
# the one for Node.js on the model that they leave. (tests/browser runs the page.)
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

awk '/<!-- run: node -->/ { found = 1 } found && /^```$/ { exit } on { print } found && /^```js$/ { on = 1 }' \
    "$root/README.md" >example.mjs
test -s example.mjs
mkdir node_modules
ln -s "$root/node" node_modules/innerspan-node
node example.mjs | tee found.txt
grep -q 'Grey Petrel' found.txt
