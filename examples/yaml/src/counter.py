"""Counts in a file, also across restarts where /app/data is a volume."""

import os
import time
from pathlib import Path


def main() -> None:
    file = Path("/app/data/count")
    while True:
        count = int(file.read_text() or 0) + 1 if file.exists() else 1
        file.write_text(str(count))
        print(count)
        time.sleep(float(os.environ["INTERVAL"]))


if __name__ == "__main__":
    main()
