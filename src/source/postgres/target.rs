//! Where the database is: `DATABASE_URL`, or else libpq's variables, service file and `.pgpass`.

use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::SourceError;
use super::conninfo::{self, Words, wrong};

/// A password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// Host name, address, or folder of a Unix socket (begins with `/`).
    pub host: String,
    /// Address to connect to instead of looking the name up.
    pub hostaddr: Option<IpAddr>,
    pub port: u16,
    pub password: Option<Secret>,
}

impl Server {
    /// Is it reached by a Unix socket?
    pub fn is_local(&self) -> bool {
        self.host.starts_with('/') && self.hostaddr.is_none()
    }

    /// The file of its Unix socket.
    pub fn socket_file(&self) -> PathBuf {
        Path::new(&self.host).join(format!(".s.PGSQL.{}", self.port))
    }
}

/// How much TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What is asked of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    Any,
    Primary,
    Standby,
    PreferStandby,
}

/// When a silent line is asked whether it is still there, and when it is given up. The system's own
/// default asks after two hours, and an unattended job would wait as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keepalives {
    pub on: bool,
    /// Silence before the first question.
    pub idle: Duration,
    /// Time between questions.
    pub interval: Duration,
    /// Questions without an answer.
    pub count: u32,
    /// How long something sent may stay unacknowledged; zero: as long as the system wants.
    pub user_timeout: Duration,
}

impl Default for Keepalives {
    fn default() -> Keepalives {
        Keepalives {
            on: true,
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(15),
            count: 4,
            user_timeout: Duration::from_secs(120),
        }
    }
}

/// Everything that a connection needs to know.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub servers: Vec<Server>,
    pub user: String,
    pub dbname: String,
    pub application_name: String,
    pub options: Option<String>,
    pub connect_timeout: Duration,
    pub session: SessionKind,
    pub channel_binding: tokio_postgres::config::ChannelBinding,
    pub sslmode: SslMode,
    pub direct_tls: bool,
    pub only_tls13: bool,
    /// `system`, or a file.
    pub sslrootcert: Option<String>,
    pub sslcert: Option<PathBuf>,
    pub sslkey: Option<PathBuf>,
    pub keepalives: Keepalives,
}

/// libpq's variables and the key words they stand for.
const VARIABLES: [(&str, &str); 21] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSERVICE", "service"),
    ("PGSERVICEFILE", "servicefile"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGGSSENCMODE", "gssencmode"),
];

/// Any of them says where the database is.
const PLACES: [&str; 6] = ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"];

/// Does the environment say where the database is? If not, the usual place is tried.
pub(super) fn is_named(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    PLACES.iter().any(|name| variable(name).is_some_and(|value| !value.is_empty()))
}

/// Longest wait for one server to answer, where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Finds out where the database is. `variable` looks up an environment variable.
///
/// # Errors
/// A setting cannot be understood; no secret is in the message.
pub(super) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Result<Target, SourceError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (mut words, origin) = match variable("DATABASE_URL") {
        Some(text) => (conninfo::parse(&text, "DATABASE_URL")?, "DATABASE_URL"),
        None => (Words::new(), "the environment"),
    };
    let home = variable("HOME").map(PathBuf::from);
    // As in libpq: what is written in the string, then the service, then the variables.
    if let Some(service) = words.get("service").cloned().or_else(|| variable("PGSERVICE")) {
        let file = words.get("servicefile").cloned().or_else(|| variable("PGSERVICEFILE")).map(PathBuf::from);
        let system = variable("PGSYSCONFDIR").map_or("/etc/postgresql-common".into(), PathBuf::from);
        for (word, value) in read_service(&service, file, home.as_deref(), &system)? {
            words.entry(word).or_insert(value);
        }
    }
    for (name, word) in VARIABLES {
        if let Some(value) = variable(name) {
            words.entry(word.to_owned()).or_insert(value);
        }
    }
    words.retain(|_, value| !value.is_empty());
    let user = match words.get("user") {
        Some(user) => user.clone(),
        None => variable("USER")
            .or_else(|| variable("LOGNAME"))
            .or_else(user_of_process)
            .ok_or_else(|| wrong(origin, "no user name: put one into DATABASE_URL or set PGUSER"))?,
    };
    resolve(&words, origin, user, home.as_deref())
}

