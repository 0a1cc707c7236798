//! A throw-away PostgreSQL server for tests.
//!
//! [`Cluster::shared`] is one server for all tests of the process; each test takes its own database
//! with [`Cluster::database`]. The server listens on the loopback only, keeps nothing safe on disk
//! (`fsync = off`) and lives in a temporary folder. A watchdog, a shell that waits for the end of its
//! standard input, stops it and removes the folder when the test process ends, however it ends.
//!
//! `RECKON_TEST_PGBIN` names the folder of another server version's programs.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The superuser of every cluster; needs no password.
pub const SUPERUSER: &str = "postgres";

/// Waits for the end of its input, then stops the server and removes the folder.
const WATCHDOG: &str = r#"
cat > /dev/null
if read -r pid < "$1/data/postmaster.pid"; then
  kill -QUIT "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -0 "$pid" || break
    sleep 0.25
  done
fi
rm -rf -- "$1"
"#;

/// Who may connect how: members of `by_password` (over TCP) by password, everybody else freely.
pub const OPEN_HBA: &str = "\
host all +by_password 127.0.0.1/32 scram-sha-256
local all all trust
host all all 127.0.0.1/32 trust
local replication all trust
";

/// A running server.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Held open: its end tells the watchdog that this process is gone.
    _watchdog: ChildStdin,
}

/// A database of a cluster.
pub struct Db {
    /// Its server.
    pub cluster: &'static Cluster,
    /// Its name.
    pub name: String,
}

impl Cluster {
    /// The server that all tests of this process share.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::start(&[], OPEN_HBA))
    }

    /// Starts a server of its own with further settings (`name=value`) and host rules.
    ///
    /// # Panics
    /// When there is no server program or it does not start: tests against PostgreSQL are never
    /// skipped.
    pub fn start(settings: &[&str], host_rules: &str) -> Cluster {
        let (folder, watchdog) = guarded_folder();
        let cluster = Cluster { programs: programs(), port: free_port(), folder, _watchdog: watchdog };
        let data = cluster.data();
        cluster.server_program(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                SUPERUSER,
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
        );
        cluster.boot(settings, host_rules);
        cluster.psql("postgres", "create role by_password nologin");
        cluster
    }

    /// Starts a physical standby of `primary`.
    pub fn standby_of(primary: &Cluster) -> Cluster {
        let (folder, watchdog) = guarded_folder();
        let cluster = Cluster { programs: programs(), port: free_port(), folder, _watchdog: watchdog };
        let from = format!("host={} port={} user={SUPERUSER}", primary.folder.display(), primary.port);
        let data = cluster.data();
        cluster.server_program(
            "pg_basebackup",
            &[
                "--pgdata",
                &data,
                "--dbname",
                &from,
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
        );
        cluster.boot(&[], OPEN_HBA);
        cluster
    }

    /// Writes the settings and starts the server in the prepared data folder.
    fn boot(&self, settings: &[&str], host_rules: &str) {
        fs::write(format!("{}/pg_hba.conf", self.data()), host_rules).unwrap();
        let mut lines = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 120\n\
             wal_level = replica\nautovacuum = off\nlog_min_messages = warning\n",
            self.port,
            self.folder.display()
        );
        for setting in settings {
            lines.push_str(setting);
            lines.push('\n');
        }
        let mut file =
            fs::File::options().append(true).open(format!("{}/postgresql.conf", self.data())).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        let log = format!("{}/server.log", self.folder.display());
        self.server_program("pg_ctl", &["--pgdata", &self.data(), "--log", &log, "--wait", "start"]);
    }

    /// Stops the server at once, as a crash does: every session is lost.
    pub fn stop(&self) {
        self.stop_as("immediate");
    }

    /// Stops the server as it should be: it keeps what it has counted.
    pub fn stop_cleanly(&self) {
        self.stop_as("fast");
    }

    fn stop_as(&self, mode: &str) {
        self.server_program("pg_ctl", &["--pgdata", &self.data(), "--mode", mode, "--wait", "stop"]);
    }

    /// Starts it again.
    pub fn start_again(&self) {
        let log = format!("{}/server.log", self.folder.display());
        self.server_program("pg_ctl", &["--pgdata", &self.data(), "--log", &log, "--wait", "start"]);
    }

    /// A new, empty database whose name begins with `name`.
    pub fn database(&'static self, name: &str) -> Db {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{name}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("create database \"{name}\" template template0"));
        Db { cluster: self, name }
    }

    /// Lets tests keep a server of their own as long as the shared one.
    pub fn leak(self) -> &'static Cluster {
        Box::leak(Box::new(self))
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Folder of the Unix socket and the data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a program of this server version is (`psql`, `pg_dump`).
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Gives a file or folder to the user that the server runs as.
    pub fn give(&self, path: &Path) {
        if let Some((user, group)) = server_user() {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn data(&self) -> String {
        format!("{}/data", self.folder.display())
    }

    /// Runs a server program as the server's user.
    fn server_program(&self, name: &str, arguments: &[&str]) {
        let mut command = clean(&self.program(name));
        command.args(arguments).current_dir(&self.folder).process_group(0);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        // The server inherits these: a pipe would be held open until it ends.
        let said = self.folder.join(format!("{name}.log"));
        let file = fs::File::create(&said).unwrap();
        let status = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .status()
            .unwrap_or_else(|cause| panic!("cannot run {name}: {cause}; see scripts/test"));
        if !status.success() {
            let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
            panic!("{name} failed: {}{log}", fs::read_to_string(said).unwrap_or_default());
        }
    }

    fn psql(&self, database: &str, sql: &str) {
        Db::run(self, database, &["--command", sql], None).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
}

impl Db {
    /// Where it is, for `DATABASE_URL`: the superuser over TCP.
    pub fn url(&self) -> String {
        self.url_as(SUPERUSER)
    }

    /// The same for another role.
    pub fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{}?sslmode=disable", self.cluster.port, self.name)
    }

    /// Runs a script; the first error ends it.
    ///
    /// # Panics
    /// With the server's message when it fails.
    pub fn sql(&self, script: &str) {
        if let Err(error) = self.try_sql(script) {
            panic!("{error}\n{script}");
        }
    }

    /// Runs a script; answers what psql printed, or the server's message.
    pub fn try_sql(&self, script: &str) -> Result<String, String> {
        Db::run(self.cluster, &self.name, &["--file", "-"], Some(script))
    }

    /// Runs a script file as the README tells people to: `psql -v ON_ERROR_STOP=1 -f FILE`.
    pub fn try_file(&self, file: &Path) -> Result<String, String> {
        Db::run(self.cluster, &self.name, &["--file", &file.display().to_string()], None)
    }

    /// Runs a script file.
    ///
    /// # Panics
    /// With the server's message when it fails.
    pub fn file(&self, file: &Path) {
        if let Err(error) = self.try_file(file) {
            panic!("{}: {error}", file.display());
        }
    }

    /// The rows of a query as text; null is the empty text.
    pub fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let text = Db::run(self.cluster, &self.name, &["--csv", "--tuples-only", "--command", sql], None)
            .unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    /// The single value of a query.
    pub fn value(&self, sql: &str) -> String {
        let rows = self.query(sql);
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "one value expected: {sql}");
        rows[0][0].clone()
    }

    /// Loads a CSV file with a header into the table's columns of the same names; an unquoted empty
    /// field is null.
    pub fn load_csv(&self, table: &str, file: &Path) {
        let mut reader = csv::Reader::from_path(file).unwrap();
        let columns: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
            .collect();
        let text = fs::read_to_string(file).unwrap();
        let copy = format!("copy {table} ({}) from stdin with (format csv, header)", columns.join(", "));
        Db::run(self.cluster, &self.name, &["--command", &copy], Some(&text))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// MD5 over all rows of a table in any order: equal before and after means nothing changed.
    pub fn digest(&self, table: &str) -> String {
        self.value(&format!(
            "select md5(coalesce(string_agg(row::text, chr(10) order by row::text), '')) from {table} row"
        ))
    }

    fn run(
        cluster: &Cluster,
        database: &str,
        arguments: &[&str],
        input: Option<&str>,
    ) -> Result<String, String> {
        let mut child = clean(&cluster.program("psql"))
            .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", SUPERUSER])
            .arg("--host")
            .arg(&cluster.folder)
            .args(["--port", &cluster.port.to_string(), "--dbname", database])
            .args(arguments)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|cause| panic!("cannot run psql: {cause}; see scripts/test"));
        let output = feed(&mut child, input);
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// Writes the input beside reading the output, so that neither side waits for the other.
fn feed(child: &mut Child, input: Option<&str>) -> Output {
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // psql may end before it has read all: its message says why.
            scope.spawn(move || stdin.write_all(input.as_bytes()).ok());
        }
        let mut output = Output { status: Default::default(), stdout: Vec::new(), stderr: Vec::new() };
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = scope.spawn(move || {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut err, &mut text).unwrap();
            text
        });
        std::io::Read::read_to_end(&mut out, &mut output.stdout).unwrap();
        output.stderr = errors.join().unwrap();
        output.status = child.wait().unwrap();
        output
    })
}

