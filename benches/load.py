"""Makes the data sets and loads them into PostgreSQL; both are kept until their makers change."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from process import must, say
from server import Server, base

HERE = Path(__file__).resolve().parent
TABLES = ("token_transactions", "token_usage")


class Data:
    """A data set: a folder of Parquet files with the configuration that reads them."""

    def __init__(self, cache, shape, scale):
        name = f"{shape}-{scale:g}"
        self.name = f"{name}-{digest('generate.py', 'shapes.py', 'columns.py')}"
        self.folder = cache / self.name
        if not (self.folder / "data.json").exists():
            for old in cache.glob(f"{name}-????????"):
                say(f"{old} is of an older generator and can be removed")
            say(f"making {self.folder}")
            must(sys.executable, str(HERE / "generate.py"), str(self.folder), shape, f"{scale:g}")
        known = json.loads((self.folder / "data.json").read_text())
        self.shape, self.what, self.users = shape, known["what"], known["users"]
        self.legacy, self.unified = known["legacy"], known["unified"]
        self.rows = self.legacy + self.unified
        files = (HERE / "reckon.toml").read_text()
        (self.folder / "files.toml").write_text(files)
        # Without files to read, the tables are read.
        database = [line for line in files.splitlines() if not line.startswith("path =")]
        (self.folder / "postgres.toml").write_text("\n".join(database) + "\n")

    def file(self, table):
        return self.folder / f"{table}.parquet"

    def __str__(self):
        users = "one user" if self.users == 1 else f"{self.users:,} users"
        return f"{self.legacy:,} legacy and {self.unified:,} unified rows, {users}: {self.what}"


def digest(*names):
    """A few digits that change with the files."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()[:8]


def database(cache, data):
    """A server that has the data set; use it with `with`."""
    made = digest("load.py", "postgres/tables.sql", "postgres/finish.sql")
    server = Server(base(cache) / f"{data.name}-{made}")
    complete = server.folder / "complete"
    if not complete.exists():
        size = sum(data.file(table).stat().st_size for table in TABLES)
        for old in base(cache).glob(f"{data.name.rpartition('-')[0]}-????????-????????"):
            say(f"{old} is of older data and can be removed, unless a server of it runs")
        base(cache).mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(base(cache)).free < 6 * size:
            sys.exit(f"{base(cache)} has less than {6 * size >> 20:,} MiB free, which the tables may need")
        with server:
            server.ask("-f", str(HERE / "postgres/tables.sql"))
            for table in TABLES:
                say(f"loading {table} into {server.folder}")
                load(server, table, data.file(table))
            say("making the primary keys, vacuum analyze")
            server.ask("-f", str(HERE / "postgres/finish.sql"))
        complete.touch()
    return server


def load(server, table, file):
    """Streams a file into its table. In the transaction that emptied the table the rows are frozen at
    once and pass by the log."""
    source = subprocess.Popen([sys.executable, str(HERE / "export.py"), str(file)], stdout=subprocess.PIPE)
    into = server.psql("--single-transaction", "-c", f"truncate public.{table}",
                       "-c", f"copy public.{table} from stdin (format csv, freeze)")
    loaded = subprocess.run(into, stdin=source.stdout, env=server.environment)
    source.stdout.close()
    if source.wait() != 0 or loaded.returncode != 0:
        sys.exit(f"{file} could not be loaded into PostgreSQL")
