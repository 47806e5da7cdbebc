#!/bin/sh
# The tests start MariaDB servers of their own. Makes sure that the program is there: exits 0 when it is or could
# be installed (Debian, Ubuntu and the like, as root or with sudo that asks nothing). Otherwise prints what to do, exit 1.
set -u

have_server() {
  for name in mariadbd mysqld; do
    command -v "$name" >/dev/null 2>&1 && return 0
    for dir in /usr/sbin /usr/libexec /usr/local/bin; do
      [ -x "$dir/$name" ] && return 0
    done
  done
  return 1
}

give_up() {
  echo "lars-reporter: the tests need a MariaDB server (mariadbd), and $1." >&2
  echo "Install it, the service need not run: apt-get install mariadb-server (Debian, Ubuntu)," >&2
  echo "dnf install mariadb-server (Fedora), brew install mariadb (macOS)." >&2
  exit 1
}

have_server && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif sudo -n true >/dev/null 2>&1; then
  as_root='sudo -n'
else
  give_up 'it is not installed; this user cannot install it'
fi
command -v apt-get >/dev/null 2>&1 || give_up 'it is not installed'

echo 'lars-reporter: installing mariadb-server for the tests' >&2
{
  $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server
} >&2 || give_up 'apt-get could not install it'

# The package starts a service, which nothing here uses.
if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
  $as_root systemctl stop mariadb >/dev/null 2>&1 || true
elif [ -x /etc/init.d/mariadb ]; then
  $as_root /etc/init.d/mariadb stop >/dev/null 2>&1 || true
fi

have_server || give_up 'it is still missing after its installation'
