#!/bin/sh
# The page is tested in a real browser. Makes sure that Chromium and fonts are there: exits 0 when they are or could
# be installed (Debian, Ubuntu and the like, as root or with sudo that asks nothing), else says what to do, exit 1.
# CHROMIUM names a program elsewhere.
set -u

have_chromium() {
  if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ]
    return
  fi
  for program in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
    [ -x "$program" ] && return 0
  done
  return 1
}

give_up() {
  echo "lars-reporter: the tests of the page need Chromium, and $1." >&2
  echo "Install it: apt-get install chromium fonts-dejavu-core fonts-noto-cjk (Debian)," >&2
  echo "dnf install chromium (Fedora), or name a program: CHROMIUM=/path/to/chromium npm test" >&2
  exit 1
}

have_chromium && exit 0
[ -z "${CHROMIUM:-}" ] || give_up "CHROMIUM=$CHROMIUM is no program"

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif sudo -n true >/dev/null 2>&1; then
  as_root='sudo -n'
else
  give_up 'it is not installed; this user cannot install it'
fi
command -v apt-get >/dev/null 2>&1 || give_up 'it is not installed'

echo 'lars-reporter: installing chromium for the tests' >&2
{
  $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      chromium fonts-dejavu-core fonts-noto-cjk
} >&2 || give_up 'apt-get could not install it'

have_chromium || give_up 'it is still missing after its installation'
