// The conformance vectors through this package's public API: each suite's answer to a case (conformance/README.md).

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import * as plannt from 'plannt';
import { play } from './client-flow.mjs';

const unhex = (text) => Buffer.from(text, 'hex');
const lines = (input, name) => input.headers.filter(([header]) => header.toLowerCase() === name).map(([, value]) => value);
const mac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest();

/** The answer is an error that this package has no class for. */
export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

function keyring(input) {
  const [first, ...older] = input.root_keys.map((key) => plannt.RootKey.fromHex(key));
  return older.reduce((ring, key) => ring.withVerifying(key), new plannt.Keyring(input.network, first));
}

function verifyFor(ring, credential, request) {
  return ring.verify(
    credential,
    new plannt.RequestContext({
      now: request.now,
      service: request.service,
      tier: request.tier,
      method: request.method,
      path: plannt.normalizePath(request.target.split('?')[0]),
      query: plannt.queryDigest(plannt.queryOf(request.target)),
      requiresQuery: request.binds_query,
      digest: request.body == null ? null : plannt.contentDigest(unhex(request.body)),
      requiresDigest: request.binds_body,
      lowestPriceMsat: BigInt(request.lowest_price_msat),
      capability: request.capability,
      strict: request.strict,
    }),
  );
}

const granted = ({ uses, validUntil, keepUntil }) => ({ uses, valid_until: validUntil, keep_until: keepUntil });

function readMacaroon(encoding) {
  const data = encoding.hex === undefined ? Buffer.from(encoding.text, 'utf8') : unhex(encoding.hex);
  const readers = {
    base64: () => plannt.Macaroon.parse(plannt.base64.decode(data.toString('utf8'))),
    v1: () => plannt.Macaroon.fromV1(data),
    v2: () => plannt.Macaroon.fromV2(data),
    v2json: () => plannt.Macaroon.fromJson(data),
  };
  const outcome = (read) => {
    try {
      return { macaroon: read() };
    } catch (error) {
      return { error };
    }
  };
  const named = outcome(readers[encoding.format]);
  if (encoding.format !== 'base64') {
    // By its first byte it is the same.
    const sniffed = outcome(() => plannt.Macaroon.parse(data));
    assert.equal(sniffed.macaroon?.equals(named.macaroon), named.macaroon && true, 'by format, and without');
  }
  if (named.error !== undefined) throw named.error;
  return named.macaroon;
}

const written = (macaroon) => ({ v1: macaroon.toV1().toString('hex'), v2: macaroon.toV2().toString('hex') });

function described(macaroon) {
  return {
    location: macaroon.location ?? '',
    identifier: macaroon.identifier.toString('hex'),
    caveats: macaroon.caveats.map(({ id, verificationId, location }) =>
      verificationId === null
        ? { id: id.toString('hex') }
        : { id: id.toString('hex'), verification_id: verificationId.toString('hex'), location: location ?? '' },
    ),
    signature: macaroon.signature.toString('hex'),
  };
}

const MACAROON = {
  attenuate: (input) => ({ token: plannt.attenuateToken(input.token, input.caveats) }),
  bind: (input) => {
    const discharge = readMacaroon(input.discharge);
    return written(readMacaroon(input.macaroon).bind(discharge));
  },
  create: (input) => {
    const macaroon = plannt.Macaroon.create(unhex(input.root_key), unhex(input.identifier), input.location);
    for (const caveat of input.caveats ?? []) {
      if (caveat.key === undefined) macaroon.attenuate(unhex(caveat.id));
      else macaroon.attenuateThirdParty(unhex(caveat.key), unhex(caveat.id), unhex(caveat.nonce), caveat.location);
    }
    return written(macaroon);
  },
  verify: (input) => {
    const macaroon = readMacaroon(input.macaroon);
    const discharges = (input.discharges ?? []).map(readMacaroon);
    const held = Array.isArray(input.satisfied) ? new Set(input.satisfied) : null;
    const rootKey = unhex(input.root_key);
    // The shorter way for macaroons without third parties says the same of the signature.
    const signed = macaroon.verifySignature(rootKey);
    try {
      macaroon.verifyDischarged(rootKey, discharges, (caveat) => held === null || held.has(caveat.toString('hex')));
      if (discharges.length === 0) assert.ok(signed);
    } catch (error) {
      if (discharges.length === 0) assert.equal(signed, error.code !== 'discharge_signature');
      throw error;
    }
    if (input.preimage != null) {
      const { paymentHash } = plannt.Identifier.parse(macaroon.identifier);
      if (!plannt.Preimage.fromHex(input.preimage).proves(paymentHash)) throw new Refused('preimage_mismatch');
    }
    return described(macaroon);
  },
  write: (input) => {
    const macaroon = readMacaroon(input.macaroon);
    assert(plannt.Macaroon.fromJson(macaroon.toJson()).equals(macaroon));
    return written(macaroon);
  },
};

