#!/bin/sh
# The tests use programs that npm does not have. Makes sure that they are there:
#
#   sh tools/shared/need.sh mariadb chromium openssl promtool systemd seccomp haproxy
#
# Exits 0 when they are or could be installed (Debian, Ubuntu and the like, as root or with sudo that asks nothing). Else
# says what to do, exit 1. CHROMIUM and PROMTOOL name programs elsewhere.
set -u

in_path_or() {
  command -v "$1" >/dev/null 2>&1 && return 0
  name=$1
  shift
  for dir in "$@"; do
    [ -x "$dir/$name" ] && return 0
  done
  return 1
}

# One of each: whether it is there, its packages of Debian, what it is for, how else it can be had, and the service that
# its package starts and nothing here uses.
have_mariadb() {
  in_path_or mariadbd /usr/sbin /usr/libexec /usr/local/bin || in_path_or mysqld /usr/sbin /usr/libexec /usr/local/bin
}
have_chromium() {
  if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ]
  else
    in_path_or chromium /usr/bin || in_path_or chromium-browser /usr/bin || in_path_or google-chrome /usr/bin
  fi
}
have_promtool() {
  if [ -n "${PROMTOOL:-}" ]; then [ -x "$PROMTOOL" ]; else in_path_or promtool /usr/bin /usr/local/bin; fi
}
have_openssl() { in_path_or openssl /usr/bin; }
have_haproxy() { in_path_or haproxy /usr/sbin /usr/local/sbin; }
have_seccomp() { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import seccomp' 2>/dev/null; }
have_systemd() { in_path_or systemd-analyze /usr/bin; }

describe() {
  service='' named=''
  case $1 in
    mariadb)
      packages=mariadb-server service=mariadb
      what='the tests start MariaDB servers of their own'
      else_how='dnf install mariadb-server (Fedora), brew install mariadb (macOS); the service need not run'
      ;;
    chromium)
      packages='chromium fonts-dejavu-core fonts-noto-cjk' named=${CHROMIUM:-}
      what='the tests of the page need Chromium'
      else_how='dnf install chromium (Fedora), or name a program: CHROMIUM=/path/to/chromium npm test'
      ;;
    promtool)
      packages=prometheus service=prometheus named=${PROMTOOL:-}
      what='the tests of the alerts need promtool, which comes with Prometheus'
      else_how='name a program: PROMTOOL=/path/to/promtool npm test; the service need not run'
      ;;
    openssl)
      packages=openssl
      what='the tests of TLS make their certificates with openssl'
      else_how='dnf install openssl (Fedora)'
      ;;
    haproxy)
      packages=haproxy service=haproxy
      what='the tests of balancers need HAProxy'
      else_how='dnf install haproxy (Fedora); the service need not run'
      ;;
    seccomp)
      packages='python3 python3-seccomp util-linux'
      what='the test of what the units allow confines a reporter with seccomp'
      else_how='dnf install python3-libseccomp (Fedora)'
      ;;
    systemd)
      packages='systemd procps'
      what='the tests of the units need systemd-analyze; systemd itself need not run'
      else_how='any Linux with systemd has it'
      ;;
    *)
      echo "need.sh: $1 is none of mariadb, chromium, openssl, promtool, systemd, seccomp, haproxy" >&2
      exit 1
      ;;
  esac
}

give_up() {
  echo "lars-reporter: $what, and $1." >&2
  echo "Install it: apt-get install $packages (Debian, Ubuntu); $else_how." >&2
  exit 1
}

make_sure() {
  describe "$1"
  "have_$1" && return 0
  [ -z "$named" ] || give_up "$named is no program"
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif sudo -n true >/dev/null 2>&1; then
    as_root='sudo -n'
  else
    give_up 'it is not installed; this user cannot install it'
  fi
  command -v apt-get >/dev/null 2>&1 || give_up 'it is not installed'

  echo "lars-reporter: installing $packages for the tests" >&2
  {
    # $packages is several words.
    # shellcheck disable=SC2086
    $as_root apt-get update &&
      $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
  } >&2 || give_up 'apt-get could not install it'
  [ -z "$service" ] || stop "$service"
  "have_$1" || give_up 'it is still missing after its installation'
}

stop() {
  if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    $as_root systemctl stop "$1" >/dev/null 2>&1 || true
  elif [ -x "/etc/init.d/$1" ]; then
    $as_root "/etc/init.d/$1" stop >/dev/null 2>&1 || true
  fi
}

for name in "$@"; do make_sure "$name"; done
