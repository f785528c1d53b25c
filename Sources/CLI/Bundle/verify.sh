#!/usr/bin/env bash
# Checks an audit bundle of AgentOS with bash, coreutils, openssl and jq.
#
#     bash verify.sh KEY [FOLDER]
#
# KEY is the public key as `aos audit key` prints it, or a file with it. Get it from whom you trust, never from the bundle.
# FOLDER is the unpacked bundle; the default is this file's. Exit 0: all of it was recorded, and nothing of it is missing or
# changed. Exit 1: not so; each line says where. Exit 2: it cannot be checked. verify.py does the same, faster.
set -u
export LC_ALL=C

faults=0
fault() { echo "NOT VALID: $1"; faults=1; }
stop() { fault "$1"; exit 1; }
give_up() { echo "verify.sh: $1"; exit 2; }

(($# == 1 || $# == 2)) || give_up "expected KEY [FOLDER]"
key=$1
folder=${2:-$(dirname "$0")}
[[ -f $key ]] && key=$(cat "$key")
for tool in openssl jq sha256sum base64 od; do
    command -v "$tool" >/dev/null || give_up "$tool is not installed"
done
work=$(mktemp -d) || give_up "no temporary folder"
trap 'rm -rf "$work"' EXIT
for file in checkpoint.txt manifest.txt places.txt headers.jsonl payloads.txt nodes.txt; do
    [[ -f $folder/$file ]] || give_up "$folder/$file: no such file"
done

# The third part; base64 has plus signs of its own.
key=${key#*+}
printf %s "${key#*+}" | base64 -d >"$work/key" 2>/dev/null
[[ $(od -An -tx1 -N1 "$work/key") == " 01" && $(wc -c <"$work/key") -eq 33 ]] ||
    give_up "the key is none: expected <name>+<id>+<base64>, as \`aos audit key\` prints it"
# SubjectPublicKeyInfo of Ed25519 (RFC 8410): this head, and the key.
{ printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; tail -c 32 "$work/key"; } >"$work/key.der"

raw() {
    local hex=$1 text='' place
    [[ $hex =~ ^([0-9a-f][0-9a-f])*$ ]] || return
    for ((place = 0; place < ${#hex}; place += 2)); do text+="\\x${hex:place:2}"; done
    printf "$text"
}
sum() { local line; read -r line _ < <(sha256sum); echo "$line"; }

# The text of a signed note (https://c2sp.org/signed-note) in `text`.
note() {
    local whole line mark name signature id wanted found=''
    whole=$(cat "$folder/$1"; printf x)
    text=${whole%$'\n\n'*}$'\n'
    printf %s "$text" >"$work/text"
    while IFS= read -r line; do
        read -r mark name signature <<<"$line"
        [[ $mark == $'\xe2\x80\x94' ]] || continue
        printf %s "$signature" | base64 -d >"$work/signature" 2>/dev/null
        id=$(od -An -tx1 -N4 "$work/signature")
        wanted=$({ printf '%s\n' "$name"; cat "$work/key"; } | sum)
        found+=" $name ${id// /}"
        [[ ${id// /} == "${wanted:0:8}" ]] || continue
        tail -c +5 "$work/signature" >"$work/ed25519"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/text" \
            -sigfile "$work/ed25519" >/dev/null 2>&1 && return
    done <<<"${whole##*$'\n\n'}"
    stop "$1: not signed by the given key (signed by${found:- nobody})"
}

note checkpoint.txt
mapfile -t checkpoint <<<"$text"
note manifest.txt
mapfile -t manifest <<<"$text"
[[ ${manifest[0]} == agentos.local/export/1 ]] || stop "manifest.txt: of a kind that this program does not know"
[[ ${checkpoint[0]} == "${manifest[1]}" && "${checkpoint[1]} ${checkpoint[2]}" == "${manifest[2]}" ]] ||
    stop "checkpoint.txt: not the one that the manifest is of"
[[ "places sha256:$(sum <"$folder/places.txt")" == "${manifest[6]}" ]] || stop "places.txt: not what was signed"

size=${checkpoint[1]}
root=$(printf %s "${checkpoint[2]}" | base64 -d | od -An -v -tx1)
declare -A nodes known tips
known["0-$size"]=${root//[$' \n']/}
while read -r start end hash; do nodes["$start-$end"]=$hash; done <"$folder/nodes.txt"
mapfile -t places <"$folder/places.txt"
mapfile -t headers <"$folder/headers.jsonl"
mapfile -t payloads <"$folder/payloads.txt"
mapfile -t facts < <(jq -r '[.stream_type + "/" + .stream_id, .stream_seq, .prev_event_hash // "-", .payload_digest] | @tsv' \
    "$folder/headers.jsonl" 2>/dev/null)

# Whether the tree has this leaf there (RFC 6962, 2.1.1): up to a node that is known to be of the tree.
is_recorded() {
    local hash=$1 index=$2 low=0 high=$size middle power at here root other place
    local -a above=() beside=() side=()
    local -A proven=()
    ((index >= 0 && index < size)) || return 1
    while ((high - low > 1)); do
        power=1
        while ((power * 2 < high - low)); do ((power *= 2)); done
        middle=$((low + power))
        above+=("$low-$high")
        if ((index < middle)); then beside+=("$middle-$high"); side+=(right); high=$middle
        else beside+=("$low-$middle"); side+=(left); low=$middle; fi
    done
    here=$index-$((index + 1))
    root=$(printf '\0%s' "$hash" | sum)
    for ((at = ${#above[@]} - 1; at >= 0; at--)); do
        proven[$here]=$root
        [[ -n ${known[$here]:-} ]] && break
        other=${nodes[${beside[at]}]:-}
        proven[${beside[at]}]=$other
        if [[ ${side[at]} == left ]]; then root=$({ printf '\1'; raw "$other"; raw "$root"; } | sum)
        else root=$({ printf '\1'; raw "$root"; raw "$other"; } | sum); fi
        here=${above[at]}
    done
    [[ ${known[$here]:-none} == "$root" ]] || return 1
    for place in "${!proven[@]}"; do known[$place]=${proven[$place]}; done
}

redacted=0
for ((at = 0; at < ${#places[@]}; at++)); do
    place=${places[at]} number=$((at + 1))
    ((at < ${#headers[@]})) ||
        stop "headers.jsonl line $number: missing; event $place was exported, the file ends before it"
    IFS=$'\t' read -r stream seq previous digest <<<"${facts[at]:-}"
    where="line $number, event $place"
    [[ -n $seq ]] && where+=" (it says $stream seq $seq)"
    hash=sha256:$(printf %s "${headers[at]}" | sum)
    is_recorded "$hash" $((place - 1)) || stop "headers.jsonl $where: not the event that was recorded there"
    if [[ ${tips[$stream]:-0 -} == "$((seq - 1)) "* && ${tips[$stream]:-0 -} != "$((seq - 1)) $previous" ]]; then
        stop "headers.jsonl $where: not linked to the event before it in its stream"
    fi
    tips[$stream]="$seq $hash"
    ((at < ${#payloads[@]})) || stop "payloads.txt $where: missing; the file ends before it"
    line=${payloads[at]}
    rest=${line#* }
    if [[ ${line%% *} != "$place" ]]; then
        stop "payloads.txt $where: another event's payload, or none, stands there"
    elif [[ $rest == erased ]]; then
        ((redacted += 1))
    elif [[ sha256:$({ raw "${rest%% *}"; printf %s "${rest#* }"; } | sum) != "$digest" ]]; then
        fault "payloads.txt $where: not the payload that was recorded"
    fi
done
((${#headers[@]} <= ${#places[@]})) || fault "headers.jsonl line $((${#places[@]} + 1)): more than was exported"
((${#payloads[@]} <= ${#places[@]})) || fault "payloads.txt line $((${#places[@]} + 1)): more than was exported"
[[ "headers sha256:$(sum <"$folder/headers.jsonl")" == "${manifest[5]}" ]] || fault "headers.jsonl: not what was signed"
((faults)) && exit 1
echo "valid: ${#places[@]} events, $redacted redacted; ${manifest[3]}; log ${checkpoint[0]} of $size events"
