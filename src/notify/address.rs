//! The address of a webhook, and what may be shown of it.

use std::ffi::OsString;

use crate::config::Webhook;

/// An address that can be posted to. Only its scheme and host are ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    whole: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// Parts of an address shorter than this are no secrets, and would hide ordinary words.
const SECRET_BYTES_MIN: usize = 8;

impl Address {
    /// Finds the address. `variable` looks up an environment variable.
    ///
    /// # Errors
    /// The variable is not set, or holds no address; its value is not repeated.
    pub fn find(webhook: &Webhook, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Address, String> {
        let whole = match webhook {
            Webhook::Url(url) => url.trim().to_owned(),
            Webhook::Variable(name) => {
                let value = variable(name).filter(|value| !value.is_empty());
                let value = value.ok_or_else(|| {
                    format!("the variable {name} is not set ([notify] webhook_env): it holds the address")
                })?;
                let value = value.into_string().unwrap_or_default().trim().to_owned();
                let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
                if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
                    return Err(format!(
                        "the variable {name} ([notify] webhook_env) holds no address that begins with \
                         https:// or http:// and names a host"
                    ));
                }
                value
            }
        };
        Ok(Address { whole })
    }

    /// The whole address, to post to. Never to be shown.
    pub(super) fn secret(&self) -> &str {
        &self.whole
    }

    /// Is the line encrypted?
    pub(super) fn is_tls(&self) -> bool {
        self.whole.starts_with("https://")
    }

    /// Scheme and host, with the port where one is written: what may be shown.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.whole.split_once("://").unwrap_or(("", &self.whole));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{host}")
    }

    /// A text without the address and its parts: what a library or a program says may repeat them.
    pub(super) fn hide_in(&self, text: &str) -> String {
        let (_, rest) = self.whole.split_once("://").unwrap_or(("", &self.whole));
        let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let mut secrets = vec![self.whole.as_str(), path.trim_start_matches('/'), user];
        secrets.extend(path.split(['/', '?', '#', '&', '=']));
        secrets.extend(user.split(':'));
        let mut text = text.to_owned();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
            text = text.replace(secret, HIDDEN);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Address {
        Address::find(&Webhook::Url(text.to_owned()), &|_| None).unwrap()
    }

    #[test]
    fn only_scheme_and_host_are_shown() {
        let cases = [
            ("https://hooks.example.com/services/T0/B0/XyZ012345678", "https://hooks.example.com"),
            ("https://ada:secret99@hooks.example.com:8443/x", "https://hooks.example.com:8443"),
            ("http://[::1]:8080?token=XyZ012345678", "http://[::1]:8080"),
        ];
        for (whole, expected) in cases {
            assert_eq!(url(whole).shown(), expected);
            assert_eq!(format!("{:?}", url(whole)), expected);
        }
    }

    #[test]
    fn no_part_that_may_be_a_secret_stays_in_a_text() {
        let address = url("https://ada:secret99@hooks.example.com/services/T0/XyZ012345678?key=abcdefgh1");
        let text = "bad uri: https://ada:secret99@hooks.example.com/services/T0/XyZ012345678?key=abcdefgh1; \
                    path T0/XyZ012345678, key abcdefgh1, password secret99";
        let hidden = address.hide_in(text);
        for secret in ["secret99", "XyZ012345678", "abcdefgh1"] {
            assert!(!hidden.contains(secret), "{hidden}");
        }
        assert!(hidden.starts_with("bad uri: …; path"), "{hidden}");
    }

    #[test]
    fn a_variable_without_an_address_is_named_and_its_value_is_not() {
        let webhook = Webhook::Variable("HOOK".to_owned());
        let unset = Address::find(&webhook, &|_| None).unwrap_err();
        assert!(unset.contains("HOOK is not set"), "{unset}");
        for value in ["", "hooks.example.com/XyZ", "https:///XyZ"] {
            let error = Address::find(&webhook, &|_| Some(value.into())).unwrap_err();
            assert!(error.contains("HOOK") && !error.contains("XyZ"), "{error}");
        }
        let found = Address::find(&webhook, &|_| Some("https://a.example/XyZ\n".into())).unwrap();
        assert_eq!(found.secret(), "https://a.example/XyZ");
    }
}
