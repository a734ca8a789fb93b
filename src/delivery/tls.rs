//! Whom to trust: the system's certificates or the endpoint's own, read when the first https connection is opened.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs, io};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::self_signed::OrItself;
use super::{Failure, FailureKind, failure};

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

/// The bundle of a distribution has a quarter of a megabyte.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// Combinations of `ca` and `client_cert` kept.
const MAX_CONFIGS: usize = 32;

/// TLS configurations, one for each combination of `ca` and `client_cert`.
#[derive(Default)]
pub(super) struct TlsConfigs(Mutex<Vec<Arc<Kept>>>);

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
        // Files are looked at without the lock: one on a disk that does not answer holds up its own endpoint only.
        let kept = self.lock().iter().find(|kept| kept.is_of(ca, client_cert)).cloned();
        if let Some(kept) = kept.filter(|kept| kept.read.iter().all(Stamp::is_current)) {
            return Ok(kept.config.clone());
        }
        let kept = Arc::new(Kept::read(ca, client_cert)?);
        let config = kept.config.clone();
        let mut all = self.lock();
        all.retain(|other| !other.is_of(ca, client_cert));
        if all.len() >= MAX_CONFIGS {
            all.remove(0);
        }
        all.push(kept);
        Ok(config)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TlsConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfigs").finish_non_exhaustive()
    }
}

impl Kept {
    fn is_of(&self, ca: Option<&str>, client_cert: Option<&str>) -> bool {
        self.ca.as_deref() == ca && self.client_cert.as_deref() == client_cert
    }

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
            let remedy = "it must have at least one, from -----BEGIN CERTIFICATE----- on";
            return Err(settings(format!("{what}: {} holds no usable certificate; {remedy}", ca_path.display())));
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
                let wrong = |what: &str| settings(format!("client_cert: {} {what}", path.display()));
                if chain.is_empty() {
                    return Err(wrong("holds no certificate; put it there, in PEM, before its key"));
                }
                let key = PrivateKeyDer::from_pem_slice(&contents(path, "client_cert")?).map_err(|_| {
                    wrong("holds no private key in clear; append the certificate's, in PEM, without a pass phrase")
                })?;
                builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => {
                        wrong("cannot be used: its key belongs to another certificate")
                    }
                    error => wrong(&format!("cannot be used: {error}")),
                })?
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
    read_regular(path).map_err(|error| {
        if let Some(shortage) = failure::shortage(&error) {
            return shortage;
        }
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; check the path",
            io::ErrorKind::PermissionDenied => {
                "; let the user that PHP runs as read it, and the folders above it be entered"
            }
            _ => "",
        };
        settings(format!("{what}: {} cannot be read: {error}{remedy}", path.display()))
    })
}

/// Reads a file that is one: a pipe or device would keep the sender for ever.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("it has {} bytes, more than certificates do", found.len())));
    }
    fs::read(path)
}

fn settings(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Settings, message)
}
