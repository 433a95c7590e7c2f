//! The one spelling of a path that routing, price and caveat share (docs/PROTOCOL.md §2).

use alloc::borrow::Cow;
use alloc::string::String;

/// What a route takes in a path besides the plain form; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PathRules {
    /// `\` and `%5C`; the first is written as the second.
    pub backslash: bool,
    /// `%00` to `%1F` and `%7F`. Raw control bytes are never taken: a target can't hold them.
    pub control: bool,
    /// Empty inner segments: `//`.
    pub empty_segments: bool,
    /// `%2F`.
    pub encoded_slash: bool,
    /// `;`.
    pub semicolon: bool,
}

/// Why a path can't be taken. Its message is the `detail` of the `bad_path` answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// `\` or `%5C`.
    #[error("the path has a backslash")]
    Backslash,
    /// A control byte, raw or escaped.
    #[error("the path has a control byte")]
    Control,
    /// A segment that is `.` or `..` once its escapes are decoded.
    #[error("the path has a dot segment")]
    DotSegment,
    /// An empty segment that is not the last.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `%2F`.
    #[error("the path has an encoded slash")]
    EncodedSlash,
    /// A byte that a path can't hold unescaped (RFC 3986 §3.3).
    #[error("the path has a byte that must be percent-encoded")]
    IllegalByte,
    /// `%` without two hex digits.
    #[error("the path has a malformed escape")]
    MalformedEscape,
    /// The path does not begin with `/`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// `;`.
    #[error("the path has a semicolon")]
    Semicolon,
}

impl PathError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "bad_path"
    }
}

/// Writes a target's path (without its query) in the one form that counts: escapes of unreserved
/// characters decoded, other escapes in upper-case hex, a literal `*` as `%2A`. Case and a trailing
/// slash count. Nothing is allocated for a path that is in that form already.
///
/// A byte that RFC 3986 does not have in a path is refused and not escaped: servers disagree on
/// what a raw space, quote, `<`, `[`, `{`, `^`, `|` or non-ASCII byte means. Dot segments are
/// refused under all rules, for with them a prefix would reach outside itself; where `%2F`, `%5C`
/// or `;` are taken, they bound a segment for that purpose.
///
/// ```
/// use plannt_core::{PathRules, normalize_path};
///
/// let rules = PathRules::default();
/// assert_eq!(normalize_path("/v1/%64emo/%c3%a9*", &rules)?, "/v1/demo/%C3%A9%2A");
/// assert!(normalize_path("/v1/%2e%2E/admin", &rules).is_err());
/// assert!(normalize_path("/v1//demo", &rules).is_err());
/// # Ok::<(), plannt_core::PathError>(())
/// ```
///
/// # Errors
/// [`PathError`] for what `rules` do not let through.
pub fn normalize_path<'a>(path: &'a str, rules: &PathRules) -> Result<Cow<'a, str>, PathError> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    let mut rewritten: Option<String> = None;
    let mut segment = Segment::default();
    let mut at = 1;
    while at < bytes.len() {
        let unit = Unit::read(&bytes[at..])?;
        unit.check(rules)?;
        segment.push(unit, rules)?;
        // What passed the check is ASCII, so that this is a boundary of characters.
        let source = &path[at..at + unit.len()];
        if rewritten.is_none() && !unit.is_written(source) {
            let mut text = String::with_capacity(path.len() + 8);
            text.push_str(&path[..at]);
            rewritten = Some(text);
        }
        if let Some(text) = &mut rewritten {
            unit.write(text);
        }
        at += source.len();
    }
    segment.end_part()?;
    Ok(rewritten.map_or(Cow::Borrowed(path), Cow::Owned))
}

/// One byte of the path, and whether it was escaped.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    escaped: bool,
}

impl Unit {
    fn read(bytes: &[u8]) -> Result<Self, PathError> {
        let digit = |at: usize| {
            let digit = bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
            digit.and_then(|d| u8::try_from(d).ok()).ok_or(PathError::MalformedEscape)
        };
        match bytes[0] {
            b'%' => Ok(Self { byte: digit(1)? << 4 | digit(2)?, escaped: true }),
            byte => Ok(Self { byte, escaped: false }),
        }
    }

    /// Bytes of the source.
    fn len(self) -> usize {
        if self.escaped { 3 } else { 1 }
    }

