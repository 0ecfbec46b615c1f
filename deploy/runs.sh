# For scripts that start runs, disturb them and compare them with undisturbed ones (deploy/faults, deploy/storm, deploy/netlab/run); to be
# sourced in the project's folder.

# programs NAME…: DNN_BIN names a folder with built programs; otherwise they are built.
programs() {
    local product
    [ -z "${DNN_BIN:-}" ] || return 0
    deploy/packages
    for product in "$@"; do swift build -c release --product "$product" >&2; done
    DNN_BIN=$(swift build -c release --show-bin-path)
}

now() { printf '%s\n' "$EPOCHREALTIME"; }
# since THEN [NOW]: in seconds.
since() { awk -v a="$1" -v b="${2:-$EPOCHREALTIME}" 'BEGIN { printf "%.2f", b - a }'; }
# statistics: of the numbers on standard input, one per line.
statistics() {
    sort -n | awk '{ v[NR] = $1 } END { if (NR) printf "median %.2f s, worst %.2f s", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[NR] }'
}

# figure FOLDER KEY: of result.json, at whatever depth it comes first.
figure() { sed -n "s/.*\"$2\" *: *\"\{0,1\}\([^\",}]*\).*/\1/p" "$1/result.json" 2>/dev/null | head -n 1; }
# samples FOLDER PART: how many rows a part's figures in result.json are of.
samples() { awk -v part="\"$2\"" '$1 == part { inside = 1 } inside && $1 == "\"samples\"" { print $3 + 0; exit }' "$1/result.json"; }
# lines FOLDER: those of its history, without the time that they took.
lines() { sed -E 's/"seconds":[^,}]*,//' "$1/history.jsonl"; }

# Lines of a program with the time at which they came.
stamped() { while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done; }
# line_time LOG TEXT [TIME]: when the first line of LOG came that contains TEXT, after TIME; waits for it, at most ten minutes.
line_time() {
    local log=$1 text=$2 after=${3:-0} found deadline=$((SECONDS + 600))
    while [ $SECONDS -lt $deadline ]; do
        found=$(grep -aF -- "$text" "$log" 2>/dev/null | awk -v t="$after" '$1 > t && !found { found = $1 } END { print found }') || true
        [ -n "$found" ] && { printf '%s\n' "$found"; return; }
        sleep 0.02
    done
    echo "${0##*/}: '$text' was not said within ten minutes; see below" >&2
    grep -av "epoch " "$log" | tail -n 20 >&2
    return 1
}

# marked MARK: processes with the environment variable MARK, zombies and this script left out.
marked() {
    local environment
    for environment in /proc/[0-9]*/environ; do
        environment=${environment%/environ}
        [ "${environment#/proc/}" = $$ ] || ! grep -qzxF -- "$1" "$environment/environ" 2>/dev/null || echo "${environment#/proc/}"
    done
}
