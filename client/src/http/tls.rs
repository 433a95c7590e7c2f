//! TLS: rustls with ring and the platform's trust, without touching the process-wide provider.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::ClientError;

pub(super) fn config(extra_roots: Vec<Vec<u8>>) -> Result<ClientConfig, ClientError> {
    let unusable = |message: String| ClientError::Config { message };
    let extra: Vec<CertificateDer<'static>> =
        extra_roots.into_iter().map(CertificateDer::from).collect();
    // The platform's verifier reports both with one kind of error, and only this one is the caller's fault.
    for root in &extra {
        RootCertStore::empty()
            .add(root.clone())
            .map_err(|error| unusable(format!("a certificate authority is unreadable: {error}")))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    let mut config = match verifier(extra, provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        // A machine without any certificate authority can still pay over loopback; every `https` fails there.
        Err(error) => {
            tracing::warn!(%error, "no certificate authorities: https will not work");
            builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(not(target_os = "android"))]
fn verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(extra, provider)
}

#[cfg(target_os = "android")]
fn verifier(
    _: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    Verifier::new(provider)
}
