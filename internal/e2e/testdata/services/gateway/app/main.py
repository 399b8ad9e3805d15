import importlib
import sys
from contextlib import asynccontextmanager

from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient

from .config import get_settings
from .routers import health, users


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.db = AsyncIOMotorClient(get_settings().mongo_url, serverSelectionTimeoutMS=100)
    yield
    app.state.db.close()


app = FastAPI(title="gateway", lifespan=lifespan)
for name in ("health", "users"):
    app.include_router(importlib.import_module(f".routers.{name}", __package__).router)
