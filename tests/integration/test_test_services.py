"""The services the other tests lean on are real, empty at first, and speak as production's do."""

import redis
from sqlalchemy import create_engine, inspect, text


def test_each_database_is_real_and_empty(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
        assert inspect(connection).get_table_names() == []
    engine.dispose()


def test_redis_is_real_and_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as server:
        assert server.dbsize() == 0
        server.set("desk", "here")
        assert server.get("desk") == b"here"
