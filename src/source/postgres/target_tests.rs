//! Where the database is, from a made-up environment.

use super::*;

fn found(variables: &[(&str, &str)]) -> Result<Target, SourceError> {
    find(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

fn private_file(folder: &Path, name: &str, text: &str, mode: u32) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    file.display().to_string()
}

#[test]
fn the_string_goes_before_the_service_and_the_service_before_the_variables() {
    let folder = tempfile::tempdir().unwrap();
    let services =
        "[other]\nhost=no\n\n[books]\n# the books\nhost=from-service\nport=6000\ndbname=from-service\n";
    let file = private_file(folder.path(), "services", services, 0o644);
    let target = found(&[
        ("DATABASE_URL", "postgres://me@from-url/?service=books"),
        ("PGSERVICEFILE", &file),
        ("PGPORT", "7000"),
        ("PGAPPNAME", "from-variable"),
    ])
    .unwrap();
    let server = &target.servers[0];
    assert_eq!((server.host.as_str(), server.port), ("from-url", 6000));
    assert_eq!((target.dbname.as_str(), target.application_name.as_str()), ("from-service", "from-variable"));
    assert_eq!(target.user, "me");
}

#[test]
fn a_service_that_is_nowhere_names_the_files() {
    let error =
        found(&[("PGSERVICE", "books"), ("HOME", "/nowhere"), ("USER", "me")]).unwrap_err().to_string();
    assert!(error.contains("[books]") && error.contains("/nowhere/.pg_service.conf"), "{error}");
}

#[test]
fn the_password_file_is_read_by_its_rules() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# none\nother:*:*:*:wrong\ndb.example:5432:books:me:right\\:one\nlocalhost:*:*:*:socket\n*:*:*:you:yours\n";
    let closed = private_file(folder.path(), "pgpass", text, 0o600);
    let open = private_file(folder.path(), "open", text, 0o644);
    let cases = [
        ("postgres://me@db.example/books", closed.as_str(), Some("right:one")),
        ("postgres://me@db.example:5433/books", &closed, None),
        ("postgres://you@db.example:5433/books", &closed, Some("yours")),
        ("postgres://me:given@db.example/books", &closed, Some("given")),
        ("postgres://me@%2Ftmp/books", &closed, Some("socket")),
        ("postgres://me@db.example/books", &open, None),
    ];
    for (url, file, expected) in cases {
        let target = found(&[("DATABASE_URL", url), ("PGPASSFILE", file)]).unwrap();
        let password = target.servers[0].password.clone().map(|secret| secret.0);
        assert_eq!(password.as_deref(), expected, "{url} {file}");
    }
}

#[test]
fn several_hosts_take_one_port_or_one_each() {
    let hosts = |url: &str| -> Vec<String> {
        let target = found(&[("DATABASE_URL", url)]).unwrap();
        target.servers.iter().map(|server| format!("{}:{}", server.host, server.port)).collect()
    };
    assert_eq!(hosts("host=a,b port=6000 user=me"), ["a:6000", "b:6000"]);
    assert_eq!(hosts("postgres://me@a:1,b:2/d"), ["a:1", "b:2"]);
    assert_eq!(hosts("hostaddr=127.0.0.1 user=me"), ["127.0.0.1:5432"]);
    assert!(found(&[("DATABASE_URL", "host=a,b,c port=1,2 user=me")]).is_err());
}

#[test]
fn tls_is_never_weaker_than_what_was_written() {
    let cases = [
        ("postgres://me@h/d", Ok(SslMode::Prefer)),
        ("postgres://me@h/d?sslrootcert=system", Ok(SslMode::VerifyFull)),
        ("postgres://me@h/d?sslmode=verify-ca", Ok(SslMode::VerifyCa)),
        ("postgres://me@h/d?sslmode=require&sslrootcert=system", Err("verify-full")),
        ("postgres://me@h/d?sslmode=verify_full", Err("none of")),
        ("postgres://me@h/d?sslnegotiation=direct", Err("sslmode=require")),
    ];
    for (url, expected) in cases {
        match (found(&[("DATABASE_URL", url)]), expected) {
            (Ok(target), Ok(mode)) => assert_eq!(target.sslmode, mode, "{url}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{url}: {error}"),
            (found, _) => panic!("{url}: {found:?}"),
        }
    }
}

#[test]
fn a_password_is_not_shown_by_debug_output() {
    let target = found(&[("DATABASE_URL", "postgres://me:hunter2@h/d")]).unwrap();
    assert!(!format!("{target:?}").contains("hunter2"));
}

#[test]
fn a_silent_line_is_given_up_after_minutes_unless_told_otherwise() {
    let found = |words: &str| {
        let url = format!("postgres://ada@h/d?{words}");
        super::find(&|name| (name == "DATABASE_URL").then(|| url.clone())).unwrap().keepalives
    };
    let plain = found("");
    assert!(plain.on && plain.idle + plain.interval * plain.count <= Duration::from_secs(120), "{plain:?}");
    let told = found("keepalives_idle=7&keepalives_interval=0&keepalives_count=2&tcp_user_timeout=1500");
    assert_eq!((told.idle, told.count), (Duration::from_secs(7), 2));
    assert_eq!(told.interval, plain.interval, "0 is the default");
    assert_eq!(told.user_timeout, Duration::from_millis(1_500));
    assert!(!found("keepalives=0").on);
}

#[test]
fn a_database_is_named_by_any_variable_that_says_where_it_is() {
    let cases = [
        (&[][..], false),
        (&[("PGUSER", "ada"), ("PGPASSWORD", "x")], false),
        (&[("DATABASE_URL", ""), ("PGHOST", "")], false),
        (&[("DATABASE_URL", "postgres://h/d")], true),
        (&[("PGHOST", "/tmp")], true),
        (&[("PGSERVICE", "ledger")], true),
    ];
    for (variables, expected) in cases {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(is_named(&variable), expected, "{variables:?}");
    }
}
