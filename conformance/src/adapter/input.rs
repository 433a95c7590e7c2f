//! Reading a case's input. The schemas say what is there, so a member that is missing is a defect
//! of the vectors and ends the run.

use serde_json::Value;

/// A member that is bytes in hex.
pub(crate) fn bytes(input: &Value, member: &str) -> Vec<u8> {
    unhex(text(input, member))
}

/// A member that is exactly `N` bytes in hex.
pub(crate) fn array<const N: usize>(input: &Value, member: &str) -> [u8; N] {
    let bytes = bytes(input, member);
    let len = bytes.len();
    bytes.try_into().unwrap_or_else(|_| panic!("{member} has {len} bytes, not {N}"))
}

/// A member that is text.
pub(crate) fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    optional_text(input, member).unwrap_or_else(|| panic!("{member} is no text in {input}"))
}

/// A member that is text, or absent or null.
pub(crate) fn optional_text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    let value = input.get(member).filter(|v| !v.is_null());
    value.map(|v| v.as_str().unwrap_or_else(|| panic!("{member} is no text")))
}

/// A member that is a whole number.
pub(crate) fn number(input: &Value, member: &str) -> u64 {
    input[member].as_u64().unwrap_or_else(|| panic!("{member} is no number in {input}"))
}

/// A member that is a list; absent is an empty one.
pub(crate) fn list<'a>(input: &'a Value, member: &str) -> &'a [Value] {
    input.get(member).map_or(&[], |v| v.as_array().unwrap_or_else(|| panic!("{member} is no list")))
}

/// Bytes of hex.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or_else(|| panic!("no hex: {text}"));
    assert!(text.len().is_multiple_of(2), "odd hex: {text}");
    text.as_bytes().chunks(2).map(|p| (digit(p[0]) << 4 | digit(p[1])) as u8).collect()
}

/// Hex of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The values of a header's lines, in order. Each character stands for one byte of the wire.
pub(crate) fn header_values(input: &Value, name: &str) -> Vec<Vec<u8>> {
    let byte = |c: char| u8::try_from(u32::from(c)).expect("a character of one byte");
    list(input, "headers")
        .iter()
        .map(|line| (line[0].as_str().expect("a name"), line[1].as_str().expect("a value")))
        .filter(|(line, _)| line.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.chars().map(byte).collect())
        .collect()
}
