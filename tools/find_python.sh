#!/bin/sh
# Prints a Python 3.11-3.13 that runs: $PYTHON, the one the virtual environment has, else the first found on PATH.
# A name on PATH proves nothing: version managers leave shims that fail, so each candidate is started.
wanted='import sys; v = sys.version_info; print("%d.%d.%d" % tuple(v[:3])); sys.exit(not (3, 11) <= v[:2] <= (3, 13))'
found=""

fits() {
    command -v "$1" >/dev/null 2>&1 || return 1
    version=$("$1" -c "$wanted" 2>/dev/null)
    status=$?
    [ -n "$version" ] && [ "$status" -ne 0 ] && found="$found $1 is $version;"
    return "$status"
}

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- .venv/bin/python python3 python3.13 python3.12 python3.11
fi
for candidate in "$@"; do
    if fits "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
if [ -n "${PYTHON:-}" ] && [ -z "$found" ]; then
    found=" PYTHON=$PYTHON does not run;"
fi
echo "AlgoMirror needs Python 3.11, 3.12 or 3.13; found:${found:- none;} install one, or name it: PYTHON=/path/to/python3.13 make ..." >&2
exit 1
