"""The quiz endpoint as it is usually written, free of Django: FastAPI, cache-aside in Redis, the same ten questions to
everybody until the key expires. `uvicorn benchmarks.quiz_rival:app`."""

from __future__ import annotations

import json
import os
from typing import Any

import redis.asyncio
from fastapi import FastAPI, Query

KEY = "bench:rival:quiz"
app = FastAPI()
client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])


@app.get("/api/quiz")
async def quiz(category: str = "", count: int = Query(10, ge=1, le=50), difficulty: str = "") -> dict[str, Any]:
    found = await client.get(f"{KEY}:{category}:{count}:{difficulty}")
    if found is None:
        raise RuntimeError("The benchmark lays the key down first: its hit is measured.")
    told: dict[str, Any] = json.loads(found)
    return told
