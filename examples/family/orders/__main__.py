from pathlib import Path

from common import serve

FILE = Path("/app/data/count")


def count() -> str:
    number = int(FILE.read_text()) + 1 if FILE.exists() else 1
    FILE.write_text(str(number))
    return f"asked {number} times"


serve("orders", count)
