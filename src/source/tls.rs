//! Certificates: which are trusted, which is shown, and what is wrong with them.

use super::{Access, PemFile};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, RootCertStore};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// How to speak with a server. `is_named` says whether it is the one that the user named: no other one
/// gets the client's certificate, or goes without a check. The error is for users.
pub fn config(access: &Access, is_named: bool, is_insecure: bool) -> Result<TlsConfig, String> {
    let roots = match &access.authorities {
        Some(file) => RootCerts::from(authorities(file)?),
        None => RootCerts::PlatformVerifier,
    };
    let client = match &access.certificate {
        Some(file) if is_named => Some(client(file, access.key.as_ref())?),
        _ => None,
    };
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(client)
        .disable_verification(is_insecure && is_named)
        .build())
}

/// The certificates in a file.
fn certificates(file: &PemFile, option: &str) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(file.bytes()) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(format!("{option} {}: damaged PEM", file.name())),
        }
    }
    match found.is_empty() {
        true => Err(format!(
            "{option} {}: there is no certificate in it; want PEM, with -----BEGIN CERTIFICATE-----",
            file.name()
        )),
        false => Ok(found),
    }
}

fn authorities(file: &PemFile) -> Result<Vec<Certificate<'static>>, String> {
    let found = certificates(file, "--tls-ca")?;
    let as_rustls = found.iter().map(|one| CertificateDer::from(one.der()));
    match RootCertStore::empty().add_parsable_certificates(as_rustls) {
        (0, _) => Err(format!("--tls-ca {}: none of its certificates can be read", file.name())),
        _ => Ok(found),
    }
}

/// The certificate of the client, with its key.
fn client(file: &PemFile, key: Option<&PemFile>) -> Result<ClientCert, String> {
    let (key_option, key_file) = match key {
        Some(key) => ("--tls-key", key),
        None => ("--tls-cert", file),
    };
    let certificates = certificates(file, "--tls-cert")?;
    let no_key = || {
        let what = match key {
            Some(_) => "there is no private key in it",
            None => "there is no private key in it, and no --tls-key FILE",
        };
        let name = key_file.name();
        format!(
            "{key_option} {name}: {what}; want PEM, and a key that no password protects (openssl pkey -in FILE)"
        )
    };
    let for_check = PrivateKeyDer::from_pem_slice(key_file.bytes()).map_err(|_| no_key())?;
    let private = PrivateKey::from_pem(key_file.bytes()).map_err(|_| no_key())?;
    // What does not fit would end the process when it is used.
    let chain = certificates.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, for_check, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("{key_option} {}: it is not the key of the certificate", key_file.name())
        }
        error => format!("--tls-cert {}: {error}", file.name()),
    })?;
    Ok(ClientCert::new_with_certs(&certificates, private))
}

/// What a failure of TLS means for the user.
pub fn explain(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidCertificate(why) => {
            let why = match why {
                CertificateError::UnknownIssuer => {
                    "no authority that is trusted has signed it".into()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "it has expired".into()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    "it is for another host".into()
                }
                // As openssl req -x509 makes them, unless it is told otherwise.
                CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
                    "it is one of an authority, and not for servers (basicConstraints=CA:TRUE)"
                        .into()
                }
                other => other.to_string(),
            };
            format!(
                "the certificate of the server is refused: {why}; --tls-ca FILE names an authority to \
                 trust, and https+insecure:// asks without a check"
            )
        }
        AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure),
        ) => format!(
            "the server refused the connection ({alert:?}); which certificate does it want? --tls-cert \
             FILE and --tls-key FILE show one"
        ),
        InvalidMessage(_) => "the server does not speak TLS there; is it http://?".into(),
        other => format!("TLS: {other}"),
    }
}
