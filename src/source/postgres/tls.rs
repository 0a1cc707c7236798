//! TLS as `sslmode` asks: rustls with the system's roots or those of `sslrootcert`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::SourceError;
use super::conninfo::wrong;
use super::target::{SslMode, Target};

/// What the server's certificate must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Nothing: the line is encrypted, that is all.
    Nothing,
    /// A chain to a root.
    Chain,
    /// A chain to a root, and the name.
    ChainAndName,
}

/// What makes TLS connections for this target.
///
/// # Errors
/// A certificate or key file cannot be read.
pub(super) fn connector(target: &Target) -> Result<MakeRustlsConnect, SourceError> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] =
        if target.only_tls13 { &[&rustls::version::TLS13] } else { rustls::DEFAULT_VERSIONS };
    let proof = match target.sslmode {
        SslMode::VerifyFull => Proof::ChainAndName,
        SslMode::VerifyCa => Proof::Chain,
        // As in libpq: with a root at hand, `require` checks the chain.
        SslMode::Require if target.sslrootcert.is_some() => Proof::Chain,
        _ => Proof::Nothing,
    };
    let verifier = Verifier::new(proof, target.sslrootcert.as_deref(), provider.clone())?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|cause| wrong("TLS", &cause.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match (&target.sslcert, &target.sslkey) {
        (Some(certificate), Some(key)) if target.sslmode != SslMode::Disable => builder
            .with_client_auth_cert(read_certificates(certificate)?, read_key(key)?)
            .map_err(|cause| wrong(&certificate.display().to_string(), &cause.to_string()))?,
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let name = file.display().to_string();
    let text = std::fs::read(file).map_err(|cause| SourceError::Io { file: name.clone(), cause })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(wrong(&name, "no certificate in PEM form")),
        Err(cause) => Err(wrong(&name, &format!("no certificate in PEM form ({cause})"))),
    }
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, SourceError> {
    let name = file.display().to_string();
    let text = std::fs::read(file).map_err(|cause| SourceError::Io { file: name.clone(), cause })?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        wrong(&name, "no unencrypted private key in PEM form (keys with a passphrase are not supported)")
    })
}

/// Checks a server's certificate as far as asked for.
#[derive(Debug)]
struct Verifier {
    proof: Proof,
    /// The certificates of `sslrootcert`. A server may present one of them itself (self-signed).
    own: Vec<CertificateDer<'static>>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(proof: Proof, root: Option<&str>, provider: Arc<CryptoProvider>) -> Result<Verifier, SourceError> {
        if proof == Proof::Nothing {
            return Ok(Verifier { proof, own: Vec::new(), chain: None, provider });
        }
        let (own, origin) = match root {
            None | Some("system") => {
                let found = rustls_native_certs::load_native_certs();
                for cause in &found.errors {
                    tracing::debug!("system roots: {cause}");
                }
                (found.certs, "the system's certificates")
            }
            Some(file) => (read_certificates(Path::new(file))?, file),
        };
        let mut roots = RootCertStore::empty();
        let (taken, passed_over) = roots.add_parsable_certificates(own.iter().cloned());
        tracing::debug!("{taken} roots from {origin}, {passed_over} passed over");
        if taken == 0 {
            let way_out = "install ca-certificates, or name the root in sslrootcert";
            return Err(wrong(origin, &format!("no usable root certificate: {way_out}")));
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|cause| wrong(origin, &cause.to_string()))?;
        // Only a root that the user named is trusted as the server's own certificate.
        let own = if matches!(root, None | Some("system")) { Vec::new() } else { own };
        Ok(Verifier { proof, own, chain: Some(chain), provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        if self.own.iter().any(|own| own == end_entity) {
            if self.proof == Proof::ChainAndName {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: everything else was in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.proof == Proof::Chain => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
