"""The deliberately broken builds that the conformance suites have to catch.

A mutant is one expression of the sources and what a careless implementation has in its place. All
are built into one binary, where an environment variable says which is on: `check` beside this file.
A mutant whose expression is no longer in the sources fails the run, and is to be written anew.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    # The flaw, and who is hurt by it.
    flaw: str
    file: str
    # The expression, and the broken one. `{}` in `within` stands for it, where it is not alone in
    # its file.
    right: str
    wrong: str
    # The suite of vectors that must catch it, or the id of a check over the wire.
    caught_by: str
    within: str = "{}"


USES = "write(Kind::Uses, &[Decimal::new(self.uses.get().into()).as_bytes()])"

MUTANTS = [
    # --- the credential (docs/PROTOCOL.md §1) ---
    Mutant(
        "non_strict_varint",
        "A length is read in more bytes than it needs: one macaroon has many encodings.",
        "core/src/macaroon/reference.rs", "byte != 0", "true", "macaroon", "let minimal = {};",
    ),
    Mutant(
        "trailing_bytes",
        "Bytes after the signature are ignored: one token has any number of texts.",
        "core/src/macaroon/reference.rs", "!reader.0.is_empty()", "false", "verify", "if {} {{",
    ),
    Mutant(
        "unchecked_signature",
        "The token id is checked and the signature is not: a holder writes his own caveats.",
        "core/src/keyring.rs",
        "known & signature.ct_eq(&Tag::from_bytes(macaroon.signature()))", "known", "verify",
        "({}).into()",
    ),
    Mutant(
        "one_key_for_all_networks",
        "The network is left out of the macaroon's key: testnet's play money buys on mainnet.",
        "core/src/keyring.rs", "network.currency().as_bytes()", "b\"bc\".as_slice()", "verify",
        "for part in [Self::PREFIX, {}, &[0]",
    ),
    Mutant(
        "only_the_minting_key",
        "Older keys of the ring do not verify: a rotation takes away what was paid for.",
        "core/src/keyring.rs", "&self.keys", "&self.keys[..1]", "verify", "for key in {} {{",
    ),
    Mutant(
        "third_party_caveats_ignored",
        "A third-party caveat counts as fulfilled: a bound that the holder set is gone.",
        "core/src/keyring.rs", "macaroon.has_third_party_caveats()", "false", "verify",
    ),
    Mutant(
        "unchecked_preimage",
        "Any 32 bytes are a preimage: nobody has to pay.",
        "core/src/types.rs", "sha256(&self.0).ct_eq(&Tag::from_bytes(&hash.0)).into()", "true", "verify",
    ),
    Mutant(
        "preimage_caveat_ignored",
        "A preimage caveat that is not the header's is passed over, as Aperture does.",
        "core/src/caveat/mod.rs", "preimage.ct_eq(proved)", "Choice::from(1)", "caveats",
        "Some(proved) => holds &= {},",
    ),
    # --- caveats (§2) ---
    Mutant(
        "text_compared_expiry",
        "Times are compared as text: in nine digits a token never expires, in eleven it has.",
        "core/src/verify.rs", "request.now >= chain.valid_until()",
        "alloc::format!(\"{}\", request.now) >= alloc::format!(\"{}\", chain.valid_until())", "verify",
    ),
    Mutant(
        "last_number_wins",
        "A later caveat replaces an earlier one: the holder gives himself more time, uses and price.",
        "core/src/caveat/chain.rs", "next > *last", "false", "caveats",
    ),
    Mutant(
        "skipped_digest",
        "The body is not held against its digest: one payment sends any body.",
        "core/src/caveat/chain.rs",
        "self.digest.is_none_or(|digest| Some(digest) == request.digest)", "true", "verify",
    ),
    Mutant(
        "skipped_query",
        "The query is not held against its digest: one payment asks anything.",
        "core/src/caveat/chain.rs", "self.query.is_none_or(|query| query == request.query)", "true",
        "verify",
    ),
    Mutant(
        "absent_means_anything",
        "A chain without a query is taken where the route binds one.",
        "core/src/caveat/chain.rs", "request.requires_query && !self.minted.query", "false", "verify",
    ),
    Mutant(
        "any_tier",
        "The tier is not looked at: the cheapest opens the dearest, as in Aperture.",
        "core/src/caveat/chain.rs",
        "(self.service, self.tier) != (request.service, request.tier)",
        "self.service != request.service", "verify",
    ),
    Mutant(
        "path_by_prefix",
        "A path without a star matches all that begin so.",
        "core/src/caveat/value.rs", "pattern == path", "path.starts_with(pattern)", "verify",
    ),
    Mutant(
        "any_price",
        "The price is not looked at: the cheapest route's token opens the dearest.",
        "core/src/caveat/chain.rs", "self.max_price_msat >= request.lowest_price_msat", "true",
        "verify",
    ),
    Mutant(
        "leading_zeros",
        "Numbers are read as a parser of the language does, zeros and all.",
        "core/src/caveat/value.rs", "(text == \"0\" || !text.starts_with('0'))", "true", "caveats",
    ),
    Mutant(
        "uses_not_minted",
        "`uses` is left out for a single use: the holder writes 1000 in its place.",
        "core/src/mint.rs", USES, "if self.uses.get() > 1 { %s }" % USES, "mint",
    ),
    # --- headers (§3) ---
    Mutant(
        "last_line_decides",
        "The last Authorization line decides: what a proxy has checked is not what counts.",
        "core/src/authorization/mod.rs", "deciding.or_else(|| after_scheme(line))",
        "after_scheme(line).or(deciding)", "authorization_header",
    ),
    Mutant(
        "repeated_parameter",
        "A challenge's repeated parameter is taken: two readers see two invoices.",
        "core/src/challenge/header.rs", "self.repeated", "false", "challenge_header", "if {} {{",
    ),
    # --- the client (§5) ---
    Mutant(
        "hash_not_compared",
        "The invoice's payment hash is not compared with the macaroon's: the payment buys nothing.",
        "core/src/flow/policy.rs", "token.payment_hash != quote.payment_hash", "false", "client_flow",
    ),
    Mutant(
        "pays_after_redirect",
        "A challenge is paid that came after a redirect: any host may send the bill.",
        "core/src/flow/policy.rs", "redirected", "false", "client_flow", "if {} {{",
    ),
    Mutant(
        "no_amount_is_zero",
        "An invoice without an amount counts as free: the payer's node sends what it likes.",
        "core/src/flow/policy.rs",
        "invoice.amount_msat.filter(|amount| *amount > 0).ok_or(Refusal::NoAmount)?",
        "invoice.amount_msat.unwrap_or(0)", "client_flow",
    ),
    Mutant(
        "any_preimage_is_proof",
        "What the wallet calls a preimage is stored unchecked: a credential that opens nothing.",
        "core/src/flow/machine/mod.rs", "preimage.proves(&payment_hash)", "true", "client_flow",
        "PaymentResult::Paid {{ preimage, fee_msat }} if {} => {{",
    ),
    Mutant(
        "any_host_is_an_origin",
        "A host is whatever stands before the port: what is journaled is read again as another origin.",
        "core/src/flow/request.rs", "is_host(&host)", "!host.is_empty()", "client_flow", "if !{} {{",
    ),
    # --- the server (§3, §4), over the wire ---
    Mutant(
        "header_order",
        "The challenge's parameters come in another order, which deployed clients do not read.",
        "core/src/challenge/header.rs", "\"L402 macaroon=\"",
        "\"L402 realm=\\\"l402\\\", macaroon=\"", "server.challenge.order", "text.push_str({});",
    ),
    Mutant(
        "bare_401",
        "What is refused gets a 401: deployed clients pay again only on 402.",
        "gate/src/answer.rs", "code.status()",
        "if code.is_challenge() && code != Code::PaymentRequired { 401 } else { code.status() }",
        "server.answers.never_401", "StatusCode::from_u16({})",
    ),
    Mutant(
        "forgotten_spend",
        "What the spend store refuses is granted: one payment opens the route for ever.",
        "gate/src/spending.rs", "outcome", "outcome.map(|_| SpendOutcome::Granted { remaining: 0 })",
        "server.replay.same", "outcome => {},",
    ),
]
