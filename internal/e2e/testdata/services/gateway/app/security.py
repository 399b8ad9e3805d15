import bcrypt
try:
    import argon2
except ImportError:
    argon2 = None


def hash_password(p: str) -> str:
    return bcrypt.hashpw(p.encode(), bcrypt.gensalt(4)).decode()
