"""Compares the grants of both ledgers in the working folder with datacompy on pandas, by the same
keys as join.sql; prints the seconds and the processor seconds without the start of Python, then the
rows that only one side has."""

import time

import datacompy
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

KEYS = ["user_id", "action_type", "tokens_used", "created_at"]
GRANTS = ["admin_grant", "subscription_grant", "trial_grant", "token_pack_purchase"]
LABELS = {
    "renewal_grant": "subscription_grant",
    "pack_purchase": "token_pack_purchase",
    "manual_adjustment": "admin_grant",
}


def frame(table):
    """The keys as pandas holds them; a UUID as its sixteen bytes."""
    at = table.schema.get_field_index("user_id")
    user = pa.chunked_array([chunk.storage for chunk in table.column(at).chunks], pa.binary(16))
    return table.set_column(at, "user_id", user).to_pandas()


begin, processor = time.perf_counter(), time.process_time()
legacy = frame(pq.read_table("token_transactions.parquet", columns=KEYS))
legacy["action_type"] = legacy["action_type"].replace(LABELS)
unified = frame(pq.read_table("token_usage.parquet", columns=KEYS, filters=pc.field("action_type").isin(GRANTS)))
compared = datacompy.PandasCompare(legacy, unified, join_columns=KEYS, df1_name="legacy", df2_name="unified")
print(time.perf_counter() - begin, time.process_time() - processor)
print(len(compared.df1_unq_rows), len(compared.df2_unq_rows))
