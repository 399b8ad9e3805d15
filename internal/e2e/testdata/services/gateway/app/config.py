from __future__ import annotations
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from .nothing import Never


class Settings(BaseModel):
    service_name: str = os.getenv("SERVICE_NAME", "gateway")
    port: int = int(os.getenv("PORT", "8000"))
    mongo_url: str = os.environ.get("MONGO_URL", "mongodb://mongo:27017")


@lru_cache
def get_settings() -> Settings:
    return Settings()
