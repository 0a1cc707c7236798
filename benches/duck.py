"""Runs join.sql and sums.sql in the working folder with two threads; prints the seconds and the
processor seconds that both took."""

import sys
import time
from pathlib import Path

import duckdb

here = Path(__file__).parent
connection = duckdb.connect(config={"threads": int(sys.argv[1])})
begin, processor = time.perf_counter(), time.process_time()
for name in ("join.sql", "sums.sql"):
    connection.execute((here / name).read_text()).fetchall()
print(time.perf_counter() - begin, time.process_time() - processor)
