# Functions for measuring with the programs: sourced by deploy/experiments/run, then by an experiment's `measure`.
# Needs bash, awk, od, sed. What they read: result.json and history.jsonl of run folders, and model.safetensors.
#
#     PROGRAM   the dnn-coord to use          FOLDER    a temporary folder, run folders are $FOLDER/NAME
#     WORKERS   workers of each run

# train NAME RUN.yaml [OPTIONS]: a run in $FOLDER/NAME, which must end as planned.
train() {
    local name=$1 file=$2
    shift 2
    attempt "$name" "$file" "$@" || { cat "$FOLDER/$name.log" >&2; echo "experiments: the run $name failed" >&2; exit 1; }
}

# attempt NAME RUN.yaml [OPTIONS]: the same for a run that may diverge. Returns 1 then; exits on anything else that goes wrong.
attempt() {
    local name=$1 file=$2 status=0
    shift 2
    rm -rf "${FOLDER:?}/$name"
    "$PROGRAM" train "$file" --workers "$WORKERS" --output "$FOLDER/$name" --quiet "$@" >"$FOLDER/$name.log" 2>&1 || status=$?
    if [[ $status != 0 ]] && { [[ $status != 1 ]] || ! grep -q 'not finite' "$FOLDER/$name.log"; }; then
        cat "$FOLDER/$name.log" >&2
        echo "experiments: the run $name ended with status $status" >&2
        exit 1
    fi
    return "$status"
}

# Tells JSON on standard input as lines "path value", a path as in `layers.0.name`; every line of the input is a document of its own
# with its number in front (`1.layers.0.name`) if the first argument is `lines`.
flatten() {
    awk -v lines="${1:-}" '
        function fail() { print "experiments: no JSON: " substr(text, at, 40) >"/dev/stderr"; exit 1 }
        function blank() { while (substr(text, at, 1) ~ /[ \t\n\r]/) at++ }
        function word(   from) {               # a string without its quotes, or any other scalar
            from = at
            if (substr(text, at, 1) == "\"") {
                at++
                while (at <= length(text) && substr(text, at, 1) != "\"") at += substr(text, at, 1) == "\\" ? 2 : 1
                at++
                return substr(text, from + 1, at - from - 2)
            }
            while (at <= length(text) && substr(text, at, 1) !~ /[],} \t\n\r]/) at++
            if (at == from) fail()
            return substr(text, from, at - from)
        }
        function value(path,   open, close_, index_, key) {
            blank()
            open = substr(text, at, 1)
            if (open != "{" && open != "[") { print path, word(); return }
            close_ = open == "{" ? "}" : "]"
            at++
            for (index_ = 0; ; index_++) {
                blank()
                if (substr(text, at, 1) == close_) { at++; return }
                if (substr(text, at, 1) == ",") { at++; blank() }
                key = index_
                if (open == "{") {
                    key = word()
                    blank()
                    if (substr(text, at, 1) != ":") fail()
                    at++
                }
                value(path == "" ? key : path "." key)
                if (at > length(text)) fail()
            }
        }
        lines { text = $0; at = 1; value(NR "") }
        !lines { all = all $0 "\n" }
        END { if (!lines) { text = all; at = 1; value("") } }'
}

# figure NAME KEY: one figure of result.json: steps, train.loss, test.accuracy.
figure() {
    flatten <"$FOLDER/$1/result.json" | awk -v key="$2" '
        $1 == key { print $2; found = 1 }
        END { if (!found) { print "experiments: result.json has no " key >"/dev/stderr"; exit 1 } }'
}

# validations NAME KEY…: a line per validation with these figures of history.jsonl; - where there is none.
validations() {
    local name=$1
    shift
    flatten lines <"$FOLDER/$name/history.jsonl" | awk -v keys="$*" '
        BEGIN { count = split(keys, wanted, " ") }
        { line = $1; sub(/\..*/, "", line); key = $1; sub(/[^.]*\./, "", key); told[line, key] = $2; if (line + 0 > last) last = line + 0 }
        END {
            for (line = 1; line <= last; line++) {
                row = ""
                for (i = 1; i <= count; i++) {
                    cell = (line, wanted[i]) in told ? told[line, wanted[i]] : "-"
                    row = row (i > 1 ? " " : "") (cell == "null" ? "-" : cell)
                }
                print row
            }
        }'
}

