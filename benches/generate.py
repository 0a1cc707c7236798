"""Two ledgers in Parquet, as large as a real product's and disturbed in a known share of the rows.

    generate.py FOLDER [SCALE]

SCALE 1 is 1,000,000 legacy rows, 11,000,000 unified rows and 250,000 users. Of the grants 3 % are
disturbed: missing, doubled, another amount, another time, another action, or without a legacy row.
The rows lie in the order of time, as an export has them. The same SCALE always gives the same rows.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LEGACY_ROWS, USAGE_ROWS, USERS = 1_000_000, 10_000_000, 250_000
START = 1_735_689_600_000_000  # 2025-01-01 in microseconds
YEAR = 365 * 86_400_000_000
# legacy label, unified action, share, tokens
GRANTS = [
    ("subscription_grant", "subscription_grant", 0.35, 1_000_000),
    ("renewal_grant", "subscription_grant", 0.35, 80_000),
    ("pack_purchase", "token_pack_purchase", 0.25, 250_000),
    ("manual_adjustment", "admin_grant", 0.05, 5_000),
]
UNIFIED_ACTIONS = ["subscription_grant", "token_pack_purchase", "admin_grant", "trial_grant"]
USAGE = ["chat_conversation", "vision_generation", "image_generation", "audio_generation", "transcription",
         "blueprint_generation", "assessment_scoring", "prompt_suggestions"]


def uuids(random, count):
    """Random UUIDs of version 4 as an Arrow array."""
    raw = random.integers(0, 256, size=(count, 16), dtype=np.uint8)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return raw


def uuid_array(raw):
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [None, pa.py_buffer(raw.tobytes())])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def uuid_texts(raw):
    """The printed form of UUIDs."""
    digits = raw.tobytes().hex()
    cut = (digits[at:at + 32] for at in range(0, len(digits), 32))
    return [f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in cut]


def words(codes, names):
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), names).cast(pa.string())


def times(micros):
    return pa.array(micros, pa.timestamp("us", "UTC"))


def write(path, columns):
    table = pa.table(columns)
    pq.write_table(table, path, compression="snappy", row_group_size=1 << 20)


def legacy_ledger(random, rows, users):
    kinds = random.choice(len(GRANTS), size=rows, p=[grant[2] for grant in GRANTS])
    at = np.sort(START + random.integers(0, YEAR, size=rows))
    return {
        "id": uuids(random, rows),
        "user": random.integers(0, users, size=rows),
        "kind": kinds,
        "tokens": np.array([grant[3] for grant in GRANTS], dtype=np.int32)[kinds],
        "at": at,
    }


def payments(kinds, ids):
    """A payment id for each purchase."""
    paid = kinds == 2
    texts = np.full(len(kinds), None, dtype=object)
    texts[paid] = ["pi_" + digits for digits in (raw.tobytes().hex()[:24] for raw in ids[paid])]
    return texts


def unified_grants(random, legacy, users):
    """The copies of the legacy rows, with their disturbances, and what was written here alone."""
    rows = len(legacy["kind"])
    fate = random.choice(6, size=rows, p=[0.97, 0.01, 0.006, 0.006, 0.004, 0.004])
    kept = np.flatnonzero(fate != 1)
    doubled = np.flatnonzero(fate == 2)
    source = np.concatenate([kept, doubled])
    fates = fate[source]
    action = np.array([UNIFIED_ACTIONS.index(grant[1]) for grant in GRANTS])[legacy["kind"][source]]
    tokens = legacy["tokens"][source].copy()
    at = legacy["at"][source].copy()
    tokens[fates == 3] -= 1
    at[fates == 4] += 3_600_000_000
    action[fates == 5] = 2
    at[len(kept):] += 1_500_000
    # Half of the rows were written twice by the product itself, half copied later and marked.
    marked = at < START + YEAR // 2
    paid = payments(legacy["kind"], legacy["id"])[source]
    links = np.array(uuid_texts(legacy["id"]), dtype=object)[source]
    metadata = [
        f'{{"migrated_from": "token_transactions", "legacy_id": "{link}", "plan": "vision_pro"}}' if mark
        else f'{{"payment_intent": "{pay}", "currency": "usd", "plan": "pack"}}' if pay else None
        for mark, link, pay in zip(marked, links, paid)
    ]
    trials = rows // 20
    return {
        "user": np.concatenate([legacy["user"][source], random.integers(0, users, size=trials)]),
        "action": np.concatenate([action, np.full(trials, 3)]),
        "tokens": np.concatenate([tokens, np.full(trials, 10_000, dtype=np.int32)]),
        "at": np.concatenate([at, START + random.integers(0, YEAR, size=trials)]),
        "metadata": np.concatenate([np.array(metadata, dtype=object), np.full(trials, None, dtype=object)]),
    }


def main():
    folder = Path(sys.argv[1])
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20260101)
    users = int(USERS * scale)
    ids = uuids(random, users)
    legacy = legacy_ledger(random, int(LEGACY_ROWS * scale), users)
    write(folder / "token_transactions.parquet", {
        "id": uuid_array(legacy["id"]),
        "user_id": uuid_array(ids[legacy["user"]]),
        "action_type": words(legacy["kind"], [grant[0] for grant in GRANTS]),
        "tokens_used": pa.array(legacy["tokens"]),
        "created_at": times(legacy["at"]),
        "stripe_payment_intent_id": pa.array(payments(legacy["kind"], legacy["id"]), pa.string()),
    })
    grants = unified_grants(random, legacy, users)
    usage = int(LEGACY_ROWS * scale) + int(USAGE_ROWS * scale) - len(grants["user"])
    # Use follows a grant of the same user, and is small beside it.
    of = random.integers(0, len(grants["user"]), size=usage)
    later = START + YEAR + 86_400_000_000 - grants["at"][of]
    action = np.concatenate([grants["action"], len(UNIFIED_ACTIONS) + random.integers(0, len(USAGE), size=usage)])
    at = np.concatenate([grants["at"], grants["at"][of] + (random.random(usage) * later).astype(np.int64)])
    order = np.argsort(at, kind="stable")
    user = np.concatenate([grants["user"], grants["user"][of]])[order]
    tokens = np.concatenate([grants["tokens"], random.integers(1, 400, size=usage, dtype=np.int32)])[order]
    success = np.concatenate([np.full(len(grants["user"]), True), random.random(usage) < 0.98])[order]
    metadata = np.concatenate([grants["metadata"], np.full(usage, None, dtype=object)])[order]
    write(folder / "token_usage.parquet", {
        "id": uuid_array(uuids(random, len(order))),
        "user_id": uuid_array(ids[user]),
        "action_type": words(action[order], UNIFIED_ACTIONS + USAGE),
        "model_used": words(random.integers(0, 3, size=len(order)), ["gpt-4o", "gpt-4o-mini", "whisper-1"]),
        "tokens_used": pa.array(tokens),
        "success": pa.array(success),
        "metadata": pa.array(metadata, pa.string()),
        "created_at": times(at[order]),
    })


main()
