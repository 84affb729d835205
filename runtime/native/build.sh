#!/bin/sh
# Builds bin/moorage-agent-amd64 and bin/moorage-agent-arm64, the same to the byte wherever Debian 12's compilers do it.
#   build.sh [folder for the binaries, instead of bin/]
# Fetches one file: Debian's musl for arm64, unpacked into a cache folder (MOORAGE_CACHE, else ~/.cache/moorage). Installs nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/bin}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here"
cache=${MOORAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/moorage}

missing=
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v musl-gcc >/dev/null || missing="$missing musl-tools"
command -v aarch64-linux-gnu-gcc >/dev/null || missing="$missing gcc-aarch64-linux-gnu"
[ -e /usr/aarch64-linux-gnu/include/linux/rtnetlink.h ] || missing="$missing linux-libc-dev-arm64-cross"
if [ -n "$missing" ]; then
  echo "build.sh: missing tools. As root: apt-get install$missing" >&2
  exit 1
fi

# The folder of Debian's musl for arm64, the version that is installed for amd64. Downloads it where the cache does not have it.
arm64_musl() {
  musl_version=$(dpkg-query -W -f '${Version}' musl-dev)
  unpacked=$cache/musl-dev-arm64-$musl_version
  if [ ! -e "$unpacked/usr/lib/aarch64-linux-musl/libc.a" ]; then
    work=$(mktemp -d)
    fetch_musl "$work" >&2
    mkdir -p "$cache"
    dpkg-deb -x "$work"/musl-dev_*.deb "$work/unpacked"
    rm -rf "$unpacked"
    mv "$work/unpacked" "$unpacked"
    rm -rf "$work"
  fi
  echo "$unpacked/usr"
}

# apt with lists of its own for arm64, so that no foreign architecture need be added to the machine and no root is needed.
fetch_musl() {
  mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/state"
  : >"$1/state/status"
  set -- "$1" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$1/state" -o Dir::State::lists="$1/lists" \
    -o Dir::State::status="$1/state/status" -o Dir::Cache="$1" -o Dir::Cache::archives="$1/archives" -o APT::Sandbox::User= -o Acquire::Languages=none
  folder=$1
  shift
  apt-get "$@" -qq update
  (cd "$folder" && apt-get "$@" -qq download "musl-dev=$musl_version")
}

flags="-std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror
  -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections -fstack-protector-strong -fno-ident -ffile-prefix-map=$here=."
link_flags="-static -s -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,noseparate-code -Wl,-z,norelro"
# Not a glob: the order is part of the result.
sources="main.c agent.c entries.c listening.c app.c process.c kin.c connection.c stream.c command.c user.c rights.c
  sandbox.c gateway.c rules.c masquerade.c flow.c parked.c splice.c datagram.c netlink.c claim.c link.c loop.c say.c"

# The kernel's headers are not musl's: they are looked at last.
# shellcheck disable=SC2086
musl-gcc $flags $sources $link_flags -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu -o "$out/moorage-agent-amd64"

musl=$(arm64_musl)
lib=$musl/lib/aarch64-linux-musl
# shellcheck disable=SC2086
aarch64-linux-gnu-gcc $flags -mno-outline-atomics -nostdinc -isystem "$musl/include/aarch64-linux-musl" -isystem "$(aarch64-linux-gnu-gcc -print-file-name=include)" \
  -idirafter /usr/aarch64-linux-gnu/include $sources $link_flags -nostdlib -no-pie "$lib/crt1.o" "$lib/crti.o" \
  -Wl,--start-group "$lib/libc.a" -lgcc -Wl,--end-group "$lib/crtn.o" -o "$out/moorage-agent-arm64"