# layers NAME KEY [LINE]: "layer figure" for every layer that has that figure in a line of history.jsonl, the last one by default.
layers() {
    local line=${3:-}
    [[ $line ]] || line=$(wc -l <"$FOLDER/$1/history.jsonl")
    sed -n "${line}p" "$FOLDER/$1/history.jsonl" | flatten | awk -v key="$2" '
        $1 ~ /^layers\./ {
            split($1, part, ".")
            if (part[3] == "name") name[part[2]] = $2
            if (part[3] == key && $2 != "null") { place[++count] = part[2]; told[count] = $2 }
        }
        END { for (i = 1; i <= count; i++) print name[place[i]], told[i] }'
}

# gradient_ratio NAME [LINE]: gradient norm of the first layer with weights over that of the last.
gradient_ratio() {
    layers "$1" gradient_norm "${2:-}" | awk 'NR == 1 { first = $2 } { last = $2 } END { print (last > 0 ? first / last : 0) }'
}

# weights NAME: every weight of the final net, one a line; biases and slopes are left out.
weights() {
    local model=$FOLDER/$1/model.safetensors header start end name
    header=$(od -An -tu8 -N8 "$model" | tr -d ' ')
    tail -c +9 "$model" | head -c "$header" | flatten | awk '
        $1 ~ /\.weight\.data_offsets\.0$/ { start[substr($1, 1, length($1) - 2)] = $2 }
        $1 ~ /\.weight\.data_offsets\.1$/ { name = substr($1, 1, length($1) - 2); print start[name], $2, name }' |
        while read -r start end name; do
            tail -c +$((8 + header + start + 1)) "$model" | head -c $((end - start)) | od -An -v -tf4 -w4
        done
}

# ask diagnose NAME, ask compare NAME NAME: what the program itself says of runs.
ask() {
    local verb=$1 name folders=()
    shift
    for name in "$@"; do folders+=("$FOLDER/$name"); done
    echo
    echo "dnn-coord $verb $*"
    "$PROGRAM" "$verb" "${folders[@]}" 2>&1 | sed -e 's/^/  /' -e 's/model.layers=\[.*\]/model.layers=[…]/'
}

# holds 'EXPRESSION' [NAME=VALUE…]: whether an awk expression of these names is true.
holds() {
    local expression=$1 arguments=() pair
    shift
    for pair in "$@"; do arguments+=(-v "$pair"); done
    awk "${arguments[@]}" "BEGIN { exit !($expression) }"
}

# calculate 'EXPRESSION' [NAME=VALUE…]: its value.
calculate() {
    local expression=$1 arguments=() pair
    shift
    for pair in "$@"; do arguments+=(-v "$pair"); done
    awk "${arguments[@]}" "BEGIN { printf \"%.6g\\n\", ($expression) }"
}

# short: the text on standard input with its decimal fractions in four significant digits.
short() {
    awk '{
        text = ""
        while (match($0, /[0-9]+\.[0-9]+(e[-+]?[0-9]+)?/)) {
            text = text substr($0, 1, RSTART - 1) sprintf("%.4g", substr($0, RSTART, RLENGTH))
            $0 = substr($0, RSTART + RLENGTH)
        }
        print text $0
    }'
}

# verdict yes|partly|no TEXT: the last word on the claim; once per experiment.
verdict() {
    local text
    text=$(short <<<"$2")
    echo
    case $1 in
    yes) echo "It holds: $text" ;;
    partly) echo "It holds in part: $text" ;;
    *) echo "It does not hold: $text" ;;
    esac
    printf '%s\t%s\n' "$1" "$text" >"$FOLDER/verdict"
}
