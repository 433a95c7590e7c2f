//! The HTTP stacks under a client: one that goes anywhere, and one that goes to public addresses only.

use std::sync::Arc;

use plannt_core::flow::{Hosts, Origin};
use url::{Host, Url};

use super::exchange::ADDRESS_NOT_ALLOWED;
use super::resolver::{NotPublic, Resolver, is_public};
use super::{ClientBuilder, tls};
use crate::{ClientError, TransportError};

#[derive(Clone)]
pub(super) struct Stacks {
    anywhere: reqwest::Client,
    /// None where every host may be at any address.
    public: Option<reqwest::Client>,
    private_hosts: Hosts,
}

impl Stacks {
    pub(super) fn build(builder: &ClientBuilder) -> Result<Self, ClientError> {
        let stack = |only_public| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls::config(builder.extra_roots.clone())?)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .dns_resolver(Arc::new(Resolver { only_public }))
                .connect_timeout(builder.connect_timeout)
                .user_agent(&builder.user_agent)
                .build()
                .map_err(|error| ClientError::Config { message: error.to_string() })
        };
        Ok(Self {
            anywhere: stack(false)?,
            public: if builder.private_hosts == Hosts::Any { None } else { Some(stack(true)?) },
            private_hosts: builder.private_hosts.clone(),
        })
    }

    /// The stack for a URL. A name is resolved when it connects, and refused there; an address in the URL is never
    /// resolved, so it is looked at here.
    pub(super) fn for_url(&self, url: &Url) -> Result<&reqwest::Client, TransportError> {
        let Some(public) = &self.public else { return Ok(&self.anywhere) };
        let origin = Origin::new(url.scheme(), url.host_str().unwrap_or_default(), url.port());
        if origin.is_ok_and(|origin| self.private_hosts.contain(&origin)) {
            return Ok(&self.anywhere);
        }
        let address = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        };
        match address {
            Some(ip) if !is_public(ip) => {
                Err(TransportError::new(ADDRESS_NOT_ALLOWED, NotPublic.to_string()))
            }
            _ => Ok(public),
        }
    }
}
