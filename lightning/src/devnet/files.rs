//! The data folder: who may read what, and one devnet at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::DevnetError;

pub(super) const DEVNET_JSON: &str = "devnet.json";
pub(super) const CERTIFICATE: &str = "tls.cert";
const CERTIFICATE_KEY: &str = "tls.key";

/// An opened data folder. The lock goes with it, also when the process is killed.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    pub(super) fn open(path: &Path) -> Result<Self, DevnetError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(DevnetError::io("making the devnet data folder"))?;
        // The URLs name its files, and have to work from any folder.
        let path = fs::canonicalize(path).map_err(DevnetError::io("opening the data folder"))?;
        let lock = open_private(&path.join("devnet.lock"))
            .map_err(DevnetError::io("opening devnet.lock"))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => DevnetError::InUse,
            TryLockError::Error(e) => DevnetError::io("locking the data folder")(e),
        })?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The database's path. The file is made here, since SQLite would let others read the node
    /// keys in it; what SQLite puts beside it gets the same mode.
    pub(super) fn database(&self) -> Result<PathBuf, DevnetError> {
        let path = self.join("devnet.sqlite");
        open_private(&path).map_err(DevnetError::io("opening devnet.sqlite"))?;
        Ok(path)
    }

    /// Writes a file that only its owner reads, whole or not at all.
    pub(super) fn write(&self, name: &str, contents: &[u8]) -> Result<(), DevnetError> {
        let (path, draft) = (self.join(name), self.join(&format!("{name}.new")));
        let write = || {
            match fs::remove_file(&draft) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut file =
                OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(contents)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().map_err(DevnetError::io(format!("writing {name}")))
    }

    pub(super) fn remove(&self, name: &str) {
        // A leftover only points to a devnet that does not answer.
        let _ = fs::remove_file(self.join(name));
    }

    /// The TLS identity, made at the first start: self-signed and an authority, like lnd's own.
    pub(super) fn tls(&self) -> Result<ServerConfig, DevnetError> {
        let (certificate, key) = (self.join(CERTIFICATE), self.join(CERTIFICATE_KEY));
        if !(certificate.exists() && key.exists()) {
            self.make_certificate()?;
        }
        let tls = |message: String| DevnetError::Tls { message };
        let certificate =
            CertificateDer::from_pem_file(certificate).map_err(|e| tls(e.to_string()))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|e| tls(e.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(vec![certificate], key))
            .map_err(|e| tls(e.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn make_certificate(&self) -> Result<(), DevnetError> {
        let tls = |e: rcgen::Error| DevnetError::Tls { message: e.to_string() };
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let mut params = rcgen::CertificateParams::new(names).map_err(tls)?;
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "plannt devnet");
        params.key_usages =
            vec![rcgen::KeyUsagePurpose::DigitalSignature, rcgen::KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate().map_err(tls)?;
        let certificate = params.self_signed(&key).map_err(tls)?;
        self.write(CERTIFICATE_KEY, key.serialize_pem().as_bytes())?;
        self.write(CERTIFICATE, certificate.pem().as_bytes())
    }
}

/// Opens a file for writing; if it is new, only its owner may read it.
fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}
