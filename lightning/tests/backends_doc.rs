//! The URLs of docs/BACKENDS.md open.

use plannt_lightning::{invoicer_from_url, payer_from_url};

#[tokio::test]
async fn every_url_of_the_table_opens_and_does_what_the_table_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, contents: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).expect("written");
        path.to_str().expect("utf-8").to_owned()
    };
    // Hex goes for every kind of secret.
    let secret = write("secret", &"5e".repeat(32));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let cert = write("tls.cert", &made.cert.pem());
    let config = plannt_lightning::devnet::DevnetConfig::new(folder.path().join("devnet"));
    let devnet = plannt_lightning::devnet::Devnet::start(config).await.expect("a devnet");
    let devnet_folder = folder.path().join("devnet").to_str().expect("utf-8").to_owned();

    let mut kinds = Vec::new();
    for line in include_str!("../../docs/BACKENDS.md").lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", url, _, "yes", pays, limits_fee, unit, ""] = &cells[..] else { continue };
        // The first form of several.
        let url = url.split('`').nth(1).expect("a URL");
        kinds.push(url.split_once(':').map_or("address", |(scheme, _)| scheme));
        let url = url
            .replace("FILE", &secret)
            .replace("CERT", &cert)
            .replace("/home/me/.local/share/plannt/devnet", &devnet_folder);
        let node = invoicer_from_url(&url).expect("an invoicer");
        let told = match node.unit_msat() {
            1 => "1 msat",
            1_000 => "1 sat",
            _ => "neither",
        };
        assert_eq!(told, *unit, "{url}");
        match payer_from_url(&url) {
            Ok(wallet) => {
                let told = if wallet.limits_fee() { "yes" } else { "no" };
                assert_eq!(("yes", told), (*pays, *limits_fee), "{url}");
                assert!(!wallet.wallet_id().contains("5e5e"), "{url}");
            }
            Err(error) => assert_eq!((error.code(), *pays), ("config", "–"), "{url}"),
        }
    }
    kinds.sort_unstable();
    let expected = [
        "address",
        "cln",
        "devnet",
        "lnbits",
        "lnd",
        "lnd+grpc",
        "nostr+walletconnect",
        "phoenixd",
    ];
    assert_eq!(kinds, expected);
    devnet.shutdown().await;
    let gone = payer_from_url(&format!("devnet://{devnet_folder}"));
    assert_eq!(gone.err().map(|error| error.code()), Some("config"));
}

#[test]
fn what_names_no_backend_is_refused_without_being_repeated() {
    for url in
        ["5e5e", "5e5e://h", "5e5e:5e5e", "lnd:5e5e", "devnet://5e5e", "devnet:///x?5e5e", ""]
    {
        for error in [invoicer_from_url(url).err(), payer_from_url(url).err()] {
            let error = error.expect("refused");
            assert!(error.code() == "config" && !error.to_string().contains("5e5e"), "{error}");
        }
    }
}