    fn check(self, rules: &PathRules) -> Result<(), PathError> {
        let unless = |allowed: bool, error| if allowed { Ok(()) } else { Err(error) };
        match (self.byte, self.escaped) {
            (b'\\', _) => unless(rules.backslash, PathError::Backslash),
            (0..=0x1f | 0x7f, escaped) => unless(escaped && rules.control, PathError::Control),
            (b'/', true) => unless(rules.encoded_slash, PathError::EncodedSlash),
            (b';', false) => unless(rules.semicolon, PathError::Semicolon),
            (_, true) => Ok(()),
            // The slash, and RFC 3986's `pchar` without escapes.
            (b, false) => {
                unless(is_unreserved(b) || b"!$&'()*+,=:@/".contains(&b), PathError::IllegalByte)
            }
        }
    }

    /// Whether the normal form has the byte as it is.
    fn is_literal(self) -> bool {
        if self.escaped { is_unreserved(self.byte) } else { !matches!(self.byte, b'*' | b'\\') }
    }

    /// Whether `source`, its text in the path, is its normal form already.
    fn is_written(self, source: &str) -> bool {
        if self.escaped {
            !self.is_literal() && !source.bytes().any(|b| b.is_ascii_lowercase())
        } else {
            self.is_literal()
        }
    }

    fn write(self, text: &mut String) {
        if self.is_literal() {
            text.push(char::from(self.byte));
            return;
        }
        text.push('%');
        for digit in [self.byte >> 4, self.byte & 15] {
            text.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
        }
    }
}

/// What is known of the segment that is being read.
#[derive(Default)]
struct Segment {
    /// It has a byte.
    started: bool,
    /// Its current part has a byte other than a dot, or is one that can't be a dot segment.
    named: bool,
    /// Dots of its current part.
    dots: usize,
}

impl Segment {
    fn push(&mut self, unit: Unit, rules: &PathRules) -> Result<(), PathError> {
        match (unit.byte, unit.escaped) {
            (b'/', false) => {
                self.end_part()?;
                // A slash right after a slash: the segment between them is inner and empty.
                if !self.started && !rules.empty_segments {
                    return Err(PathError::EmptySegment);
                }
                *self = Self::default();
            }
            // Where they are let through, some servers take them for a slash.
            (b'/' | b'\\', _) => {
                self.end_part()?;
                *self = Self { started: true, ..Self::default() };
            }
            // Some servers cut a segment here before they look for dots.
            (b';', false) => {
                self.end_part()?;
                *self = Self { started: true, named: true, dots: 0 };
            }
            (b'.', _) => *self = Self { started: true, dots: self.dots + 1, ..*self },
            _ => *self = Self { started: true, named: true, ..*self },
        }
        Ok(())
    }

    fn end_part(&self) -> Result<(), PathError> {
        if !self.named && matches!(self.dots, 1 | 2) { Err(PathError::DotSegment) } else { Ok(()) }
    }
}