fn resolve(words: &Words, origin: &str, user: String, home: Option<&Path>) -> Result<Target, SourceError> {
    let get = |word: &str| words.get(word).map(String::as_str);
    let dbname = get("dbname").map_or_else(|| user.clone(), str::to_owned);
    let sslrootcert = get("sslrootcert").map(str::to_owned);
    let personal =
        |name: &str| home.map(|home| home.join(".postgresql").join(name)).filter(|file| file.exists());
    let mut target = Target {
        servers: servers(words, origin)?,
        application_name: get("application_name").unwrap_or("reckon").to_owned(),
        options: get("options").map(str::to_owned),
        connect_timeout: match get("connect_timeout")
            .map(|text| number(origin, "connect_timeout", text))
            .transpose()?
        {
            Some(seconds) if seconds > 0 => Duration::from_secs(seconds),
            Some(_) => Duration::from_secs(24 * 3600),
            None => CONNECT_TIMEOUT,
        },
        session: session_kind(origin, get("target_session_attrs"))?,
        channel_binding: channel_binding(origin, get("channel_binding"))?,
        sslmode: ssl_mode(origin, get("sslmode"), sslrootcert.as_deref())?,
        direct_tls: get("sslnegotiation") == Some("direct"),
        only_tls13: get("ssl_min_protocol_version") == Some("TLSv1.3"),
        sslrootcert: sslrootcert.or_else(|| personal("root.crt").map(|file| file.display().to_string())),
        sslcert: get("sslcert").map(PathBuf::from).or_else(|| personal("postgresql.crt")),
        sslkey: get("sslkey").map(PathBuf::from).or_else(|| personal("postgresql.key")),
        keepalives: keepalives(words, origin)?,
        user,
        dbname,
    };
    if target.direct_tls && target.sslmode < SslMode::Require {
        return Err(wrong(origin, "sslnegotiation=direct needs sslmode=require or stronger"));
    }
    // Written or in PGPASSWORD; otherwise the password file may know one for each server.
    let password = get("password").map(|text| Secret(text.to_owned()));
    let file = get("passfile").map(PathBuf::from).or_else(|| home.map(|home| home.join(".pgpass")));
    let lines = if password.is_none() { file.and_then(|file| read_passfile(&file)) } else { None };
    for server in &mut target.servers {
        server.password = password.clone().or_else(|| {
            password_of(lines.as_deref()?, &passfile_host(server), server.port, &target.dbname, &target.user)
        });
    }
    Ok(target)
}

