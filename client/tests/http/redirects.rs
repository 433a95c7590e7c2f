//! Redirects: handed back unless told to follow, and never with a credential.

use axum::response::Response as AxumResponse;

use crate::support::*;

fn to(status: u16, location: &str) -> Reply {
    let response = AxumResponse::builder().status(status).header("location", location);
    Reply::Answer(response.body("moved".into()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_3xx_is_handed_back() {
    let world = World::ruled(|_| to(302, "/elsewhere")).await;
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), world.seen().len()), (302, 1));
    assert_eq!(response.headers["location"], "/elsewhere");
    assert_eq!(response.body.bytes().await.unwrap(), b"moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_after_a_redirect_is_refused() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.target == "/" { to(302, "/paid") } else { Reply::Challenge });
    let client = world.builder().follow_redirects(true).build().unwrap();
    assert_eq!(code(client.send(world.get("/")).await), "challenge_after_redirect");
    assert_eq!((world.attempts().await, world.seen().len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_without_a_challenge_after_a_redirect_is_handed_back() {
    let world = World::ruled(|seen| if seen.target == "/" { to(302, "/x") } else { status(402) });
    let world = world.await;
    let client = world.builder().follow_redirects(true).build().unwrap();
    let response = client.send(world.get("/")).await.unwrap();
    assert_eq!(response.status, 402);
    assert_eq!(response.body.bytes().await.unwrap(), b"body");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_does_not_follow() {
    let world = World::selling(1).await;
    let elsewhere = format!("{}/next", world.second_server().await);
    world.rule(move |seen| match (seen.target.as_str(), seen.proven) {
        ("/next", _) => status(200),
        (_, None) => Reply::Challenge,
        _ => to(302, &elsewhere),
    });
    let client = world.builder().follow_redirects(true).build().unwrap();
    let request = world.get("/").header("authorization", "Bearer mine").unwrap();
    let request = request.header("cookie", "a=b").unwrap();
    let response = client.send(request).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(response.payment.is_some());
    let seen = world.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[1].authorization.len(), 2);
    // Another origin gets nothing of the caller's either.
    assert!(seen[2].authorization.is_empty() && !seen[2].headers.contains_key("cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_bodies_change_as_everywhere() {
    for (code, method, method_after, body_after) in [
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (303, "PUT", "GET", ""),
        (307, "POST", "POST", "data"),
        (308, "PUT", "PUT", "data"),
        (302, "PUT", "PUT", "data"),
    ] {
        let world = World::ruled(
            move |seen| {
                if seen.target == "/" { to(code, "/next") } else { status(200) }
            },
        )
        .await;
        let client = world.builder().follow_redirects(true).build().unwrap();
        let request = plannt_client::Request::new(method, &world.url).unwrap();
        let request = request.header("content-type", "text/plain").unwrap().body("data");
        assert_eq!(client.send(request).await.unwrap().status, 200);
        let seen = &world.seen()[1];
        assert_eq!(
            (seen.method.as_str(), seen.body.as_slice()),
            (method_after, body_after.as_bytes())
        );
        assert_eq!(seen.headers.contains_key("content-type"), !body_after.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_ends() {
    let world = World::ruled(|_| to(302, "/again")).await;
    let client = world.builder().follow_redirects(true).build().unwrap();
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 302);
    assert_eq!(world.seen().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_answer_that_leads_to_another_price_tells_what_was_paid() {
    let world = World::selling(1).await;
    world.rule(|seen| match (seen.target.as_str(), seen.proven) {
        ("/", Some(_)) => to(302, "/more"),
        _ => Reply::Challenge,
    });
    let client = world.builder().follow_redirects(true).build().unwrap();
    let error = client.send(world.get("/")).await.unwrap_err();
    assert_eq!(error.code(), "challenge_after_redirect");
    assert_eq!(error.receipt().map(|r| r.paid_msat()), Some(PRICE_MSAT + 7));
    assert_eq!(world.attempts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_answer_that_leads_nowhere_tells_what_was_paid() {
    let world = World::selling(1).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    world.rule(move |seen| match seen.proven {
        Some(_) => to(302, &dead),
        None => Reply::Challenge,
    });
    let client = world.builder().follow_redirects(true).build().unwrap();
    let error = client.send(world.get("/")).await.unwrap_err();
    assert_eq!(error.code(), "redirect_failed", "{error}");
    assert!(!error.to_string().contains("nothing was paid"), "{error}");
    assert_eq!(error.receipt().map(|r| r.paid_msat()), Some(PRICE_MSAT + 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_to_be_paid_is_not() {
    let world = World::selling(1).await;
    let paying = world.client();
    let response = paying.send_unpaid(world.get("/")).await.unwrap();
    assert_eq!(response.status, 402);
    assert!(!response.body.bytes().await.unwrap().is_empty());
    assert_eq!(world.attempts().await, 0);

    world.rule(|seen| if seen.target == "/" { to(302, "/paid") } else { Reply::Challenge });
    let client = world.builder().follow_redirects(true).build().unwrap();
    assert_eq!(client.send_unpaid(world.get("/")).await.unwrap().status, 402);
    assert_eq!(world.attempts().await, 0);
}
