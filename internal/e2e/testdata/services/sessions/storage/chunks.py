import os


class ChunkStore:
    def __init__(self, root):
        self.root = root

    def put(self, data: bytes) -> int:
        os.makedirs(self.root, exist_ok=True)
        with open(os.path.join(self.root, "c"), "ab") as f:
            f.write(data)
            return f.tell()
