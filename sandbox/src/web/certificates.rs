//! The sandbox's certification authority and the certificates of its hosts, made when a host is first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{ServerConfig, SupportedProtocolVersion, version};

use crate::Error;
use crate::world::{Found, Tls, World, canonical};

/// Certificates kept; when the store is full it is emptied, which costs some signatures and no correctness.
const MAX_KEPT: usize = 65_536;

/// The name in a certificate that belongs to somebody else.
const SOMEBODY_ELSE: &str = "somebody-else.sandbox.test";

/// The name in the certificate for clients that name nobody, which therefore mean the address.
const NAMELESS: &str = "localhost";

/// Signs and keeps certificates. All hosts share one key: making keys is most of a certificate's cost.
struct Store {
    world: Arc<RwLock<World>>,
    issuer: Issuer<'static, KeyPair>,
    host_key: KeyPair,
    signer: Arc<dyn SigningKey>,
    kept: Mutex<HashMap<(String, Tls), Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// The TLS side of the web: what to show to whom.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    current: Arc<ServerConfig>,
    with_http2: Arc<ServerConfig>,
    only12: Arc<ServerConfig>,
    dns: Arc<ServerConfig>,
}

impl Certificates {
    /// Makes an authority with fresh keys, for this world.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub(crate) fn new(world: Arc<RwLock<World>>) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Sandbox authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let ca_pem = params.self_signed(&key)?.pem();
        let host_key = KeyPair::generate()?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(host_key.serialize_der()));
        let signer = aws_lc_rs::sign::any_supported_type(&der)?;
        let issuer = Issuer::new(params, key);
        let store = Arc::new(Store {
            world,
            issuer,
            host_key,
            signer,
            kept: Mutex::default(),
        });
        Ok(Self {
            ca_pem,
            current: config(&store, rustls::ALL_VERSIONS, &[b"http/1.1"])?,
            with_http2: config(&store, rustls::ALL_VERSIONS, &[b"h2", b"http/1.1"])?,
            only12: config(&store, &[&version::TLS12], &[b"http/1.1"])?,
            dns: config(&store, rustls::ALL_VERSIONS, &[b"dot"])?,
        })
    }

    /// Returns the configuration for DNS over TLS.
    pub(crate) fn for_dns(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.dns)
    }

    /// Returns the configuration for a host.
    pub(crate) fn config(&self, tls: Tls, http2: bool) -> Arc<ServerConfig> {
        Arc::clone(match tls {
            Tls::Only12 => &self.only12,
            _ if http2 => &self.with_http2,
            _ => &self.current,
        })
    }
}

fn config(
    store: &Arc<Store>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(store) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // Hosts are met once: remembering sessions would cost memory and serve nobody.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

impl ResolvesServerCert for Store {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = canonical(hello.server_name().unwrap_or(NAMELESS)).into_owned();
        let tls = tls_of(&self.world, &name);
        let key = (name, tls);
        if let Some(known) = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Some(Arc::clone(known));
        }
        match self.make(&key.0, tls) {
            Ok(made) => {
                let made = Arc::new(made);
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() >= MAX_KEPT {
                    kept.clear();
                }
                kept.insert(key, Arc::clone(&made));
                Some(made)
            }
            Err(error) => {
                tracing::warn!(host = key.0, %error, "sandbox could not make a certificate");
                None
            }
        }
    }
}

impl Store {
    fn make(&self, name: &str, tls: Tls) -> Result<CertifiedKey, Error> {
        let subject = if tls == Tls::WrongHost {
            SOMEBODY_ELSE
        } else {
            name
        };
        let mut names = vec![subject.to_owned()];
        if subject == NAMELESS {
            names.push("127.0.0.1".to_owned());
        }
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, subject);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = if tls == Tls::Expired {
            date_time_ymd(2021, 1, 1)
        } else {
            date_time_ymd(2099, 1, 1)
        };
        let certificate = match tls {
            Tls::SelfSigned => params.self_signed(&self.host_key)?,
            _ => params.signed_by(&self.host_key, &self.issuer)?,
        };
        Ok(CertifiedKey::new(
            vec![certificate.der().clone()],
            Arc::clone(&self.signer),
        ))
    }
}

/// Returns the TLS script of a name; one that is not in the world gets a good certificate and then a 421.
pub(crate) fn tls_of(world: &RwLock<World>, name: &str) -> Tls {
    match world
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .find(name)
    {
        Found::Host(host) => host.tls,
        Found::Empty | Found::Missing => Tls::Good,
    }
}
