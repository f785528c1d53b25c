# An api of one's own for a check: started on a port that is free, ended with the script. Sourced after common.sh.

# Sets work (a temporary directory), bin, api (its process), address, token.
start_api() {
    local build_path=$1
    build --build-path "$build_path" --product api
    bin=$(swift build --package-path "$ROOT" --build-path "$build_path" --show-bin-path)
    work=$(mktemp -d)
    AOS_DATA_DIR=$work/data PORT=0 AOS_LOG_FORMAT=json "$bin/api" >"$work/api.out" 2>"$work/api.log" &
    api=$!
    trap end_api EXIT
    wait_for 10 "the api" grep -q '"ready"' "$work/api.log"
    address=$(jq -r 'select(.event == "ready") | .address' "$work/api.log" | head -1)
    token=$(cat "$work/data/operator.token")
}

end_api() {
    kill "$api" 2>/dev/null || true
    wait "$api" 2>/dev/null || true
    rm -rf "$work"
}

# What the api logged as an error is a defect, whatever the check says.
expect_no_errors() {
    local errors
    errors=$(jq -c 'select(.level == "error")' "$work/api.log")
    [ -z "$errors" ] || { say "$errors"; fail "the api logged errors"; }
}
