#!/usr/bin/env bash
# The server's processor time per HTTP request, relative to bare axum: http/run.sh [PATH...]
#   CONTENDER=ours     what to compare with the floor
#   PAIRS=5            how many interleaved pairs a path
#   REQUESTS=100000    how many requests a run
# The server has processor 0 to itself, wrk (32 connections) processor 1.
set -euo pipefail
cd "$(dirname "$0")/.."
contender=${CONTENDER:-ours}
pairs=${PAIRS:-5}
requests=${REQUESTS:-100000}
paths=("$@")
[ ${#paths[@]} -gt 0 ] || paths=(client_credentials code refresh introspection bearer jwt)

for tool in wrk taskset; do
    command -v $tool >/dev/null || { echo "$tool is missing: apt-get install wrk util-linux" >&2; exit 1; }
done
features=()
case $contender in oauth-as | oxide-auth) features=(--features peers) ;; esac
cargo build -q --release -p http-server "${features[@]}"
server=${CARGO_TARGET_DIR:-target}/release/http-server
scratch=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$scratch"' EXIT

# Nanoseconds that all threads of the server have spent on a processor.
processor_time() { cat /proc/"$pid"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# measure CONTENDER PATH: nanoseconds per request
measure() {
    local spare=$((requests + 200)) url authorization before after count failed
    mkfifo "$scratch/ready"
    taskset -c 0 "$server" "$1" "$2" "$spare" "$scratch/forms" >"$scratch/ready" &
    pid=$!
    read -r url authorization <"$scratch/ready"
    before=$(processor_time)
    taskset -c 1 wrk -t1 -c32 -d120 -s http/drive.lua "$url" -- "$scratch/forms" "$requests" "$authorization" \
        >"$scratch/wrk"
    after=$(processor_time)
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    pid=
    rm "$scratch/ready"
    read -r _ count _ failed < <(grep '^requests ' "$scratch/wrk")
    if [ "$failed" -ne 0 ] || [ "$count" -lt $((requests * 9 / 10)) ]; then
        echo "$1 $2: $failed of $count requests failed" >&2
        exit 1
    fi
    echo $(((after - before) / count))
}

median() { sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

printf '%-20s %12s %12s %8s %16s\n' "CPU per request" "floor, µs" "$contender, µs" ratio "(min to max)"
for path in "${paths[@]}"; do
    : >"$scratch/floor" >"$scratch/other" >"$scratch/ratios"
    for ((pair = 0; pair < pairs; pair++)); do
        floor=$(measure floor "$path")
        other=$(measure "$contender" "$path")
        echo "$floor" >>"$scratch/floor"
        echo "$other" >>"$scratch/other"
        awk -v a="$other" -v b="$floor" 'BEGIN { printf "%.4f\n", a / b }' >>"$scratch/ratios"
    done
    printf '%-20s %12.2f %12.2f %8.2f %16s\n' "$path" \
        "$(median <"$scratch/floor" | awk '{ print $1 / 1000 }')" \
        "$(median <"$scratch/other" | awk '{ print $1 / 1000 }')" \
        "$(median <"$scratch/ratios")" \
        "($(sort -g "$scratch/ratios" | head -1 | cut -c1-4) to $(sort -g "$scratch/ratios" | tail -1 | cut -c1-4))"
done
