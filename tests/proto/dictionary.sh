#!/usr/bin/env bash
# dictionary.sh PROGRAM FOLDER: makes the dictionary anew and compares.
set -euo pipefail

made_with=1.5.4
here=$("$1" --version)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if [ "$here" != "$made_with" ]; then
    echo "SKIPPED: the dictionary was made with zstd $made_with, here is $here"
    exit 77
fi
"$1" "$2/texts.txt" "$out"
cmp "$out" "$2/folkmoot.dict"
grep -q "$(sha256sum "$out" | cut -d' ' -f1)" "$2/../../docs/protocol.md"
