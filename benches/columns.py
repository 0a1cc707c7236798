"""Arrow columns made of NumPy arrays, without a Python object per row.

UUIDs are `uint8` matrices of sixteen columns; texts of one width are matrices of so many characters.
"""

import numpy as np
import pyarrow as pa

HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint8).reshape(256, 2)
# Where the 32 digits of a UUID stand in its printed form of 36 characters.
DIGITS = [at for at in range(36) if at not in (8, 13, 18, 23)]


def uuids(random, count):
    """Random UUIDs of version 4."""
    raw = np.frombuffer(random.bytes(count * 16), dtype=np.uint8).reshape(count, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return raw


def uuid_column(raw):
    """UUIDs as Parquet's logical type."""
    storage = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [None, pa.py_buffer(raw.tobytes())])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def texts(characters):
    """One text for each row of a matrix of characters."""
    count, width = characters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(characters.tobytes()))


def uuid_texts(raw):
    """UUIDs as they are printed."""
    characters = np.full((len(raw), 36), ord("-"), dtype=np.uint8)
    characters[:, DIGITS] = HEX[raw].reshape(len(raw), 32)
    return texts(characters)


def payment_texts(raw):
    """A payment's id in the manner of Stripe, made of the row's own id: `pi_` and 24 digits."""
    characters = np.empty((len(raw), 27), dtype=np.uint8)
    characters[:, :3] = np.frombuffer(b"pi_", dtype=np.uint8)
    characters[:, 3:] = HEX[raw[:, :12]].reshape(len(raw), 24)
    return texts(characters)


def spread(values, present):
    """`values`, one for each row of `present` that is true, in their order; null in the other rows."""
    places = np.where(present, np.cumsum(present) - 1, 0)
    return values.take(pa.array(places, mask=~present))


def words(codes, names):
    """The name of each code."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), names).cast(pa.string())


def times(micros):
    """Instants, given as microseconds since 1970."""
    return pa.array(micros, pa.timestamp("us", "UTC"))
