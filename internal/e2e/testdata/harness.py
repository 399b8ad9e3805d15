"""Named checks: one "ok NAME" line each, all failures at the end."""

import sys
import time
import traceback

_checks = []


def check(name):
    """Registers a function as the check of that name."""

    def register(function):
        _checks.append((name, function))
        return function

    return register


def without(*names):
    """Forgets checks that are of no meaning for an image."""
    unknown = set(names) - {name for name, _ in _checks}
    assert not unknown, unknown
    _checks[:] = [(name, function) for name, function in _checks if name not in names]


def main():
    """Runs every registered check; a failed one does not stop the others."""
    failed = []
    for name, function in _checks:
        start = time.monotonic()
        try:
            function()
        except BaseException:
            failed.append(name)
            print(f"FAILED {name}", file=sys.stderr)
            traceback.print_exc()
        else:
            print(f"ok {name}", flush=True)
        print(f"{time.monotonic() - start:6.2f} s {name}", file=sys.stderr)
    if failed:
        sys.exit("failed: " + ", ".join(failed))


def raises(kind, function, *args):
    """Calls the function and returns the error of that kind that it must raise."""
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError(f"{function} raised no {kind}")
