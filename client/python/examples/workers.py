"""Workers that claim jobs from a table: each is told of new jobs, and one statement gives a job to one of them.
Usage: workers.py [port]"""

import asyncio
import sys
from typing import List

import pubsubsql

CLAIM = "update example_jobs set state = 'running', owner = ? where state = 'new' limit 1 returning name"


async def work(port: int, worker: str, done: List[str], enough: int) -> None:
    async with await pubsubsql.aconnect("localhost", port) as db:
        async with await db.subscribe("subscribe * from example_jobs where state = 'new'") as news:
            while len(done) < enough:
                for job in await db.query(CLAIM, [worker]):
                    print(worker, "does", job["name"])
                    done.append(job["name"] or "")
                if not news.rows:
                    try:
                        await news.next_all(timeout=0.2)
                    except pubsubsql.QueryTimeout:
                        pass  # another worker has had the last one


async def main(port: int) -> None:
    done: List[str] = []
    async with await pubsubsql.aconnect("localhost", port) as db:
        await db.query("insert into example_jobs (name, state, owner) values ('none', 'done', null)")
        workers = [asyncio.ensure_future(work(port, f"worker {i}", done, 20)) for i in range(3)]
        await db.load("insert into example_jobs (name, state) values (?, 'new')", ([f"job {i}"] for i in range(20)))
        await asyncio.gather(*workers)
        print("all done:", sorted(done) == sorted(f"job {i}" for i in range(20)))
        await db.query("drop table example_jobs")


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else pubsubsql.DEFAULT_PORT))