export const SUITES = {
  authorization_header: (input) => {
    if (input.op === 'write') return { value: plannt.authorizationValue(input.token, input.preimage) };
    const credential =
      input.op === 'read_grpc' ? plannt.Credential.fromGrpcMetadata(input.value) : plannt.Credential.fromAuthorization(lines(input, 'authorization'));
    if (credential === null) throw new Refused('no_credential');
    // A token's macaroon is parsed when it is verified, under whatever key.
    try {
      const any = new plannt.RequestContext({ now: 0, service: 'demo', method: 'GET', path: '/', lowestPriceMsat: 0n });
      new plannt.Keyring('regtest', Buffer.alloc(32, 7)).verify(credential, any);
    } catch (error) {
      if (['malformed_credential', 'header_too_large'].includes(error.code)) throw error;
    }
    const tokens = credential.tokens().map((token) => token.decode().toString('hex'));
    return credential.preimage === null ? { tokens } : { tokens, preimage: credential.preimage.exposeHex() };
  },
  caveats: (input) => {
    // The core evaluates no chain that it has not verified, so that the case's is signed here first.
    const [rootKey, paymentHash] = [Buffer.alloc(32, 0x5c), unhex(input.payment_hash)];
    const identifier = new plannt.Identifier(paymentHash, mac(rootKey, paymentHash)).toBytes();
    const macaroon = plannt.Macaroon.create(mac(rootKey, Buffer.from('l402/macaroon/0bcrt\0'), paymentHash), identifier, 'l402');
    for (const caveat of input.caveats) macaroon.attenuate(unhex(caveat));
    const bytes = macaroon.toV2();
    const credential =
      input.preimage == null
        ? plannt.Credential.fromGrpcMetadata(bytes.toString('hex'))
        : plannt.Credential.fromAuthorization([plannt.authorizationValue(plannt.base64.encode(bytes), input.preimage)]);
    return granted(verifyFor(new plannt.Keyring('regtest', rootKey), credential, input.request));
  },
  challenge_header: (input) => {
    if (input.op === 'write') return { value: plannt.challengeHeader(input.token, input.invoice) };
    const challenge = plannt.readChallenge(lines(input, 'www-authenticate'), input.body);
    if (challenge === null) throw new Refused('no_challenge');
    const { scheme, token, invoice, source } = challenge;
    return { scheme, token, invoice, source };
  },
  client_flow: (input) => play(input),
  identifier: (input) => {
    const { paymentHash, tokenId } = plannt.Identifier.parse(unhex(input.identifier));
    return { payment_hash: String(paymentHash), token_id: tokenId.toString('hex') };
  },
  invoice: (input) => {
    const facts = plannt.readInvoice(input.bolt11);
    return {
      payment_hash: String(facts.paymentHash),
      amount_msat: facts.amountMsat,
      network: facts.network,
      issued_at: facts.issuedAt,
      expires_at: facts.expiresAt,
      payee: facts.payee?.toString('hex') ?? null,
      description: facts.description,
    };
  },
  macaroon: (input) => MACAROON[input.op](input),
  mint: (input) => {
    const digest = (name) => (input[name] == null ? null : unhex(input[name]));
    const request = new plannt.MintRequest({
      paymentHash: input.payment_hash,
      service: input.service,
      tier: input.tier,
      validUntil: input.valid_until,
      method: input.method,
      path: input.path,
      maxPriceMsat: BigInt(input.max_price_msat),
      uses: input.uses,
      query: digest('query'),
      digest: digest('digest'),
      capabilities: input.capabilities ?? [],
    });
    return { token: keyring(input).mint(request) };
  },
  verify: (input) => {
    const credential =
      input.grpc_macaroon == null
        ? plannt.Credential.fromAuthorization(input.authorization)
        : plannt.Credential.fromGrpcMetadata(input.grpc_macaroon);
    const verified = verifyFor(keyring(input), credential, input.request);
    return { ...granted(verified), payment_hash: String(verified.paymentHash) };
  },
};
