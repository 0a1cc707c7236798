//! What the server's errors mean, and the way out. No message holds a secret.

use std::error::Error as _;
use std::io::ErrorKind;

use tokio_postgres::error::SqlState;

use super::super::SourceError;
use super::catalogue::{BaseType, Relation};

use crate::config::quote_identifier;

/// What is done when there is no session yet.
pub(super) const CONNECTING: &str = "connecting";

/// Turns an error of the driver into a sentence: `who` says role, database and server, `doing` what
/// was tried (`reading public.token_usage`).
pub(super) fn explain(error: &tokio_postgres::Error, who: &str, doing: &str) -> SourceError {
    if let (true, (what, Some(io))) = (doing == CONNECTING, causes_of(error))
        && is_unreachable(io)
    {
        return SourceError::Unreachable { message: format!("{who}: {doing}: {what}: {}", of_io(io)) };
    }
    let (what, way_out, transient) = match error.as_db_error() {
        Some(error) => {
            let (way_out, transient) = way_out(error.code(), error.message());
            (format!("{} ({})", error.message(), error.code().code()), way_out, transient)
        }
        None => of_connection(error),
    };
    SourceError::Database { message: format!("{who}: {doing}: {what}: {way_out}"), transient }
}

/// Adds to an error about texts that the server cannot hand out which columns may hold them, and a query that
/// finds the rows: the server itself names neither. `fields`: what was read, as written.
pub(super) fn where_to_look(error: SourceError, relation: &Relation, fields: &[&str]) -> SourceError {
    let SourceError::Database { message, transient: false } = &error else { return error };
    let is = |code: &str| message.contains(&format!("({code})"));
    let read = |column: &&super::catalogue::Column| {
        let name = column.facts.name.as_str();
        fields.iter().any(|field| *field == name || field.split('.').next() == Some(name))
    };
    let columns: Vec<_> = relation.columns.iter().filter(read).collect();
    let quoted = |name: &str| format!("t.{}", quote_identifier(name));
    let table = relation.sql();
    let mut hints = Vec::new();
    if is("22P05") || is("22P02") {
        let json = BaseType::BuiltIn("json".to_owned());
        hints.extend(columns.iter().filter(|column| column.base == json).map(|column| {
            let name = &column.facts.name;
            format!(
                "column {name} of type json may hold \\u0000 or half of a surrogate pair, of which the server makes \
                 no text: select t.* from {table} t where {}::text ~* '\\\\u(0000|d[89a-f])' finds the rows; correct \
                 them, or take the field out of reckon.toml",
                quoted(name)
            )
        }));
    }
    if is("22P05") || is("22021") {
        let read: Vec<String> = columns.iter().map(|column| quoted(&column.facts.name)).collect();
        hints.push(format!(
            "a database of encoding SQL_ASCII takes any bytes: select t.* from {table} t where concat({}) ~ \
             '[^[:ascii:]]' finds the rows that may hold such a text; write it as UTF-8, or read a view that does: \
             convert_from(convert(convert_to(COLUMN, 'SQL_ASCII'), 'LATIN1', 'UTF8'), 'SQL_ASCII')",
            read.join(", ")
        ));
    }
    match hints.is_empty() {
        true => error,
        false => {
            SourceError::Database { message: format!("{message}; {}", hints.join("; ")), transient: false }
        }
    }
}

/// An error that came not from the server but from the line to it.
fn of_connection(error: &tokio_postgres::Error) -> (String, &'static str, bool) {
    if error.is_closed() {
        let way_out = "the connection was lost; nothing was written, run it again";
        return ("connection closed".to_owned(), way_out, true);
    }
    let (text, io) = causes_of(error);
    if let Some(io) = io {
        let stays = [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&io.kind());
        return (text, of_io(io), !stays && !is_about_certificates(io));
    }
    if text.contains("password missing") {
        return (text, "put the password into DATABASE_URL, PGPASSWORD or ~/.pgpass", false);
    }
    let (way_out, transient) = if text.contains("TLS") {
        ("look at sslmode and sslrootcert; a server without TLS needs sslmode=disable or prefer", false)
    } else {
        ("look at DATABASE_URL and the server's log", false)
    };
    (text, way_out, transient)
}

/// What an error of the driver and its causes say, as far as the I/O error behind it, if there is one.
fn causes_of(error: &tokio_postgres::Error) -> (String, Option<&std::io::Error>) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return (text, Some(io));
        }
        cause = inner.source();
    }
    (text, None)
}

/// Is there nobody who could say no? A socket that is not there is that of a server that is down, or a
/// wrong folder; a name that nobody knows may be a resolver that is down, or a wrong name.
fn is_unreachable(error: &std::io::Error) -> bool {
    use ErrorKind::{
        ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, NotFound, TimedOut,
    };
    let nobody = [ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, NotFound, TimedOut];
    // A name that was not found has no kind of its own.
    nobody.contains(&error.kind()) || error.to_string().contains("failed to lookup address")
}

fn is_about_certificates(error: &std::io::Error) -> bool {
    let text = error.to_string();
    text.contains("certificate") || text.contains("UnknownIssuer")
}

