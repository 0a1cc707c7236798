"""Runs join.sql and sums.sql in the working folder with two threads; prints the seconds both took."""

import sys
import time
from pathlib import Path

import duckdb

here = Path(__file__).parent
connection = duckdb.connect(config={"threads": int(sys.argv[1])})
begin = time.perf_counter()
for name in ("join.sql", "sums.sql"):
    connection.execute((here / name).read_text()).fetchall()
print(time.perf_counter() - begin)