fn servers(words: &Words, origin: &str) -> Result<Vec<Server>, SourceError> {
    let list = |word: &str| -> Vec<String> {
        words
            .get(word)
            .map(|text| text.split(',').map(|part| part.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    if !(hosts.is_empty() || addresses.is_empty() || hosts.len() == addresses.len()) {
        return Err(wrong(origin, "host and hostaddr must name the same number of servers"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(wrong(origin, "port must be one number, or one for each host"));
    }
    (0..count)
        .map(|at| {
            let port = match ports.get(at).or_else(|| ports.first()).map(String::as_str).unwrap_or_default() {
                "" => 5432,
                text => u16::try_from(number(origin, "port", text)?)
                    .map_err(|_| wrong(origin, "port is above 65535"))?,
            };
            let hostaddr: Option<IpAddr> = match addresses.get(at).map(String::as_str).unwrap_or_default() {
                "" => None,
                text => Some(text.parse().map_err(|_| wrong(origin, "hostaddr is no IP address"))?),
            };
            let host = match (hosts.get(at).map(String::as_str).unwrap_or_default(), hostaddr) {
                ("", Some(address)) => address.to_string(),
                ("", None) => default_host(port),
                (host, _) => host.to_owned(),
            };
            Ok(Server { host, hostaddr, port, password: None })
        })
        .collect()
}

/// Folders where servers put their Unix socket unless told otherwise.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

fn default_host(port: u16) -> String {
    let socket = format!(".s.PGSQL.{port}");
    let found = SOCKET_FOLDERS.iter().find(|folder| Path::new(folder).join(&socket).exists());
    found.map_or("localhost", |folder| folder).to_owned()
}

fn number(origin: &str, word: &str, text: &str) -> Result<u64, SourceError> {
    text.trim().parse().map_err(|_| wrong(origin, &format!("{word} is no number")))
}

fn keepalives(words: &Words, origin: &str) -> Result<Keepalives, SourceError> {
    let read = |word: &str| words.get(word).map(|text| number(origin, word, text)).transpose();
    // As in libpq, 0 is the same as not written.
    let written = |word: &str| Ok(read(word)?.filter(|number| *number > 0));
    let default = Keepalives::default();
    Ok(Keepalives {
        on: read("keepalives")? != Some(0),
        idle: written("keepalives_idle")?.map_or(default.idle, Duration::from_secs),
        interval: written("keepalives_interval")?.map_or(default.interval, Duration::from_secs),
        count: written("keepalives_count")?
            .map_or(default.count, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        user_timeout: read("tcp_user_timeout")?.map_or(default.user_timeout, Duration::from_millis),
    })
}

fn ssl_mode(origin: &str, text: Option<&str>, root: Option<&str>) -> Result<SslMode, SourceError> {
    let system = root == Some("system");
    let mode = match text {
        None if system => SslMode::VerifyFull,
        None | Some("prefer") => SslMode::Prefer,
        Some("disable") => SslMode::Disable,
        Some("allow") => SslMode::Allow,
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some("verify-full") => SslMode::VerifyFull,
        Some(_) => {
            let known = "disable, allow, prefer, require, verify-ca, verify-full";
            return Err(wrong(origin, &format!("sslmode is none of {known}")));
        }
    };
    if system && mode != SslMode::VerifyFull {
        return Err(wrong(origin, "sslrootcert=system needs sslmode=verify-full"));
    }
    Ok(mode)
}

fn session_kind(origin: &str, text: Option<&str>) -> Result<SessionKind, SourceError> {
    match text {
        None | Some("any") => Ok(SessionKind::Any),
        Some("read-write" | "primary") => Ok(SessionKind::Primary),
        Some("read-only" | "standby") => Ok(SessionKind::Standby),
        Some("prefer-standby") => Ok(SessionKind::PreferStandby),
        Some(_) => {
            let known = "any, read-write, read-only, primary, standby, prefer-standby";
            Err(wrong(origin, &format!("target_session_attrs is none of {known}")))
        }
    }
}

fn channel_binding(
    origin: &str,
    text: Option<&str>,
) -> Result<tokio_postgres::config::ChannelBinding, SourceError> {
    use tokio_postgres::config::ChannelBinding;
    match text {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(_) => Err(wrong(origin, "channel_binding is none of disable, prefer, require")),
    }
}

/// The name of the user who runs this process, where no variable says it.
fn user_of_process() -> Option<String> {
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The key words of a service: the section `[name]` of the personal, then the system's file.
fn read_service(
    name: &str,
    file: Option<PathBuf>,
    home: Option<&Path>,
    system: &Path,
) -> Result<Words, SourceError> {
    let personal = file.or_else(|| home.map(|home| home.join(".pg_service.conf")));
    let files: Vec<PathBuf> = personal.into_iter().chain([system.join("pg_service.conf")]).collect();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let Some(words) = service_section(&text, name) else { continue };
        let words = words.ok_or_else(|| {
            wrong(&file.display().to_string(), &format!("a line of [{name}] is not of the form key=value"))
        })?;
        conninfo::check(&words, &format!("service {name} in {}", file.display()))?;
        return Ok(words);
    }
    let places: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Err(wrong(
        &format!("service {name}"),
        &format!("there is no section [{name}] in {}", places.join(" or ")),
    ))
}

/// `None`: no such section; `Some(None)`: a line cannot be read.
fn service_section(text: &str, name: &str) -> Option<Option<Words>> {
    let mut lines = text.lines().map(str::trim);
    lines
        .by_ref()
        .find(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) == Some(name))?;
    let mut words = Words::new();
    for line in lines.take_while(|line| !line.starts_with('[')) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((word, value)) = line.split_once('=') else { return Some(None) };
        words.insert(word.trim().to_owned(), value.trim().to_owned());
    }
    Some(Some(words))
}

/// The password file, unless others may read it: then libpq passes over it, too.
fn read_passfile(file: &Path) -> Option<String> {
    let about = std::fs::metadata(file).ok()?;
    if !about.is_file() {
        return None;
    }
    if about.permissions().mode() & 0o077 != 0 {
        tracing::warn!("{} is not used: others may read it (chmod 600 it)", file.display());
        return None;
    }
    std::fs::read_to_string(file).ok()
}

/// How the password file names a server: a socket in its usual folder is `localhost`.
fn passfile_host(server: &Server) -> String {
    if SOCKET_FOLDERS.contains(&server.host.as_str()) { "localhost".to_owned() } else { server.host.clone() }
}

/// The first line `host:port:database:user:password` that fits; `*` fits all, `\` escapes.
fn password_of(lines: &str, host: &str, port: u16, dbname: &str, user: &str) -> Option<Secret> {
    let wanted = [host, &port.to_string(), dbname, user];
    lines.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = vec![String::new()];
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => fields.last_mut()?.extend(letters.next()),
                ':' if fields.len() < 5 => fields.push(String::new()),
                letter => fields.last_mut()?.push(letter),
            }
        }
        let fits = fields.len() == 5
            && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| Secret(fields.swap_remove(4)))
    })
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
