#!/bin/sh
# Fetches a server that this machine's own release does not have, without installing anything:
#
#   sh tools/shared/fetch-server.sh mysql        MySQL, from Debian's unstable suite
#   sh tools/shared/fetch-server.sh mariadb11    MariaDB 11.8, from Debian's trixie
#   sh tools/shared/fetch-server.sh nats         NATS 2.10.27, from Debian's trixie
#   sh tools/shared/fetch-server.sh nats2.9      NATS 2.9.10, from Debian's bookworm: too old for a journal
#
# Prints the program to start, a script that runs the server with the libraries it came with. Needs a Debian with
# apt-get, no root. The mirror is the one of this machine's own apt sources, signatures are checked with its Debian
# keyring, and apt's lists and files are private ones. What is fetched is kept in $XDG_CACHE_HOME/lars-reporter
# (~/.cache unless set) and found there the next time; remove the folder to fetch a newer one. Exits 1 and says why
# when it cannot be had.
set -eu

name=${1:-}
case $name in
  mysql)
    suite=sid package=mysql-server-core server=mysqld
    ;;
  mariadb11)
    suite=trixie package=mariadb-server-core server=mariadbd
    ;;
  nats)
    suite=trixie package=nats-server server=nats-server
    ;;
  nats2.9)
    suite=bookworm package=nats-server server=nats-server
    ;;
  *)
    echo 'usage: fetch-server.sh mysql|mariadb11|nats|nats2.9' >&2
    exit 1
    ;;
esac

give_up() {
  echo "lars-reporter: $name cannot be fetched: $1" >&2
  exit 1
}

for tool in apt-get apt-config dpkg dpkg-deb; do
  command -v "$tool" >/dev/null 2>&1 || give_up "it comes from Debian's archive, and there is no $tool here"
done
architecture=$(dpkg --print-architecture)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/lars-reporter
target=$cache/$name-$architecture
if [ -x "$target/run" ]; then
  echo "$target/run"
  exit 0
fi

codename=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-sid}") ||
  give_up 'this is no Debian'
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || give_up "apt's sources name no mirror for $codename"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || give_up "there is no $keyring to check signatures with"

mkdir -p "$cache"
work=$(mktemp -d "$cache/.$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
# Nothing counts as installed, so that every library comes along, libc too.
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"

echo "lars-reporter: fetching $package and its libraries from Debian $suite into $cache" >&2
apt() {
  apt-get -q \
    -o Dir::State="$work" -o Dir::State::status="$work/status" -o Dir::State::lists="$work/lists" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::Log="$work" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
    -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
    -o APT::Keep-Downloaded-Packages=true "$@"
}
{ apt update && apt install --yes --download-only --no-install-recommends "$package"; } >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  give_up "apt-get could not download it"
}
for file in "$work"/archives/*.deb; do
  dpkg-deb -x "$file" "$work/root" || give_up "$file cannot be unpacked"
done

root=$work/root
program=$(find "$root/usr/sbin" "$root/usr/bin" -name "$server" -type f | head -n 1)
loader=$(find "$root" -name 'ld-linux*' \( -type f -o -type l \) | sort | head -n 1)
[ -n "$program" ] && [ -n "$loader" ] || give_up "there is no $server or no loader in what was downloaded"
libraries=$(find "$root" -name libc.so.6 -exec dirname {} \; | head -n 1)
[ -n "$libraries" ] || give_up 'there is no libc in what was downloaded'
# The places as they will be once the folder has its name.
placed() {
  printf '%s\n' "$1" | sed "s#^$root#\$here/root#"
}
{
  cat <<'RUN'
#!/bin/sh
# Runs the server beside this script with its own libraries; --no-defaults is understood.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ "${1:-}" = --no-defaults ] && shift
RUN
  printf 'exec "%s" --library-path "%s" "%s" ' "$(placed "$loader")" "$(placed "$libraries")" "$(placed "$program")"
  # MySQL keeps its messages in a folder of that name, MariaDB under its own; NATS has none.
  case $name in
    mysql) printf '%s ' '--no-defaults --basedir="$here/root/usr" --lc-messages-dir="$here/root/usr/share/mysql"' ;;
    mariadb11) printf '%s ' '--no-defaults --basedir="$here/root/usr" --lc-messages-dir="$here/root/usr/share/mariadb"' ;;
  esac
  printf '"$@"\n'
} >"$work/run"
chmod +x "$work/run"
"$work/run" --version >"$work/version" 2>&1 || {
  cat "$work/version" >&2
  give_up 'it does not start here'
}
rm -rf "$work/lists" "$work/archives" "$work"/*cache.bin "$work/partial"

# Another run may have been quicker.
mv -T "$work" "$target" 2>/dev/null || [ -x "$target/run" ] || give_up "$target is in the way"
sed -E "s#^(.* Ver |nats-server: v)#lars-reporter: fetched version #" "$target/version" >&2
echo "$target/run"
