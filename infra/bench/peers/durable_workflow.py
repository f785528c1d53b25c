"""The peer for a run's life cycle: DBOS on SQLite, a workflow of three steps, N threads for S seconds.

usage: durable_workflow.py SECONDS WORKERS DIRECTORY
"""
import concurrent.futures
import json
import sys
import time

from dbos import DBOS, DBOSConfig

seconds, workers, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
config: DBOSConfig = {"name": "bench", "system_database_url": f"sqlite:///{directory}/dbos.sqlite", "log_level": "ERROR"}
DBOS(config=config)


@DBOS.step()
def first() -> int:
    return 1


@DBOS.step()
def second() -> int:
    return 2


@DBOS.step()
def third() -> int:
    return 3


@DBOS.workflow()
def life() -> int:
    return first() + second() + third()


DBOS.launch()
end = time.monotonic() + seconds


def work(_: int) -> int:
    done = 0
    while time.monotonic() < end:
        life()
        done += 1
    return done


with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    total = sum(pool.map(work, range(workers)))
print(json.dumps({"lifecycles_per_second": total / seconds}))
DBOS.destroy()
