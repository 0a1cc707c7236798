"""Which rows stand in the two ledgers, shape by shape.

Sizes at scale 1: 1,000,000 legacy rows, 11,000,000 unified rows, 250,000 users; `giant` and
`identical`: 100,000 rows a side and one user. Everything here is NumPy arrays, and the same shape and
scale always give the same.
"""

from dataclasses import dataclass

import numpy as np

LEGACY_ROWS, USAGE_ROWS, USERS, GIANT_ROWS = 1_000_000, 10_000_000, 250_000, 100_000
SECOND = 1_000_000
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
START = 1_735_689_600 * SECOND  # 2025-01-01
YEAR = 365 * DAY
# legacy label, unified action, share, tokens
GRANTS = [
    ("subscription_grant", "subscription_grant", 0.35, 1_000_000),
    ("renewal_grant", "subscription_grant", 0.35, 80_000),
    ("pack_purchase", "token_pack_purchase", 0.25, 250_000),
    ("manual_adjustment", "admin_grant", 0.05, 5_000),
]
PURCHASE = 2  # the place of the paid kind in GRANTS
UNIFIED_ACTIONS = ["subscription_grant", "token_pack_purchase", "admin_grant", "trial_grant"]
ADMIN, TRIAL = 2, 3
TRIAL_TOKENS = 10_000
SHAPES = {
    "disturbed": "3 % of the grants missing, doubled, of another amount, time or action",
    "undisturbed": "every grant copied as it is",
    "shifted": "every unified grant 7 hours later; no links, no references",
    "use10": "as disturbed, with ten times the rows of use",
    "findings": "no legacy row copied",
    "giant": "one user's grants of one action and amount, seconds apart, copied up to 5 s later",
    "identical": "one user's grants of one action and amount, all of a side at one instant",
}


@dataclass
class Legacy:
    """The old ledger, in the order of time."""

    ids: np.ndarray
    user: np.ndarray
    kind: np.ndarray
    at: np.ndarray

    @property
    def tokens(self):
        return np.array([grant[3] for grant in GRANTS], dtype=np.int32)[self.kind]


@dataclass
class Grants:
    """The grants of the new ledger."""

    user: np.ndarray
    action: np.ndarray
    tokens: np.ndarray
    at: np.ndarray
    # The legacy row that the metadata name; -1 where they name none.
    source: np.ndarray


@dataclass
class Ledgers:
    """Both ledgers; of use only how much there is, since it is made while it is written."""

    users: int
    legacy: Legacy
    grants: Grants
    usage: int
    # The most that one use takes: small enough that users stay above zero, as a rule.
    most: int


def ledgers(random, uuids, shape, scale):
    """The ledgers of a shape; `uuids` makes ids."""
    if shape in ("giant", "identical"):
        return one_user(random, uuids, shape, max(1, round(GIANT_ROWS * scale)))
    users, rows = round(USERS * scale), round(LEGACY_ROWS * scale)
    legacy = Legacy(
        ids=uuids(random, rows),
        user=random.integers(0, users, size=rows, dtype=np.int32),
        kind=random.choice(len(GRANTS), size=rows, p=[grant[2] for grant in GRANTS]).astype(np.int8),
        at=np.sort(START + random.integers(0, YEAR, size=rows)),
    )
    if shape == "findings":
        grants, most = trials(random, np.arange(users, dtype=np.int32)), 100
    else:
        grants, most = copies(random, legacy, shape), 400
        extra = trials(random, random.integers(0, users, size=rows // 20, dtype=np.int32))
        grants = Grants(*(np.concatenate(both) for both in zip(vars(grants).values(), vars(extra).values())))
    if shape == "shifted":
        grants.at += 7 * HOUR
        grants.source[:] = -1
    usage = rows + round(USAGE_ROWS * scale) - len(grants.at)
    if shape == "use10":
        usage, most = usage + 9 * round(USAGE_ROWS * scale), most // 10
    return Ledgers(users, legacy, grants, usage, most)


def copies(random, legacy, shape):
    """The copies of the legacy rows, with their disturbances."""
    rows = len(legacy.at)
    fate = random.choice(6, size=rows, p=[0.97, 0.01, 0.006, 0.006, 0.004, 0.004])
    if shape in ("undisturbed", "shifted"):
        fate[:] = 0
    kept, doubled = np.flatnonzero(fate != 1), np.flatnonzero(fate == 2)
    source = np.concatenate([kept, doubled]).astype(np.int32)
    fate = fate[source]
    unified = np.array([UNIFIED_ACTIONS.index(grant[1]) for grant in GRANTS], dtype=np.int8)
    grants = Grants(
        user=legacy.user[source],
        action=unified[legacy.kind[source]],
        tokens=legacy.tokens[source],
        at=legacy.at[source],
        source=source,
    )
    grants.tokens[fate == 3] -= 1
    grants.at[fate == 4] += HOUR
    grants.action[fate == 5] = ADMIN
    grants.at[len(kept):] += 3 * SECOND // 2
    return grants


def trials(random, user):
    """A grant for each of `user` that only the new ledger knows."""
    return Grants(
        user=user,
        action=np.full(len(user), TRIAL, dtype=np.int8),
        tokens=np.full(len(user), TRIAL_TOKENS, dtype=np.int32),
        at=START + random.integers(0, YEAR, size=len(user)),
        source=np.full(len(user), -1, dtype=np.int32),
    )


def one_user(random, uuids, shape, rows):
    """Grants that nothing but their times tells apart, or not even these; none agrees to the moment."""
    if shape == "giant":
        before = START + np.cumsum(random.integers(1, 11, size=rows)) * SECOND
        after = before + random.integers(SECOND // 1000, 5 * SECOND, size=rows)
    else:
        before = np.full(rows, START)
        after = before + 3 * SECOND // 2
    legacy = Legacy(
        ids=uuids(random, rows),
        user=np.zeros(rows, dtype=np.int32),
        kind=np.zeros(rows, dtype=np.int8),
        at=before,
    )
    grants = Grants(
        user=legacy.user,
        action=np.zeros(rows, dtype=np.int8),
        tokens=legacy.tokens,
        at=after,
        source=np.full(rows, -1, dtype=np.int32),
    )
    return Ledgers(1, legacy, grants, 0, 0)
