//! Whom to trust: the system's certificates or the endpoint's own, read when the first https connection is opened.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::self_signed::OrItself;
use super::{Failure, FailureKind};

/// Where distributions keep all trusted certificates in one file. Read directly: `SSL_CERT_FILE` would be the
/// environment, which other threads of the process may be changing.
const BUNDLES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL and their kin
    "/etc/pki/tls/certs/ca-bundle.crt",   // the same, older
    "/etc/ssl/ca-bundle.pem",             // SUSE
    "/var/lib/ca-certificates/ca-bundle.pem", // SUSE, newer
    "/etc/ssl/cert.pem",                  // Alpine, macOS, the BSDs
    "/usr/local/share/certs/ca-root-nss.crt", // FreeBSD
];

/// Combinations of `ca` and `client_cert` kept.
const MAX_CONFIGS: usize = 32;

/// TLS configurations, one for each combination of `ca` and `client_cert`.
#[derive(Default)]
pub(super) struct TlsConfigs(Mutex<Vec<Kept>>);

struct Kept {
    ca: Option<String>,
    client_cert: Option<String>,
    read: Vec<Stamp>,
    config: Arc<ClientConfig>,
}

/// A file as it was when it was read.
#[derive(PartialEq)]
struct Stamp {
    path: PathBuf,
    modified: Option<SystemTime>,
    bytes: u64,
}

impl TlsConfigs {
    /// The configuration for `ca` and `client_cert`; read again when one of the files has changed.
    pub fn config(&self, ca: Option<&str>, client_cert: Option<&str>) -> Result<Arc<ClientConfig>, Failure> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|kept| kept.ca.as_deref() == ca && kept.client_cert.as_deref() == client_cert);
        if let Some(at) = at {
            if all[at].read.iter().all(Stamp::is_current) {
                return Ok(all[at].config.clone());
            }
            all.remove(at);
        }
        let kept = Kept::read(ca, client_cert)?;
        let config = kept.config.clone();
        if all.len() >= MAX_CONFIGS {
            all.remove(0);
        }
        all.push(kept);
        Ok(config)
    }
}

impl fmt::Debug for TlsConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfigs").finish_non_exhaustive()
    }
}

impl Kept {
    fn read(ca: Option<&str>, client_cert: Option<&str>) -> Result<Self, Failure> {
        let (ca_path, what) = match ca {
            Some(path) => (PathBuf::from(path), "ca"),
            None => (system_bundle()?, "the system's certificates"),
        };
        let mut read = vec![Stamp::of(&ca_path)];
        let trusted = certificates(&ca_path, what)?;
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(trusted.iter().cloned());
        if added == 0 {
            return Err(settings(format!("{what}: {} holds no usable certificate", ca_path.display())));
        }
        let no_tls = |error: &dyn fmt::Display| settings(format!("TLS is not available: {error}"));
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| no_tls(&error))?;
        let builder = match ca {
            None => builder.with_root_certificates(roots),
            Some(_) => {
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| no_tls(&error))?;
                // rustls calls every verifier that is not its own dangerous.
                builder.dangerous().with_custom_certificate_verifier(OrItself::new(verifier, trusted))
            }
        };
        let mut config = match client_cert {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let path = Path::new(path);
                read.push(Stamp::of(path));
                let chain = certificates(path, "client_cert")?;
                if chain.is_empty() {
                    return Err(settings(format!("client_cert: {} holds no certificate", path.display())));
                }
                let key = PrivateKeyDer::from_pem_slice(&contents(path, "client_cert")?)
                    .map_err(|_| settings(format!("client_cert: {} holds no private key in clear", path.display())))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| settings(format!("client_cert: {} cannot be used: {error}", path.display())))?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Kept {
            ca: ca.map(str::to_owned),
            client_cert: client_cert.map(str::to_owned),
            read,
            config: Arc::new(config),
        })
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let found = fs::metadata(path).ok();
        Stamp {
            path: path.to_owned(),
            modified: found.as_ref().and_then(|data| data.modified().ok()),
            bytes: found.map_or(0, |data| data.len()),
        }
    }

    fn is_current(&self) -> bool {
        *self == Stamp::of(&self.path)
    }
}

fn system_bundle() -> Result<PathBuf, Failure> {
    BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file()).ok_or_else(|| {
        settings("this server has no bundle of trusted certificates; install the package ca-certificates, or name a file with ca")
    })
}

fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let pem = contents(path, what)?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| settings(format!("{what}: {} is not a file of PEM certificates", path.display())))
}

fn contents(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| settings(format!("{what}: {} cannot be read: {error}", path.display())))
}

fn settings(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Settings, message)
}
