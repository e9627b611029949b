#!/usr/bin/env bash
# Puts seamcheck on the way of the steps that follow: a released binary whose checksum holds, else one built from
# source. Everything comes in by the environment; nothing is interpolated.
#   VERSION       a released version (1.2.3), `source`, or empty for the version of this Action
#   SHA256        the checksum the archive must have, instead of the one that the release lists
#   ACTION_PATH   where this Action lies
#   SEAMCHECK_RELEASES  where releases are (a URL that a version is appended to)
set -euo pipefail

say() { printf '%s\n' "seamcheck: $*"; }
fail() { printf '::error title=seamcheck::%s\n' "$*"; exit 2; }

releases="${SEAMCHECK_RELEASES:-https://github.com/seamcheck/seamcheck/releases/download}"
version="${VERSION:-}"
if [[ -z "$version" ]]; then
  version="$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ACTION_PATH/Cargo.toml" | head -n 1)"
fi
version="${version#v}"
if [[ "$version" != source && ! "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  fail "the version is given as 1.2.3, or as source"
fi

os="${RUNNER_OS:-$(uname -s)}"
arch="${RUNNER_ARCH:-$(uname -m)}"
target=""
ending="tar.gz"
exe=""
case "$os-$arch" in
  Linux-X64 | Linux-x86_64) target="x86_64-unknown-linux-musl" ;;
  Linux-ARM64 | Linux-aarch64) target="aarch64-unknown-linux-musl" ;;
  macOS-X64 | Darwin-x86_64) target="x86_64-apple-darwin" ;;
  macOS-ARM64 | Darwin-arm64) target="aarch64-apple-darwin" ;;
  Windows-X64 | MINGW*-x86_64 | MSYS*-x86_64) target="x86_64-pc-windows-msvc"; ending="zip"; exe=".exe" ;;
esac

home="${RUNNER_TEMP:-/tmp}/seamcheck"
mkdir -p "$home/bin"

checksum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

released() {
  [[ "$version" != source && -n "$target" ]] || return 1
  local archive="seamcheck-$target.$ending" from="$releases/v$version" wanted found
  curl --fail --silent --show-error --location --retry 3 --output "$home/$archive" "$from/$archive" || return 1
  wanted="${SHA256:-}"
  if [[ -z "$wanted" ]]; then
    curl --fail --silent --show-error --location --retry 3 --output "$home/SHA256SUMS" "$from/SHA256SUMS" ||
      fail "the release v$version lists no checksums"
    wanted="$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$home/SHA256SUMS")"
  fi
  found="$(checksum "$home/$archive")"
  [[ -n "$wanted" && "$found" == "$wanted" ]] || fail "the checksum of $archive does not hold: nothing is installed"
  case "$ending" in
    zip) unzip -q -o "$home/$archive" -d "$home/bin" ;;
    *) tar -xzf "$home/$archive" -C "$home/bin" ;;
  esac
  [[ -x "$home/bin/seamcheck$exe" ]] || fail "$archive holds no seamcheck"
}

if released; then
  say "installed v$version for $target"
elif [[ -n "${SHA256:-}" ]]; then
  fail "there is no released binary to hold against the checksum"
else
  say "no released binary fits: building from source"
  command -v cargo >/dev/null || fail "there is no released binary for $os on $arch, and no cargo to build one with"
  cargo install --locked --quiet --path "$ACTION_PATH" --root "$home"
fi
printf '%s\n' "$home/bin" >> "$GITHUB_PATH"
"$home/bin/seamcheck$exe" --version
