//! Posting a message.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Error};

use super::address::Address;
use super::deliver::{Failure, Limits};

/// How much of an answer is looked at.
const ANSWER_BYTES: u64 = 2_000;

/// The answers that may be others next time, beside all from 500 on: time-out, too early, too many.
const MAY_PASS: [u16; 3] = [408, 425, 429];

/// Posts the JSON, again where that may help.
///
/// # Errors
/// Why it did not arrive, without any part of the address but scheme and host.
pub(super) fn post(address: &Address, json: &[u8], limits: &Limits) -> Result<(), String> {
    let agent = agent(address)?;
    limits
        // Hidden in each reason, which goes to the log before the last one is told.
        .deliver(|timeout| {
            attempt(&agent, address, json, timeout).map_err(|failure| failure.map(|why| address.hide_in(why)))
        })
        .map_err(|why| format!("{}: {why}", address.shown()))
}

fn agent(address: &Address) -> Result<Agent, String> {
    let builder = Agent::config_builder()
        .http_status_as_error(false)
        // A redirect would show the message, and the secret in the address, to somebody else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("reckon/", env!("CARGO_PKG_VERSION")));
    if !address.is_tls() {
        return Ok(builder.build().into());
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(format!(
            "{}: the system has no root certificates to check the server with: install ca-certificates, or set \
             SSL_CERT_FILE",
            address.shown()
        ));
    }
    let roots: Vec<Certificate<'static>> =
        found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
    Ok(builder.tls_config(tls.build()).build().into())
}

fn attempt(agent: &Agent, address: &Address, json: &[u8], timeout: Duration) -> Result<(), Failure> {
    let sent = agent
        .post(address.secret())
        .config()
        .timeout_global(Some(timeout))
        .build()
        .header("content-type", "application/json")
        .send(json);
    let mut answer = sent.map_err(|error| failed(&error, timeout))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let code = status.as_u16();
    if status.is_redirection() {
        return Err(Failure::Lasts(format!(
            "answered with a redirect ({code}), which is not followed: write the address it leads to"
        )));
    }
    let after =
        answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let said = answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_string().unwrap_or_default();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    // Before it is cut short: half a secret would not be known again.
    let said: String = address.hide_in(&said).chars().take(200).collect();
    let why = match said.is_empty() {
        true => format!("answered {status}"),
        false => format!("answered {status}: {said}"),
    };
    match code >= 500 || MAY_PASS.contains(&code) {
        true => Err(Failure::MayPass(why, after.map(Duration::from_secs))),
        false => Err(Failure::Lasts(why)),
    }
}

fn failed(error: &Error, timeout: Duration) -> Failure {
    let may_pass = |why: String| Failure::MayPass(why, None);
    match error {
        Error::Timeout(_) => may_pass(format!("no answer within {:.1} s", timeout.as_secs_f64())),
        Error::HostNotFound => may_pass("no such host: look at the address, and at the resolver".to_owned()),
        Error::ConnectionFailed => may_pass("no connection".to_owned()),
        // A certificate that is not accepted comes as an error of the line.
        Error::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
            Failure::Lasts(format!("TLS: {cause}"))
        }
        Error::Io(cause) => may_pass(format!("no connection: {cause}")),
        Error::Protocol(cause) => may_pass(format!("no HTTP answer: {cause}")),
        Error::BadUri(_) | Error::Http(_) => Failure::Lasts("the address cannot be used".to_owned()),
        Error::Rustls(cause) => Failure::Lasts(format!("TLS: {cause}")),
        other => Failure::Lasts(other.to_string()),
    }
}
