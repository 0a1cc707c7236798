//! Connection strings: `postgres://…` and `key=value …`, as libpq reads them.

use std::collections::BTreeMap;

use super::super::SourceError;

/// libpq key words with their values, as written in one place.
pub(super) type Words = BTreeMap<String, String>;

/// Key words that mean something here.
const KNOWN: [&str; 32] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "servicefile",
    "options",
    "application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "target_session_attrs",
    "channel_binding",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "gssencmode",
    "requirepeer",
    "require_auth",
    "sslcrl",
    "sslcrldir",
    "sslpassword",
    "replication",
];

/// libpq key words without effect here, and what other clients put into the same URL.
const WITHOUT_EFFECT: [&str; 18] = [
    "client_encoding",
    "fallback_application_name",
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "load_balance_hosts",
    "ssl_max_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslsni",
    "connection_limit",
    "pgbouncer",
    "pool_mode",
    "pool_timeout",
    "prepared_statements",
    "schema",
    "socket_timeout",
    "statement_cache_size",
];

/// Key words that ask for a check which is not made here: to pass over them would weaken it.
const REFUSED: [&str; 6] =
    ["requirepeer", "require_auth", "sslcrl", "sslcrldir", "sslpassword", "replication"];

/// Reads a connection string of either form.
///
/// # Errors
/// A sentence without any part of the string, which may hold a password.
pub(super) fn parse(text: &str, origin: &str) -> Result<Words, SourceError> {
    let text = text.trim();
    let words = match text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")) {
        Some(rest) => parse_url(rest, origin)?,
        None if is_url(text) => {
            return Err(wrong(
                origin,
                "a URL of another kind: it has to begin with postgres:// or postgresql://",
            ));
        }
        None => parse_pairs(text, origin)?,
    };
    check(&words, origin)?;
    Ok(words)
}

/// Refuses unknown key words: a misspelt `sslmode` must not open a weaker connection.
pub(super) fn check(words: &Words, origin: &str) -> Result<(), SourceError> {
    for (word, value) in words {
        if REFUSED.contains(&word.as_str()) && !value.is_empty() {
            return Err(wrong(origin, &format!("{word} is not supported: remove it")));
        }
        if word == "gssencmode" && value == "require" {
            return Err(wrong(origin, "gssencmode=require is not supported: use TLS (sslmode)"));
        }
        if KNOWN.contains(&word.as_str()) {
            continue;
        }
        if WITHOUT_EFFECT.contains(&word.as_str()) {
            tracing::debug!("{origin}: {word} has no effect here");
            continue;
        }
        return Err(wrong(origin, &unknown(word)));
    }
    Ok(())
}

/// `scheme://…`: the key of a key=value pair holds no colon.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty()
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// What is so unlike every key word that it may be a piece of a password is not repeated.
fn unknown(word: &str) -> String {
    let far = |known: &str| strsim::damerau_levenshtein(known, word);
    match KNOWN.iter().map(|known| (far(known), known)).min() {
        Some((distance, known)) if distance <= 2 && word.len() > 3 => {
            format!("unknown key word {word:?}; did you mean {known:?}?")
        }
        _ => "an unknown key word (not repeated here, since it may belong to a password: a value with blanks \
              stands between ' and ', and in a URL ?, &, # and / of a password are written %3F, %26, %23, %2F)"
            .to_owned(),
    }
}

pub(super) fn wrong(origin: &str, what: &str) -> SourceError {
    SourceError::Database { message: format!("{origin}: {what}"), transient: false }
}

/// `[user[:password]@][host[:port],…][/dbname][?key=value&…]`, each part percent-encoded.
fn parse_url(rest: &str, origin: &str) -> Result<Words, SourceError> {
    let mut words = Words::new();
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    // The last @ ends the user part, so that an @ in a password need not be encoded.
    let (user, place) = match address.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, address),
    };
    let mut put = |word: &str, value: &str| -> Result<(), SourceError> {
        if !value.is_empty() {
            words.insert(word.to_owned(), decode(value, origin)?);
        }
        Ok(())
    };
    if let Some(user) = user {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        put("user", name)?;
        put("password", password)?;
    }
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    put("dbname", database)?;
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = split_port(host, origin)?;
        names.push(name);
        ports.push(port);
    }
    put("host", &if names.iter().all(|name| name.is_empty()) { String::new() } else { names.join(",") })?;
    put("port", &if ports.iter().all(|port| port.is_empty()) { String::new() } else { ports.join(",") })?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((word, value)) = pair.split_once('=') else {
            return Err(wrong(
                origin,
                "what follows ? in the URL is no key=value (a ? or & in a password is written %3F, %26)",
            ));
        };
        match (word, value) {
            ("ssl", "true") => put("sslmode", "require")?,
            _ => put(word, value)?,
        }
    }
    Ok(words)
}

