#!/usr/bin/env bash
# Instructions per request, as callgrind counts them: instructions/run.sh [CONTENDER...]
#   REQUESTS=1000    how many requests a count
# Repeats to within half a percent, so that a regression shows on a noisy machine too.
set -euo pipefail
cd "$(dirname "$0")/.."
contenders=("$@")
[ ${#contenders[@]} -gt 0 ] || contenders=(floor)
requests=${REQUESTS:-1000}
command -v valgrind >/dev/null || { echo "valgrind is missing: apt-get install valgrind" >&2; exit 1; }

features=()
case " ${contenders[*]} " in *" oauth-as "* | *" oxide-auth "*) features=(--features peers) ;; esac
cargo build -q --release -p instructions "${features[@]}"
binary=${CARGO_TARGET_DIR:-target}/release/instructions
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '%-20s' "instructions"
printf '%14s' "${contenders[@]}"
printf '\n'
for path in client_credentials code refresh introspection bearer jwt; do
    printf '%-20s' "$path"
    for contender in "${contenders[@]}"; do
        if valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
            --toggle-collect='instructions::measured*' "$binary" "$contender" "$path" "$requests" 2>"$scratch/log"; then
            awk -v n="$requests" '/Collected/ { printf "%14d", $4 / n }' "$scratch/log"
        else
            printf '%14s' –
        fi
    done
    printf '\n'
done
