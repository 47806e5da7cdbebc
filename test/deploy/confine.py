"""Runs a program as the units of deploy/systemd confine it, where no systemd runs.

    unshare -m /usr/bin/python3 confine.py CALLS FAMILIES SHOWN… -- PROGRAM [ARGUMENT …]

CALLS are the system calls that are allowed, FAMILIES those of its sockets, with commas between. Each SHOWN is FOLDER=PLACE: the program finds the
folder at the place, too, whoever may not enter the folders above it. It may write to the last one alone, and begins
there. It is of another user, without any right of root. Needs the package python3-seccomp of Debian.
"""

import os
import socket
import subprocess
import sys

import seccomp

NOBODY = "65534"
OF_THE_KERNEL = ("/proc", "/sys", "/dev")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def mounted():
    with open("/proc/self/mounts", encoding="utf8") as mounts:
        return {line.split()[1].encode().decode("unicode_escape") for line in mounts}


def confine_files(shown):
    mount("--make-rprivate", "/")
    for folder, place in shown:
        mount("--bind", folder, place)
    writable = shown[-1][1]
    for place in mounted() - {writable}:
        # What lies below another mount cannot be reached.
        if not place.startswith(OF_THE_KERNEL) and os.path.exists(place):
            mount("-o", "remount,bind,ro", place)
    os.chdir(writable)


def confine_calls(calls, families):
    allowed = seccomp.SyscallFilter(seccomp.ERRNO(1))
    for call in set(calls) - {"socket"}:
        try:
            allowed.add_rule(seccomp.ALLOW, call)
        except RuntimeError:
            # One of other machines.
            pass
    for family in families:
        is_family = seccomp.Arg(0, seccomp.EQ, getattr(socket, family))
        allowed.add_rule(seccomp.ALLOW, "socket", is_family)
    allowed.load()


def main():
    end = sys.argv.index("--")
    calls, families, *shown = sys.argv[1:end]
    confine_files([one.split("=", 1) for one in shown])
    confine_calls(calls.split(","), families.split(","))
    options = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    # In a namespace of users, there is nobody else.
    if os.environ.get("LARS_NAMESPACE") != "users":
        os.chown(".", int(NOBODY), int(NOBODY))
        options += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    os.execvp("setpriv", ["setpriv", *options, *sys.argv[end + 1 :]])


main()