/// `name`, `name:5432`, `[::1]:5432`.
fn split_port<'a>(host: &'a str, origin: &str) -> Result<(&'a str, &'a str), SourceError> {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((name, port)) = rest.split_once(']') else {
            return Err(wrong(origin, "an IPv6 address in the URL lacks its closing ]"));
        };
        return Ok((name, port.strip_prefix(':').unwrap_or(port)));
    }
    Ok(host.rsplit_once(':').unwrap_or((host, "")))
}

fn decode(text: &str, origin: &str) -> Result<String, SourceError> {
    let broken =
        || wrong(origin, "a % in the URL must be followed by two hexadecimal digits (write %25 for %)");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = text.get(at + 1..at + 3).ok_or_else(broken)?;
            out.push(u8::from_str_radix(digits, 16).map_err(|_| broken())?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).map_err(|_| wrong(origin, "the URL is no UTF-8 once decoded"))
}

/// `key = value key2 = 'quoted value'`, with `\` escapes.
fn parse_pairs(text: &str, origin: &str) -> Result<Words, SourceError> {
    let mut words = Words::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((word, after)) = rest.split_once('=') else {
            return Err(wrong(origin, "neither a postgres:// URL nor key=value pairs"));
        };
        let (value, after) = take_value(after.trim_start(), origin)?;
        words.insert(word.trim().to_owned(), value);
        rest = after.trim_start();
    }
    Ok(words)
}

fn take_value<'a>(text: &'a str, origin: &str) -> Result<(String, &'a str), SourceError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut letters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            letter if !quoted && letter.is_whitespace() => return Ok((value, &text[at..])),
            letter => value.push(letter),
        }
    }
    if quoted { Err(wrong(origin, "a quoted value lacks its closing '")) } else { Ok((value, "")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text, "DATABASE_URL") {
            Ok(words) => {
                words.iter().map(|(word, value)| format!("{word}={value}")).collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn both_forms_are_read_as_libpq_reads_them() {
        let cases = [
            (
                "postgres://u:p%40%2F@h:6432/d?sslmode=verify-full",
                "dbname=d host=h password=p@/ port=6432 sslmode=verify-full user=u",
            ),
            ("postgresql://u:a@b@h/d", "dbname=d host=h password=a@b user=u"),
            ("postgres://", ""),
            ("postgres:///d?host=/run/pg&user=x", "dbname=d host=/run/pg user=x"),
            ("postgres://%2Frun%2Fpg:5433/d", "dbname=d host=/run/pg port=5433"),
            ("postgres://[::1]:5433,two/d", "dbname=d host=::1,two port=5433,"),
            ("postgres://h/d?ssl=true", "dbname=d host=h sslmode=require"),
            ("host=h password='open", "DATABASE_URL: a quoted value lacks its closing '"),
            (r"host=h password='it\'s \\ ok' dbname=d", r"dbname=d host=h password=it's \ ok"),
            (
                "postgres://h/d?sslmod=require",
                "DATABASE_URL: unknown key word \"sslmod\"; did you mean \"sslmode\"?",
            ),
            ("postgres://h/d?pgbouncer=true", "dbname=d host=h pgbouncer=true"),
            ("postgres://h/d?sslcrl=x", "DATABASE_URL: sslcrl is not supported: remove it"),
            ("secret", "DATABASE_URL: neither a postgres:// URL nor key=value pairs"),
            (
                "mysql://h/d?a=b",
                "DATABASE_URL: a URL of another kind: it has to begin with postgres:// or postgresql://",
            ),
            ("password=a://b host=h", "host=h password=a://b"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn no_error_repeats_the_password() {
        for text in
            ["postgres://u:hunter2%ZZ@h/d", "postgres://u:hunter2@[::1/d", "hunter2", "password='hunter2"]
        {
            assert!(!shown(text).contains("hunter2"), "{}", shown(text));
        }
        // Whatever a password holds that should have been written otherwise, and wherever it holds it.
        let forms = [
            "postgres://u:{}@h/d",
            "postgresql+psycopg://u:{}@h/d?sslmode=require",
            "jdbc:postgresql://h/d?user=u&password={}",
            "password={} host=h",
            "host=h user=u password={}",
        ];
        for form in forms {
            for sign in
                ["?", "&", "#", "/", " ", "=", ":", "@", "%", "'", "\\", "?a=", " b=", "://", "?sslmode="]
            {
                for password in
                    [format!("{sign}hunter2"), format!("hunter2{sign}"), format!("hunter2{sign}hunter2")]
                {
                    let text = form.replace("{}", &password);
                    let variable = |name: &str| (name == "DATABASE_URL").then(|| text.clone());
                    if let Err(error) = super::super::target::find(&variable) {
                        assert!(!error.to_string().contains("hunter2"), "{text}: {error}");
                    }
                }
            }
        }
    }
}
