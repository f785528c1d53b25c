# Shared by the commands in infra/. Sourced, never run.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }

# The Debian packages a command needs, each with what it is for.
BUILD_PACKAGES=(libsqlite3-dev libssl-dev)
RUN_PACKAGES=(bubblewrap libsqlite3-0)
TOOL_PACKAGES=(curl jq python3)
PROGRAMS=(api engine aos)
# Only where Postgres is used: the server, and what the api is built with to reach it.
POSTGRES_PACKAGES=(postgresql)
POSTGRES_BUILD_PACKAGES=(libpq-dev)

# Options of every `swift build`: without libpq-dev a build has SQLite only, and says so in `api --version`.
traits() { [ -f /usr/include/postgresql/libpq-fe.h ] || echo --disable-default-traits; }

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || printf '%s ' "$package"
    done
}

# Installs what is missing; says what, and asks for root only then.
need_packages() {
    local missing
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    command -v apt-get >/dev/null || fail "these packages are missing and this is no Debian: $missing"
    local as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "as root, run: apt-get install $missing"
        as_root=sudo
    fi
    say "installing: $missing"
    # shellcheck disable=SC2086 # the list is meant to be split
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 \
        || { $as_root apt-get update -qq >/dev/null && $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends $missing >/dev/null; } \
        || fail "apt-get could not install: $missing"
}

need_swift() {
    command -v swift >/dev/null || fail "a Swift 6.3 toolchain is needed: https://www.swift.org/install/linux"
}

# Builds with a progress line on a terminal and the errors always.
build() {
    local log
    log=$(mktemp)
    say "building ($*) …"
    # shellcheck disable=SC2046 # none or one word
    set -- $(traits) "$@"
    if [ -t 2 ]; then
        swift build --package-path "$ROOT" "$@" 2>&1 | tee "$log" \
            | awk '/^\[[0-9]+\/[0-9]+\]/ { printf "\r\033[K  %s", substr($0, 1, 76) > "/dev/stderr"; fflush() }'
        printf '\r\033[K' >&2
    else
        swift build --package-path "$ROOT" "$@" >"$log" 2>&1 || true
    fi
    if ! grep -q 'Build complete\|Compiling\|Build of product' "$log" || grep -q 'error:' "$log"; then
        grep -E 'error:|warning:' "$log" | sort -u | head -40 >&2
        rm -f "$log"
        fail "the build failed"
    fi
    rm -f "$log"
}

# Builds the programs for release, one file each: the Swift runtime is linked in, and only Debian's libraries are left to find.
# Sets bin, where they are.
build_release() {
    local product build_path=${BUILD_PATH:-$ROOT/.build}
    for product in "${PROGRAMS[@]}"; do
        build -c release --build-path "$build_path" --product "$product" --static-swift-stdlib
    done
    bin=$(swift build --package-path "$ROOT" -c release --build-path "$build_path" --show-bin-path)
}

# A free TCP port on loopback.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until a command succeeds: wait_for SECONDS WHAT COMMAND…
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "gave up waiting for $what"
        sleep 0.05
    done
}
