"""Prints a Parquet file as CSV, in its order and in little memory, for COPY.

    export.py FILE
"""

import sys

import duckdb

connection = duckdb.connect(config={"threads": 1, "memory_limit": "2GB"})
connection.execute("copy (select * from read_parquet($1)) to '/dev/stdout' (format csv, header false)", [sys.argv[1]])