fn of_io(error: &std::io::Error) -> &'static str {
    match error.kind() {
        _ if is_about_certificates(error) => {
            "the server's certificate was not accepted: look at sslmode and sslrootcert"
        }
        ErrorKind::ConnectionRefused => "no server listens there: look at host and port in DATABASE_URL",
        ErrorKind::NotFound => "there is no such socket: name the host in DATABASE_URL or PGHOST",
        ErrorKind::TimedOut => "no answer: look at host, port and firewall",
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "the connection was lost; nothing was written, run it again"
        }
        _ => "look at host and port in DATABASE_URL, and at the network",
    }
}

/// The way out of a server's error, and whether it may pass by itself.
fn way_out(code: &SqlState, message: &str) -> (&'static str, bool) {
    match code.code() {
        "42501" => ("grant select on the table (and usage on its schema) to this role", false),
        "42P01" => ("look at the table's name and schema in reckon.toml", false),
        "42703" => ("look at the column's name in reckon.toml", false),
        "22021" | "22P05" => ("a text there is none in UTF-8", false),
        "28P01" => ("look at the password in DATABASE_URL, PGPASSWORD or ~/.pgpass", false),
        "28000" => ("look at user, database and sslmode, and at the server's pg_hba.conf", false),
        "3D000" => ("look at the database's name in DATABASE_URL", false),
        "57014" if message.contains("statement timeout") => {
            ("raise [postgres] statement_timeout (0: none), or the role's own setting", false)
        }
        // Who cancels a query does not want it back a second later.
        "57014" => ("somebody cancelled the query; nothing was written, run it again", false),
        "40001" if message.contains("recovery") => (
            "the standby had to go on with replay: raise max_standby_streaming_delay, set hot_standby_feedback, \
              or read the primary",
            true,
        ),
        "25006" => ("every session of reckon is read only", false),
        // Each session asks for [postgres] idle_timeout itself, and is pinged while it waits.
        "25P03" => (
            "this program said nothing for longer than [postgres] idle_timeout (a machine that slept?), and the \
              server gave the snapshot up; run it again",
            true,
        ),
        "25P04" => ("the server ends long transactions (transaction_timeout): raise it for this role", false),
        "40P01" => ("the standby had to go on with replay: run it again, or read the primary", true),
        "53300" => ("all sessions are taken: wait, or lower [postgres] streams", true),
        "55P03" => ("somebody holds an exclusive lock on the table: run it when that is over", true),
        "57P01" | "57P02" | "57P03" | "57P05" => {
            ("the server is stopping or starting; nothing was written, run it again", true)
        }
        code if code.starts_with("08") => {
            ("the connection was lost; nothing was written, run it again", true)
        }
        code if code.starts_with("53") => ("the server is short of disk, memory or sessions", true),
        // Poolers have no code of their own for it.
        "XX000" if message.to_lowercase().contains("max client") => {
            ("all sessions of the pooler are taken: wait, or lower [postgres] streams", true)
        }
        code if code.starts_with("XX") || code.starts_with("58") => {
            ("the server itself has a problem: look at its log", false)
        }
        _ => ("the server refused it", false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_told_from_what_does_not() {
        let cases = [
            ("53300", "sorry, too many clients already", true),
            ("XX000", "MaxClientsInSessionMode: max clients reached", true),
            ("08006", "server closed the connection", true),
            ("57P01", "terminating connection due to administrator command", true),
            ("57P03", "the database system is starting up", true),
            ("40001", "canceling statement due to conflict with recovery", true),
            ("40P01", "canceling statement due to conflict with recovery", true),
            ("25P03", "terminating connection due to idle-in-transaction timeout", true),
            ("55P03", "canceling statement due to lock timeout", true),
            ("57014", "canceling statement due to statement timeout", false),
            ("57014", "canceling statement due to user request", false),
            ("25P04", "terminating connection due to transaction timeout", false),
            ("28P01", "password authentication failed", false),
            ("3D000", "database does not exist", false),
            ("42501", "permission denied", false),
            ("XX000", "cache lookup failed", false),
            ("22P02", "invalid input syntax", false),
            ("22021", "invalid byte sequence for encoding \"UTF8\": 0xe4 0x62", false),
        ];
        for (code, message, expected) in cases {
            let (way_out, may_pass) = way_out(&SqlState::from_code(code), message);
            assert_eq!(may_pass, expected, "{code} {message}: {way_out}");
        }
    }

    #[test]
    fn nobody_there_is_told_from_a_line_that_broke() {
        let cases = [
            (ErrorKind::ConnectionRefused, true),
            (ErrorKind::NotFound, true),
            (ErrorKind::TimedOut, true),
            (ErrorKind::ConnectionReset, false),
            (ErrorKind::PermissionDenied, false),
            (ErrorKind::InvalidData, false),
        ];
        for (kind, expected) in cases {
            assert_eq!(is_unreachable(&kind.into()), expected, "{kind}");
        }
        let resolver = "failed to lookup address information: Name or service not known";
        assert!(is_unreachable(&std::io::Error::other(resolver)));
    }
}
