#!/bin/sh
# The tests of TLS make their certificates with openssl. Makes sure that it is there: exits 0 when it is or could be
# installed (Debian, Ubuntu and the like, as root or with sudo that asks nothing). Otherwise prints what to do, exit 1.
set -u

command -v openssl >/dev/null 2>&1 && exit 0

give_up() {
  echo "lars-reporter: the tests need openssl, and $1." >&2
  echo "Install it: apt-get install openssl (Debian, Ubuntu), dnf install openssl (Fedora)." >&2
  exit 1
}

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif sudo -n true >/dev/null 2>&1; then
  as_root='sudo -n'
else
  give_up 'it is not installed; this user cannot install it'
fi
command -v apt-get >/dev/null 2>&1 || give_up 'it is not installed'

echo 'lars-reporter: installing openssl for the tests' >&2
{
  $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openssl
} >&2 || give_up 'apt-get could not install it'
