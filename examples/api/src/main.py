"""Takes orders, and keeps them in Redis."""

import os

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt
from redis.asyncio import Redis

app = FastAPI()
redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


class Order(BaseModel):
    item: str
    count: PositiveInt


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.put("/orders/{name}")
async def put(name: str, order: Order) -> Order:
    await redis.set(name, order.model_dump_json())
    return order


@app.get("/orders/{name}")
async def get(name: str) -> Order:
    text = await redis.get(name)
    if text is None:
        raise HTTPException(404)
    return Order.model_validate_json(text)
