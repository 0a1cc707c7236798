//! The line to the server: passwords, TLS, poolers, standbys.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reckon::source::{DetailRule, Progress};

use super::cluster::{Cluster, Db, SUPERUSER};
use super::collect::{Keeper, open, open_with, rows_of, settings, side};

const COLUMNS: [&str; 5] = ["id", "u", "a", "n", "c"];

fn filled(db: &Db) {
    db.sql(
        "create table t (id int, u int, a text, n int, c timestamptz) with (fillfactor = 10);
         insert into t select i, 1, 'g', 1, '2026-01-01+00' from generate_series(1, 10000) i;",
    );
}

/// Reads the table; answers how many sinks took how many rows.
fn read(url: &str, streams: usize) -> (usize, usize) {
    let mut settings = settings(streams);
    settings.session_wait = reckon::domain::Span(300_000);
    let mut database = open_with(url, settings).unwrap();
    let reading =
        database.scan(&side("t", COLUMNS), &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap();
    (reading.sinks.len(), rows_of(&reading).len())
}

#[test]
fn a_password_is_asked_for_and_never_shown() {
    let db = Cluster::shared().database("password");
    let role = format!("{}_role", db.name);
    db.sql(&format!("create role {role} login password 'Right-1' in role by_password"));
    let url = |password: &str| {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{}?sslmode=disable", db.cluster.port(), db.name)
    };
    assert!(open(&url("Right-1")).is_ok());
    let wrong = open(&url("Wrong-2")).unwrap_err().to_string();
    assert!(wrong.contains("28P01") && wrong.contains(".pgpass") && wrong.contains(&role), "{wrong}");
    assert!(!wrong.contains("Wrong-2"), "{wrong}");
    let none = open(&url("")).unwrap_err().to_string();
    assert!(none.contains("PGPASSWORD"), "{none}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = open(&format!("postgres://me:secret@127.0.0.1:{port}/books")).unwrap_err().to_string();
    assert!(
        error.contains(&format!("127.0.0.1:{port}")) && error.contains("no server listens there"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
    let db = Cluster::shared().database("nowhere");
    let error = open(&db.url().replace(&db.name, "nosuchdatabase")).unwrap_err().to_string();
    assert!(error.contains("3D000") && error.contains("nosuchdatabase"), "{error}");
}

#[test]
fn a_unix_socket_will_do() {
    let db = Cluster::shared().database("socket");
    let folder = db.cluster.folder().display().to_string();
    let url = format!(
        "host={folder} port={} user={SUPERUSER} dbname={} sslmode=require",
        db.cluster.port(),
        db.name
    );
    assert!(open(&url).is_ok());
}

#[test]
fn a_role_that_may_open_one_session_reads_with_one() {
    let db = Cluster::shared().database("limit");
    filled(&db);
    db.sql(&format!("create role {0}_one login connection limit 1; grant select on t to {0}_one", db.name));
    assert_eq!(read(&db.url_as(&format!("{}_one", db.name)), 4), (1, 10_000));
}

/// A pooler with one server session: it refuses startup options, and lets a second client wait.
fn pooler(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let busy = Arc::new(Mutex::new(()));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let busy = busy.clone();
            std::thread::spawn(move || serve(client, server, &busy));
        }
    });
    port
}

fn serve(mut client: TcpStream, server: u16, busy: &Mutex<()>) {
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).unwrap();
    if startup.windows(8).any(|part| part == b"options\0") {
        let text = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
        let mut message = vec![b'E'];
        message.extend((text.len() as u32 + 4).to_be_bytes());
        message.extend(text);
        client.write_all(&message).unwrap();
        return;
    }
    // One at a time: the others wait as in a pool of one.
    let _turn = busy.lock().unwrap();
    let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
    upstream.write_all(&length).unwrap();
    upstream.write_all(&startup).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut upstream, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}

