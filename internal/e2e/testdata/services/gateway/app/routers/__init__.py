from . import health, users
