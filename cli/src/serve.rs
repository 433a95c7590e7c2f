//! `plannt serve`: the gateway, and the devnet under it where no node is given.

use std::net::SocketAddr;

use plannt_core::Network;
use plannt_gateway::{BoundGateway, Gateway, GatewayConfig, GatewayError};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetFile, DevnetHandle};
use plannt_lightning::invoicer_from_url;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::ServeArgs;
use crate::devnet;
use crate::error::CliError;
use crate::home::Home;
use crate::print::{err, out};

/// Serves until a signal to stop.
pub(crate) async fn run(args: &ServeArgs, home: &Home) -> Result<(), CliError> {
    let node = Node::open(args, home).await?;
    let gateway = Gateway::bind(config(args, &node, home)?).await?;

    // The first line is for scripts: it comes once connections are accepted.
    out(&format!("listening on http://{}", gateway.local_addr()))?;
    greet(args, &node, gateway.local_addr());

    let outcome = gateway.serve(stop_signal()).await;
    node.stop().await;
    Ok(outcome?)
}

fn greet(args: &ServeArgs, node: &Node, address: SocketAddr) {
    if let Some(file) = &node.devnet_file {
        err(&format!("devnet (play money) on {}\n", file.listen));
    }
    if args.demo {
        err(&format!("try: curl -i http://{address}/v1/demo\n"));
        err(&format!("     plannt http://{address}/v1/demo\n"));
    }
}

fn config(args: &ServeArgs, node: &Node, home: &Home) -> Result<GatewayConfig, CliError> {
    let invoicer = invoicer_from_url(&node.url)?;
    let config = match (&args.upstream, args.price_sats) {
        (Some(upstream), Some(price_sats)) => {
            let price_msat = price_sats.checked_mul(1_000).ok_or_else(|| {
                CliError::Usage("--price-sats is more than an invoice can hold".into())
            })?;
            GatewayConfig::upstream(invoicer, node.network, home.gateway(), upstream, price_msat)?
        }
        _ => {
            let config = GatewayConfig::demo(invoicer, node.network, home.gateway());
            match &args.generate_url {
                Some(url) => config.generate_url(url)?,
                None => config,
            }
        }
    };
    let config = config
        .listen(args.listen)
        .validity(args.validity)
        .invoice_pool(args.invoice_pool)
        .strict_settlement(args.strict_settlement);
    Ok(match args.challenges_per_minute {
        Some(challenges) => config.challenges_per_minute(challenges),
        None => config,
    })
}

/// The receiving node: the one that was given, a devnet that runs already, or one of our own.
struct Node {
    url: String,
    network: Network,
    /// Kept running as long as the gateway.
    devnet: Option<DevnetHandle>,
    devnet_file: Option<DevnetFile>,
}

impl Node {
    async fn open(args: &ServeArgs, home: &Home) -> Result<Self, CliError> {
        if let Some(url) = args.node.clone() {
            let network = args.network.unwrap_or(Network::Bitcoin);
            return Ok(Self { url, network, devnet: None, devnet_file: None });
        }
        if !(args.demo || args.devnet) {
            return Err(CliError::NoNode);
        }
        if args.network.is_some_and(|network| network != Network::Regtest) {
            return Err(CliError::Usage(
                "the devnet is regtest: drop --network or give --node".into(),
            ));
        }
        if let Some(file) = devnet::running(home).await {
            return Ok(Self {
                url: file.invoicer_url.clone(),
                network: Network::Regtest,
                devnet: None,
                devnet_file: Some(file),
            });
        }
        let devnet = Devnet::start(DevnetConfig::new(home.devnet())).await?;
        Ok(Self {
            url: devnet.invoicer_url(),
            network: Network::Regtest,
            devnet_file: DevnetFile::read(&home.devnet()),
            devnet: Some(devnet),
        })
    }

    async fn stop(self) {
        if let Some(devnet) = self.devnet {
            devnet.shutdown().await;
        }
    }
}

/// Resolves at SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the default action ends the process; here there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// The demo service with a devnet of its own, in this process.
pub(crate) struct DemoService {
    local_addr: SocketAddr,
    payer_url: String,
    devnet: DevnetHandle,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), GatewayError>>,
}

/// Starts the demo service with its state under `home`.
pub(crate) async fn start_demo(home: &Home, listen: SocketAddr) -> Result<DemoService, CliError> {
    let devnet = Devnet::start(DevnetConfig::new(home.devnet())).await?;
    let invoicer = invoicer_from_url(&devnet.invoicer_url())?;
    let config = GatewayConfig::demo(invoicer, Network::Regtest, home.gateway()).listen(listen);
    let gateway: BoundGateway = Gateway::bind(config).await?;
    let local_addr = gateway.local_addr();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(gateway.serve(async {
        // A dropped sender stops it too.
        let _ = stopped.await;
    }));
    Ok(DemoService { local_addr, payer_url: devnet.payer_url(), devnet, stop, serving })
}

impl DemoService {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The wallet that pays on its devnet.
    pub(crate) fn payer_url(&self) -> &str {
        &self.payer_url
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
        self.devnet.shutdown().await;
    }
}
