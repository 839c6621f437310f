#!/bin/sh
# Makes a virtual environment and installs the packages and the developers' tools into it.
# usage: setup.sh VENV PYTHON INSTALL-ARGUMENT...    (PYTHON "": the newest that will do)
# Uses uv where there is one, else venv and pip. POSIX sh; called by the Makefile.
set -eu

venv=$1
python=$2
shift 2
here=$(pwd -P)

fail() {
    for line in "$@"; do printf 'headrace: %s\n' "$line" >&2; done
    exit 1
}

# By running them: a version manager's `python3.13` may exist and still not run.
version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_venv() { test -n "$uv" || "$1" -c 'import venv, ensurepip' 2>/dev/null; }

explain_missing_venv() {
    fail "$1 ($(version_of "$1")) has no venv module." \
        'On Debian and Ubuntu: apt install python3-venv (or python3.X-venv for that version).' \
        'Or name another Python: make test PYTHON=/path/to/python3.12'
}

uv=$(command -v uv || true)

if test -n "$python"; then
    version=$(version_of "$python") || fail "PYTHON=$python does not run." \
        'Give the name or path of a Python 3.11 or later.'
    is_recent "$python" || fail "PYTHON=$python is Python $version; 3.11 or later is needed."
    can_make_venv "$python" || explain_missing_venv "$python"
else
    found='' without_venv=''
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        is_recent "$candidate" || continue
        if can_make_venv "$candidate"; then
            python=$candidate
            break
        fi
        without_venv=${without_venv:-$candidate}
    done
    if test -z "$python"; then
        test -z "$without_venv" || explain_missing_venv "$without_venv"
        for candidate in python3 python; do
            version=$(version_of "$candidate") && found="$found; \`$candidate\` is $version"
        done
        test -n "$uv" || fail \
            "no Python 3.11 or later on the PATH${found:-; there is no Python at all}." \
            'Install one (python.org, your package manager, or uv) and run this again,' \
            'or name it: make test PYTHON=/path/to/python3.12'
        python=3.13 # uv finds or fetches it
    fi
fi

# A venv of this very place is kept, and only what changed is installed into it.
if ! test -x "$venv/bin/python" || ! is_recent "$venv/bin/python" ||
    test "$(cat "$venv/.installed" 2>/dev/null)" != "$here"; then
    printf 'headrace: making %s with %s\n' "$venv" "$python" >&2
    rm -rf "$venv"
    if test -n "$uv"; then
        uv venv --quiet --python "$python" "$venv" || fail \
            "uv could not make a venv with Python $python; the lines above say why." \
            'Install Python 3.11 or later, or name it: make test PYTHON=/path/to/python3.12'
    else
        "$python" -m venv "$venv" || fail "$python could not make the venv; see above."
    fi
fi

printf 'headrace: installing the packages and tools into %s (the first time takes a minute)\n' \
    "$venv" >&2
if test -n "$uv"; then
    uv pip install --quiet --python "$venv/bin/python" "$@"
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
fi || fail 'the packages could not be installed; the lines above say why.' \
    'A package index has to be reachable this one time.'

printf '%s\n' "$here" >"$venv/.installed"
