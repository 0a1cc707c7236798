"""Two ledgers in Parquet, as large as a real product's, in one of several shapes.

    generate.py FOLDER SHAPE SCALE

The shapes and their sizes stand in shapes.py. The rows lie in the order of time, as an export has
them, and are made and written a row group at a time: memory grows by some fifty bytes a row.
`data.json` is written last and says how many rows there are. The same SHAPE and SCALE
always give the same rows.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from columns import payment_texts, spread, times, uuid_column, uuid_texts, uuids, words
from shapes import DAY, GRANTS, PURCHASE, SHAPES, START, UNIFIED_ACTIONS, YEAR, ledgers

SEED = 20260101
GROUP = 1 << 20  # rows
USAGE = ["chat_conversation", "vision_generation", "image_generation", "audio_generation", "transcription",
         "blueprint_generation", "assessment_scoring", "prompt_suggestions"]
MODELS = ["gpt-4o", "gpt-4o-mini", "whisper-1"]


def write(path, rows, columns_of):
    """Writes `columns_of(slice)` for one row group after the other."""
    writer = None
    for begin in range(0, max(rows, 1), GROUP):
        table = pa.table(columns_of(slice(begin, min(begin + GROUP, rows))))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
        writer.write_table(table, row_group_size=GROUP)
    writer.close()


def write_legacy(path, legacy, users):
    def columns_of(part):
        ids, kind = legacy.ids[part], legacy.kind[part]
        return {
            "id": uuid_column(ids),
            "user_id": uuid_column(users[legacy.user[part]]),
            "action_type": words(kind, [grant[0] for grant in GRANTS]),
            "tokens_used": pa.array(legacy.tokens[part]),
            "created_at": times(legacy.at[part]),
            "stripe_payment_intent_id": spread(payment_texts(ids[kind == PURCHASE]), kind == PURCHASE),
        }
    write(path, len(legacy.at), columns_of)


def metadata(legacy, source):
    """What the copies of the legacy rows `source` know of them.

    Half were copied by a migration that marked and linked them; the others the product wrote twice
    itself, where a purchase has its payment in both ledgers.
    """
    ids, marked = legacy.ids[source], legacy.at[source] < START + YEAR // 2
    link = pc.binary_join_element_wise(
        '{"migrated_from": "token_transactions", "legacy_id": "', uuid_texts(ids), '", "plan": "vision_pro"}', "")
    payment = pc.binary_join_element_wise(
        '{"payment_intent": "', payment_texts(ids), '", "currency": "usd", "plan": "pack"}', "")
    paid = legacy.kind[source] == PURCHASE
    return pc.if_else(pa.array(marked), link, pc.if_else(pa.array(paid), payment, pa.scalar(None, pa.string())))


def write_unified(path, random, made, users):
    """The grants and the use, which follows a grant of the same user and is small beside it."""
    grants, count = made.grants, len(made.grants.at)
    of = random.integers(0, max(count, 1), size=made.usage, dtype=np.int32)
    at = np.empty(count + made.usage, dtype=np.int64)
    at[:count] = grants.at
    at[count:] = grants.at[of]
    at[count:] += (random.random(made.usage) * (START + YEAR + DAY - at[count:])).astype(np.int64)
    order = np.argsort(at, kind="stable")

    def columns_of(part):
        row = order[part]
        rows, use = len(row), row >= count
        grant = row.copy()
        grant[use] = of[row[use] - count]
        kind = len(UNIFIED_ACTIONS) + random.integers(0, len(USAGE), size=rows, dtype=np.int8)
        taken = random.integers(1, max(made.most, 2), size=rows, dtype=np.int32)
        source = np.where(use, -1, grants.source[grant])
        return {
            "id": uuid_column(uuids(random, rows)),
            "user_id": uuid_column(users[grants.user[grant]]),
            "action_type": words(np.where(use, kind, grants.action[grant]), UNIFIED_ACTIONS + USAGE),
            "model_used": words(random.integers(0, len(MODELS), size=rows), MODELS),
            "tokens_used": pa.array(np.where(use, taken, grants.tokens[grant])),
            "success": pa.array(~use | (random.random(rows) < 0.98)),
            "metadata": spread(metadata(made.legacy, source[source >= 0]), source >= 0),
            "created_at": times(at[row]),
        }
    write(path, len(order), columns_of)


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in SHAPES:
        sys.exit(f"usage: generate.py FOLDER {'|'.join(SHAPES)} SCALE")
    folder, shape, scale = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    made = ledgers(random, uuids, shape, scale)
    users = uuids(random, made.users)
    write_legacy(folder / "token_transactions.parquet", made.legacy, users)
    write_unified(folder / "token_usage.parquet", random, made, users)
    (folder / "data.json").write_text(json.dumps({
        "shape": shape,
        "what": SHAPES[shape],
        "scale": scale,
        "users": made.users,
        "legacy": len(made.legacy.at),
        "grants": len(made.grants.at),
        "unified": len(made.grants.at) + made.usage,
    }) + "\n")


main()
