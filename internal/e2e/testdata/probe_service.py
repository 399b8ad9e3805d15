"""Starts a service, waits until it is found to work, and asks it: probe_service.py COMMAND HEALTH WRITABLE, each in JSON."""

import json
import os
import subprocess
import sys
import time
import urllib.request

command, health, writable = (json.loads(a) for a in sys.argv[1:])
early = subprocess.run(health, capture_output=True, text=True)
assert early.returncode == 1 and "Connection refused" in early.stderr, early
service = subprocess.Popen(command)
try:
    end = time.monotonic() + 120
    while (checked := subprocess.run(health, capture_output=True, text=True)).returncode:
        assert service.poll() is None and time.monotonic() < end, checked.stderr
        time.sleep(0.2)
    started = time.monotonic()
    subprocess.run(health, check=True)
    print(f"health check: {time.monotonic() - started:.3f} s", file=sys.stderr)
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/") as answer:
        print(answer.read().decode(), end="")
finally:
    service.terminate()
    service.wait()
for directory, names, files in os.walk("/app"):
    for name in [".", *names, *files]:
        path = os.path.normpath(os.path.join(directory, name))
        assert (os.stat(path).st_uid == 65532) == (path in writable), path
for path in writable:
    assert os.stat(path).st_uid == os.stat(path).st_gid == 65532, path
