//! Opening connections: hosts in turn, TLS as asked, startup options where a pooler takes them.

use std::future::Future;
use std::time::Duration;

use tokio_postgres::config::{SslMode as WireMode, SslNegotiation};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::{Progress, SourceError};
use super::explain::{CONNECTING, explain};
use super::tapped::Connection;
use super::target::{Server, SessionKind, SslMode, Target};

/// Makes any transaction of the session read only unless it says otherwise.
const READ_ONLY_OPTION: &str = "-c default_transaction_read_only=on";

/// How often a wait looks for the signal to stop.
const STOP_TICK: Duration = Duration::from_millis(50);

/// A way to the database that has been found to work.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub server: Server,
    mode: WireMode,
    /// The server takes startup options; some poolers do not.
    options: bool,
}

/// Role, database and server, for messages.
pub(super) fn who(target: &Target, server: &Server) -> String {
    let place = if server.is_local() {
        format!("{}/.s.PGSQL.{}", server.host, server.port)
    } else {
        format!("{}:{}", server.host, server.port)
    };
    format!("role {} on database {} at {place}", target.user, target.dbname)
}

/// Waits for `work`, and gives up when the run shall stop.
///
/// # Errors
/// [`SourceError::Interrupted`] after a signal.
pub(super) async fn unless_stopped<T>(
    progress: &Progress,
    work: impl Future<Output = T>,
) -> Result<T, SourceError> {
    let mut work = std::pin::pin!(work);
    loop {
        if progress.is_stopped() {
            return Err(SourceError::Interrupted);
        }
        if let Ok(done) = tokio::time::timeout(STOP_TICK, work.as_mut()).await {
            return Ok(done);
        }
    }
}

/// Opens the first connection: finds a server of the wanted kind and a way to it.
///
/// # Errors
/// No server can be reached or takes us; the last one's reason.
pub(super) async fn find_route(
    target: &Target,
    tls: &MakeRustlsConnect,
) -> Result<(Connection, Route), SourceError> {
    let passes: &[SessionKind] = match target.session {
        SessionKind::PreferStandby => &[SessionKind::Standby, SessionKind::Any],
        SessionKind::Any => &[SessionKind::Any],
        SessionKind::Primary => &[SessionKind::Primary],
        SessionKind::Standby => &[SessionKind::Standby],
    };
    let mut failure = None;
    for pass in passes {
        for server in &target.servers {
            match reach(target, tls, server).await {
                Ok((connection, route)) => match check_kind(&connection.client, *pass).await {
                    Ok(()) => return Ok((connection, route)),
                    Err(message) => {
                        let message = format!("{}: {message}", who(target, server));
                        failure = Some(SourceError::Database { message, transient: false });
                    }
                },
                Err(error) => failure = Some(error),
            }
        }
    }
    Err(failure.unwrap_or_else(|| super::conninfo::wrong("DATABASE_URL", "no host")))
}

/// Opens a further connection the way the first one went.
///
/// # Errors
/// The server's reason.
pub(super) async fn follow(
    target: &Target,
    tls: &MakeRustlsConnect,
    route: &Route,
) -> Result<Connection, SourceError> {
    let config = configure(target, &route.server, route.mode, route.options);
    attempt(target, &config, tls, &route.server).await.map_err(|failure| failure.explained)
}

