import os
import urllib.request

from common import serve


def ask_all() -> str:
    answers = []
    for name in os.environ["BACKENDS"].split():
        with urllib.request.urlopen(f"http://{name}:8000/") as answer:
            answers.append(answer.read().decode().strip())
    return ", ".join(answers)


serve("gateway", ask_all)
