"""Runs join.sql and sums.sql in the working folder with two threads; prints the seconds and the
processor seconds that both took."""

import sys
import time
from pathlib import Path

import duckdb

here = Path(__file__).parent
connection = duckdb.connect(config={"threads": int(sys.argv[1])})
begin, processor = time.perf_counter(), time.process_time()
for name, begun in (("join.sql", ""), ("sums.sql", "create or replace table balances as\n")):
    query = (here / name).read_text()
    for place, table in (("{legacy}", "token_transactions"), ("{unified}", "token_usage")):
        query = query.replace(place, f"read_parquet('{table}.parquet')")
    connection.execute(begun + query).fetchall()
print(time.perf_counter() - begin, time.process_time() - processor)