#[test]
fn behind_a_pooler_with_one_session_reading_goes_on_with_that_one() {
    let db = Cluster::shared().database("pool");
    filled(&db);
    let url = db.url().replace(&db.cluster.port().to_string(), &pooler(db.cluster.port()).to_string());
    let started = Instant::now();
    assert_eq!(read(&url, 3), (1, 10_000));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_standby_shares_a_snapshot_too() {
    let db = Cluster::shared().database("standby");
    filled(&db);
    let standby = Cluster::standby_of(db.cluster);
    let url = db.url().replace(&db.cluster.port().to_string(), &standby.port().to_string());
    let started = Instant::now();
    while open(&url).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", open(&url));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(read(&url, 2).1, 10_000);
    assert!(open(&url).unwrap().snapshot().lsn.is_some());
    assert!(open(&format!("{url}&target_session_attrs=standby")).is_ok());
    let error = open(&format!("{url}&target_session_attrs=read-write")).unwrap_err().to_string();
    assert!(error.contains("a standby"), "{error}");
}

/// Runs openssl in a folder.
fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A root, another root, a server's certificate for localhost, and one for the role `carded`.
fn certificates(folder: &Path) {
    for root in ["root", "other"] {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={root} -keyout {root}.key -out {root}.crt"
            ),
        );
    }
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        .unwrap();
    for (name, subject) in [("server", "localhost"), ("client", "carded")] {
        openssl(
            folder,
            &format!("req -newkey rsa:2048 -nodes -subj /CN={subject} -keyout {name}.key -out {name}.csr"),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA root.crt -CAkey root.key -CAcreateserial -days 30 -extfile names -out {name}.crt"
            ),
        );
    }
}

#[test]
fn tls_goes_as_far_as_sslmode_asks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    certificates(path);
    let server = |name: &str| path.join(name).display().to_string();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let owner = Cluster::shared();
    for name in ["server.crt", "server.key", "root.crt"] {
        owner.give(&path.join(name));
    }
    let settings = [
        "ssl = on".to_owned(),
        format!("ssl_cert_file = '{}'", server("server.crt")),
        format!("ssl_key_file = '{}'", server("server.key")),
        format!("ssl_ca_file = '{}'", server("root.crt")),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let rules = "local all all trust\nhostssl all carded 127.0.0.1/32 cert\nhostssl all postgres 127.0.0.1/32 trust\n\
                 hostnossl all plain 127.0.0.1/32 trust\n";
    let cluster = Cluster::start(&settings, rules).leak();
    let db = cluster.database("tls");
    filled(&db);
    db.sql("create role plain login; create role carded login; grant select on t to plain, carded;");
    let root = |name: &str| format!("sslrootcert={}", server(name));
    let card = format!("sslcert={}&sslkey={}", server("client.crt"), server("client.key"));
    let cases = [
        ("postgres", "localhost", "sslmode=disable".to_owned(), Err("28000")),
        ("postgres", "localhost", "sslmode=allow".to_owned(), Ok("t")),
        ("postgres", "localhost", "sslmode=prefer".to_owned(), Ok("t")),
        ("postgres", "localhost", "sslmode=require".to_owned(), Ok("t")),
        ("plain", "localhost", "sslmode=prefer".to_owned(), Ok("f")),
        ("plain", "localhost", "sslmode=require".to_owned(), Err("28000")),
        ("postgres", "localhost", format!("sslmode=verify-full&{}", root("root.crt")), Ok("t")),
        ("postgres", "127.0.0.1", format!("sslmode=verify-full&{}", root("root.crt")), Err("certificate")),
        ("postgres", "127.0.0.1", format!("sslmode=verify-ca&{}", root("root.crt")), Ok("t")),
        ("postgres", "localhost", format!("sslmode=verify-ca&{}", root("other.crt")), Err("sslrootcert")),
        ("postgres", "localhost", format!("sslmode=require&{}", root("other.crt")), Err("sslrootcert")),
        ("postgres", "localhost", format!("sslmode=verify-full&{}", root("server.crt")), Ok("t")),
        ("postgres", "localhost", "sslmode=verify-full&sslrootcert=system".to_owned(), Err("certificate")),
        ("carded", "localhost", format!("sslmode=verify-full&{}&{card}", root("root.crt")), Ok("t")),
        ("carded", "localhost", format!("sslmode=verify-full&{}", root("root.crt")), Err("28000")),
    ];
    for (role, host, words, expected) in cases {
        let url = format!("postgres://{role}@{host}:{}/{}?{words}", cluster.port(), db.name);
        let result = open(&url).map_err(|error| error.to_string()).map(|mut database| {
            let rows =
                database.rows_text("select ssl from pg_stat_ssl where pid = pg_backend_pid()").unwrap();
            rows[0][0].clone().unwrap()
        });
        match (result, expected) {
            (Ok(ssl), Ok(expected)) => {
                assert_eq!(ssl, expected, "{role} {host} {words}");
                assert_eq!(read(&url, 3).1, 10_000, "{role} {host} {words}");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{role} {host} {words}: {error}"),
            (result, _) => panic!("{role} {host} {words}: {result:?}"),
        }
    }
}