/// RFC 3986's unreserved characters.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: PathRules = PathRules {
        backslash: false,
        control: false,
        empty_segments: false,
        encoded_slash: false,
        semicolon: false,
    };
    const ALL: PathRules = PathRules {
        backslash: true,
        control: true,
        empty_segments: true,
        encoded_slash: true,
        semicolon: true,
    };

    #[test]
    fn one_spelling_for_each_path() {
        for (path, normal) in [
            ("/", "/"),
            ("/v1/demo", "/v1/demo"),
            ("/v1/demo/", "/v1/demo/"),
            ("/V1/Demo", "/V1/Demo"),
            ("/%76%31/d%65mo", "/v1/demo"),
            ("/%7Ea%2Db%5fc%2E.x", "/~a-b_c..x"),
            ("/a*b", "/a%2Ab"),
            ("/a%2ab%2A", "/a%2Ab%2A"),
            ("/%c3%A9%20%25", "/%C3%A9%20%25"),
            ("/%252e%252e/%252F", "/%252e%252e/%252F"),
            ("/%ff%80", "/%FF%80"),
            ("/...", "/..."),
            ("/.well-known/l402", "/.well-known/l402"),
            ("/a:b@c!$&'()+,=", "/a:b@c!$&'()+,="),
            ("/%3b%3B%3f%23", "/%3B%3B%3F%23"),
        ] {
            assert_eq!(normalize_path(path, &NONE).as_deref(), Ok(normal), "{path}");
        }
    }

    #[test]
    fn a_path_that_means_two_things_is_refused() {
        use PathError::*;
        for (path, error) in [
            ("", NotAbsolute),
            ("*", NotAbsolute),
            ("v1", NotAbsolute),
            ("http://h/", NotAbsolute),
            ("/.", DotSegment),
            ("/..", DotSegment),
            ("/a/./b", DotSegment),
            ("/a/%2e%2E/b", DotSegment),
            ("/a/.%2e", DotSegment),
            ("/a/%2e/", DotSegment),
            ("//", EmptySegment),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a;b", Semicolon),
            ("/a\\b", Backslash),
            ("/a%5Cb", Backslash),
            ("/a%5cb", Backslash),
            ("/a%2fb", EncodedSlash),
            ("/a%2Fb", EncodedSlash),
            ("/a%00", Control),
            ("/a%1f", Control),
            ("/a%7F", Control),
            ("/a\n", Control),
            ("/a\u{7f}", Control),
            ("/%", MalformedEscape),
            ("/%2", MalformedEscape),
            ("/%zz", MalformedEscape),
            ("/%+1", MalformedEscape),
            ("/%2\u{e9}", MalformedEscape),
            ("/\u{e9}", IllegalByte),
            ("/a b", IllegalByte),
            ("/a?b", IllegalByte),
            ("/a#b", IllegalByte),
        ] {
            assert_eq!(normalize_path(path, &NONE), Err(error), "{path:?}");
        }
        for raw in "\"<>[]^`{|}".chars() {
            assert_eq!(normalize_path(&alloc::format!("/{raw}"), &ALL), Err(IllegalByte), "{raw}");
        }
    }

    #[test]
    fn a_route_may_allow_some_of_it() {
        for (path, normal) in [
            ("/a\\b%5c", "/a%5Cb%5C"),
            ("/%00%1f%7f", "/%00%1F%7F"),
            ("//a//", "//a//"),
            ("/a%2fb", "/a%2Fb"),
            ("/a;v=.", "/a;v=."),
            ("/a;..", "/a;.."),
        ] {
            assert_eq!(normalize_path(path, &ALL).as_deref(), Ok(normal), "{path}");
        }
        for path in ["/..;x/", "/a%2F../b", "/..%2fb", "/a%5C..", "/a\\..\\b", "//..", "/.%2F"] {
            assert_eq!(normalize_path(path, &ALL), Err(PathError::DotSegment), "{path}");
        }
        assert_eq!(normalize_path("/a\n", &ALL), Err(PathError::Control));
    }

    #[test]
    fn a_normal_path_is_borrowed() {
        assert!(matches!(normalize_path("/v1/d%20/", &NONE), Ok(Cow::Borrowed(_))));
        assert!(matches!(normalize_path("/v1/%64", &NONE), Ok(Cow::Owned(_))));
    }

    fn any_rules() -> impl Strategy<Value = PathRules> {
        any::<[bool; 5]>().prop_map(
            |[backslash, control, empty_segments, encoded_slash, semicolon]| PathRules {
                backslash,
                control,
                empty_segments,
                encoded_slash,
                semicolon,
            },
        )
    }

    proptest! {
        #[test]
        fn normal_paths_stay_as_they_are(
            path in r"/?([a-zA-Z0-9./;*%~\\]|%2[eEfFaA]|%[0-9a-fA-F]{2}|\PC){0,24}",
            rules in any_rules(),
        ) {
            if let Ok(normal) = normalize_path(&path, &rules) {
                let again = normalize_path(&normal, &rules);
                prop_assert!(matches!(&again, Ok(Cow::Borrowed(same)) if *same == normal));
                prop_assert!(normal.is_ascii() && !normal.contains('*'));
                prop_assert!(!normal.split('/').any(|s| s == "." || s == ".."));
            }
        }

        #[test]
        fn any_escaping_of_a_path_is_the_same_path(
            path in "(/[a-zA-Z0-9_~-]{1,6}){1,4}/?",
            escaped in proptest::collection::vec(0u8..4, 32),
        ) {
            let mut spelled = String::new();
            for (i, (c, how)) in path.bytes().zip(escaped.iter().cycle()).enumerate() {
                match how {
                    0 if c != b'/' && i > 0 => spelled += &alloc::format!("%{c:02x}"),
                    1 if c != b'/' && i > 0 => spelled += &alloc::format!("%{c:02X}"),
                    _ => spelled.push(char::from(c)),
                }
            }
            let normal = normalize_path(&spelled, &NONE);
            prop_assert_eq!(normal.as_deref(), Ok(&*path));
        }
    }
}
