//! Whether the time of verifying tells a forger how close he is, tested as dudect does it: two
//! classes of inputs in random order, and Welch's t of their times. A |t| above 4.5 is a
//! difference; a leak of a compared byte shows as one that grows with the samples.

use std::time::Instant;

use plannt_core::{Keyring, Preimage, RequestContext, RootKey, authorization_value, base64};

use crate::ours;

/// Bounds the time above which a sample is somebody else's: dudect's percentiles.
const PERCENTILES: [f64; 4] = [0.5, 0.75, 0.9, 0.99];
const LEAK: f64 = 4.5;
/// Texts of each class, so that none is special.
const TEXTS: usize = 256;

/// Bytes of a sold token before its last 32, the signature.
struct Parts {
    bytes: Vec<u8>,
    token_id: usize,
    signature: usize,
}

pub(crate) fn run(samples: usize) -> Result<(), String> {
    // With an older key beside it, as a server has after a rotation.
    let ring = ours::keyring().with_verifying(RootKey::from_bytes([0x33; 32]));
    let older = Keyring::new(ring.network(), RootKey::from_bytes([0x33; 32]));
    let preimage = ours::preimage();
    let parts = |ring: &Keyring| {
        let token = ring.mint(&ours::mint_request()).expect("short, and without LSAT");
        let bytes = base64::decode(token.as_str()).expect("our own");
        let signature = bytes.len() - 32;
        // Version, location, the identifier's head, its version and the payment hash.
        Parts { bytes, token_id: 1 + 6 + 2 + 2 + 32, signature }
    };
    let (ours, older) = (parts(&ring), parts(&older));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let last =
        |at: usize| move |bytes: &mut [u8], random: &mut Random| bytes[at + 31] ^= random.nonzero();
    let first =
        |at: usize| move |bytes: &mut [u8], random: &mut Random| bytes[at] ^= random.nonzero();
    let all = |at: usize| {
        move |bytes: &mut [u8], random: &mut Random| {
            bytes[at..at + 32].iter_mut().for_each(|byte| *byte ^= random.nonzero());
        }
    };
    let (s, t) = (ours.signature, ours.token_id);
    let mut classes = |parts: &Parts, forge: &dyn Fn(&mut [u8], &mut Random)| -> Vec<String> {
        let forged = |_| {
            let mut bytes = parts.bytes.clone();
            forge(&mut bytes, &mut random);
            authorization_value(&base64::encode(&bytes), &preimage).to_string()
        };
        (0..TEXTS).map(forged).collect()
    };
    let tests = [
        ("signature: last byte wrong, or all", classes(&ours, &last(s)), classes(&ours, &all(s))),
        (
            "signature: first byte wrong, or last",
            classes(&ours, &first(s)),
            classes(&ours, &last(s)),
        ),
        ("token id: last byte wrong, or all", classes(&ours, &last(t)), classes(&ours, &all(t))),
        (
            "token id: first byte wrong, or last",
            classes(&ours, &first(t)),
            classes(&ours, &last(t)),
        ),
        ("token id wrong, or signature", classes(&ours, &all(t)), classes(&ours, &all(s))),
        (
            "key: minting or older, signature wrong",
            classes(&ours, &all(s)),
            classes(&older, &all(s)),
        ),
    ];

    println!("| forged credentials of equal length | samples | largest absolute t |");
    println!("|---|---:|---:|");
    let mut leaks = Vec::new();
    for (name, left, right) in &tests {
        let mut t = 0.0;
        // A difference by chance does not come again; one of the code does.
        for _ in 0..3 {
            t = largest_t(&ring, left, right, samples, &preimage, &mut random);
            if t < LEAK {
                break;
            }
        }
        println!("| {name} | {samples} | {t:.2} |");
        if t >= LEAK {
            leaks.push(*name);
        }
    }
    let control = control(samples, &mut random);
    println!(
        "| control: a comparison that ends at the first difference | {samples} | {control:.1} |"
    );
    if control < LEAK {
        return Err("the control, which does leak, was not found out".into());
    }
    if leaks.is_empty() {
        Ok(())
    } else {
        Err(format!("a difference in time: {}", leaks.join("; ")))
    }
}

fn largest_t(
    ring: &Keyring,
    left: &[String],
    right: &[String],
    samples: usize,
    preimage: &Preimage,
    random: &mut Random,
) -> f64 {
    let request: RequestContext<'static> = ours::request();
    // One place in memory for all, so that only what is in it differs.
    let mut header = String::with_capacity(left[0].len());
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    debug_assert_eq!(left[0].len(), right[0].len());
    let _ = preimage;
    for _ in 0..2 * samples {
        let class = (random.next() >> 63) as usize;
        let text = (random.next() >> 32) as usize % TEXTS;
        header.clear();
        header.push_str(if class == 0 { &left[text] } else { &right[text] });
        let credential = ours::credential(&header);
        let begun = Instant::now();
        let refused = ring.verify(std::hint::black_box(&credential), &request).is_err();
        let took = begun.elapsed().as_nanos() as f64;
        assert!(refused, "a forged credential was accepted");
        times[class].push(took);
    }
    largest_over_percentiles(&times)
}

/// What the test must find: comparing 32 bytes one after the other.
fn control(samples: usize, random: &mut Random) -> f64 {
    let secret = std::hint::black_box([7u8; 32]);
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    for _ in 0..2 * samples {
        let class = (random.next() >> 63) as usize;
        let mut guess = secret;
        guess[if class == 0 { 0 } else { 31 }] ^= random.nonzero();
        let guess = std::hint::black_box(guess);
        let begun = Instant::now();
        let equal = secret.iter().zip(&guess).all(|(a, b)| std::hint::black_box(a) == b);
        let took = begun.elapsed().as_nanos() as f64;
        assert!(!std::hint::black_box(equal));
        times[class].push(took);
    }
    largest_over_percentiles(&times)
}

fn largest_over_percentiles(times: &[Vec<f64>; 2]) -> f64 {
    let mut sorted = times.concat();
    sorted.sort_by(f64::total_cmp);
    let at = |p: f64| sorted[((sorted.len() - 1) as f64 * p) as usize];
    let t = PERCENTILES.map(|p| welch(times, at(p)).abs());
    t.into_iter().fold(0.0, f64::max)
}

/// Welch's t of the times up to `bound`.
fn welch(times: &[Vec<f64>; 2], bound: f64) -> f64 {
    let [a, b] = times.each_ref().map(|times| {
        let kept = || times.iter().copied().filter(|time| *time <= bound);
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let variance = kept().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    let spread = (a.1 + b.1).sqrt();
    if spread > 0.0 { (a.0 - b.0) / spread } else { 0.0 }
}

/// xorshift64*: an order of classes that nothing else follows.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn nonzero(&mut self) -> u8 {
        (self.next() >> 40) as u8 | 1
    }
}