/// Tries one server: with and without TLS as `sslmode` allows, with and without startup options.
async fn reach(
    target: &Target,
    tls: &MakeRustlsConnect,
    server: &Server,
) -> Result<(Connection, Route), SourceError> {
    let modes: &[WireMode] = match target.sslmode {
        _ if server.is_local() => &[WireMode::Disable],
        SslMode::Disable => &[WireMode::Disable],
        SslMode::Allow => &[WireMode::Disable, WireMode::Require],
        SslMode::Prefer => &[WireMode::Prefer, WireMode::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[WireMode::Require],
    };
    let mut failure = None;
    for &mode in modes {
        for options in [true, false] {
            let config = configure(target, server, mode, options);
            match attempt(target, &config, tls, server).await {
                Ok(connection) => {
                    // Further ones need not ask a server for TLS that has none.
                    let plain = mode == WireMode::Prefer && !connection.basin.has_tap();
                    let mode = if plain { WireMode::Disable } else { mode };
                    return Ok((connection, Route { server: server.clone(), mode, options }));
                }
                Err(error) => {
                    let (again_plain, other_mode) = (error.refuses_options, error.other_mode_may_do);
                    failure = Some(error.explained);
                    if options && again_plain {
                        tracing::debug!(
                            "no startup options are taken: a pooler; every transaction says read only"
                        );
                        continue;
                    }
                    if !other_mode {
                        return Err(failure.expect("set above"));
                    }
                    break;
                }
            }
        }
    }
    Err(failure.expect("there is at least one mode"))
}

struct Failure {
    explained: SourceError,
    /// A pooler does not pass startup options on.
    refuses_options: bool,
    /// With, or without, TLS it may work.
    other_mode_may_do: bool,
}

async fn attempt(
    target: &Target,
    config: &Config,
    tls: &MakeRustlsConnect,
    server: &Server,
) -> Result<Connection, Failure> {
    let who = who(target, server);
    let opening = Connection::open(config, server, tls);
    let connected = tokio::time::timeout(target.connect_timeout, opening).await;
    let Ok(connected) = connected else {
        let seconds = target.connect_timeout.as_secs();
        let message = format!("{who}: no answer within {seconds} s: look at host, port and firewall");
        let explained = SourceError::Unreachable { message };
        return Err(Failure { explained, refuses_options: false, other_mode_may_do: false });
    };
    match connected {
        Ok(connection) => Ok(connection),
        Err(error) => {
            let code = error.as_db_error().map(|error| error.code().code());
            let refuses_options = matches!(code, Some("08P01" | "0A000"));
            let other_mode_may_do = code == Some("28000") || error.to_string().contains("TLS");
            Err(Failure { explained: explain(&error, &who, CONNECTING), refuses_options, other_mode_may_do })
        }
    }
}

fn configure(target: &Target, server: &Server, mode: WireMode, options: bool) -> Config {
    let mut config = Config::new();
    config.host(&server.host).port(server.port).user(&target.user).dbname(&target.dbname);
    if let Some(address) = server.hostaddr {
        config.hostaddr(address);
    }
    if let Some(password) = &server.password {
        config.password(&password.0);
    }
    let mut startup: Vec<&str> = target.options.as_deref().into_iter().collect();
    if options {
        startup.push(READ_ONLY_OPTION);
    }
    if !startup.is_empty() {
        config.options(startup.join(" "));
    }
    let alive = target.keepalives;
    config.keepalives(alive.on).keepalives_idle(alive.idle).keepalives_interval(alive.interval);
    config.keepalives_retries(alive.count);
    if alive.user_timeout > Duration::ZERO {
        config.tcp_user_timeout(alive.user_timeout);
    }
    if target.direct_tls && mode == WireMode::Require {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
        .application_name(&target.application_name)
        .connect_timeout(target.connect_timeout)
        .channel_binding(target.channel_binding)
        .ssl_mode(mode);
    config
}

/// Is the server a primary or standby, as asked?
async fn check_kind(client: &Client, kind: SessionKind) -> Result<(), String> {
    if matches!(kind, SessionKind::Any | SessionKind::PreferStandby) {
        return Ok(());
    }
    let answer =
        client.simple_query("select pg_is_in_recovery()").await.map_err(|error| error.to_string())?;
    let standby = answer.iter().any(
        |message| matches!(message, tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("t")),
    );
    match (kind, standby) {
        (SessionKind::Primary, true) => {
            Err("a standby, but target_session_attrs asks for a primary".to_owned())
        }
        (SessionKind::Standby, false) => {
            Err("a primary, but target_session_attrs asks for a standby".to_owned())
        }
        _ => Ok(()),
    }
}
