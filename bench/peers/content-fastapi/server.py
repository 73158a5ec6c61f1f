"""What a team would write instead of the content role: FastAPI and asyncpg, the same statements on the same PostgreSQL,
tokens of HS256. PORT, DATABASE_URL, JWT_SECRET, and STATEMENTS: a JSON file of {vote: {text, values}, counts: …}."""

import json
import os
import time
import uuid
from contextlib import asynccontextmanager
from typing import Literal

import asyncpg
import jwt
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

with open(os.environ["STATEMENTS"], encoding="utf-8") as file:
    statements = json.load(file)


class Like(BaseModel):
    value: Literal[-1, 1]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def run(name: str, given: dict):
    """Parameters go as text, the answer comes as JSON."""
    statement = statements[name]
    answer = await app.state.pool.fetchval(statement["text"], *(str(given[value]) for value in statement["values"]))
    return json.loads(answer)


@app.put("/v1/films/{film_id}/like")
async def like(film_id: str, body: Like, authorization: str = Header("")):
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme != "Bearer":
            raise jwt.InvalidTokenError("no token")
        user_id = jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"], options={"verify_aud": False})["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401, "no token that counts") from None
    done = await run(
        "vote",
        {
            "filmId": film_id,
            "userId": user_id,
            "vote": body.value,
            "atMs": int(time.time() * 1000),
            "eventId": uuid.uuid4(),
        },
    )
    return {"film_id": film_id, "value": done["vote"], "revision": done["revision"]}


@app.get("/v1/films/{film_id}")
async def counts(film_id: str):
    return {"film_id": film_id, **await run("counts", {"filmId": film_id})}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