/// A command that the caller's own PostgreSQL settings do not reach.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C");
    command
}

/// A new folder that the server's user owns, and the watchdog that will remove it.
#[allow(clippy::zombie_processes, reason = "the watchdog outlives this process")]
fn guarded_folder() -> (PathBuf, ChildStdin) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("reckon-test-{}-{number}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    if let Some((user, group)) = server_user() {
        chown(&folder, Some(user), Some(group)).unwrap();
    }
    let mut watchdog = Command::new("sh")
        .args(["-c", WATCHDOG, "sh"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let stdin = watchdog.stdin.take().unwrap();
    (folder, stdin)
}

/// The server refuses to run as root: then it runs as `postgres` or `nobody`.
fn server_user() -> Option<(u32, u32)> {
    static USER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *USER.get_or_init(|| {
        let me = Command::new("id").arg("-u").output().unwrap().stdout;
        if me != b"0\n" {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let find = |name: &str| {
            let fields: Vec<&str> =
                users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
            Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
        };
        Some(find("postgres").or_else(|| find("nobody")).expect("an unprivileged user in /etc/passwd"))
    })
}

/// The folder of the server's programs: as told, the newest that Debian installed, or in the PATH.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("RECKON_TEST_PGBIN") {
        return folder.into();
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    versions.sort();
    if let Some((_, folder)) = versions.pop() {
        return folder;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    let found = found.and_then(|folder| folder.join("initdb").canonicalize().ok());
    found.and_then(|initdb| initdb.parent().map(Path::to_owned)).unwrap_or_else(|| {
        panic!(
            "tests need a PostgreSQL server, and initdb is neither in the PATH nor below \
                /usr/lib/postgresql: scripts/test installs it and runs the tests"
        )
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
