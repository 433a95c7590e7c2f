//! JUnit XML, in the form that CI systems read. Shared by the vectors and the checks over the wire.

use std::fmt::Write;

/// A `<testsuite>`.
#[derive(Clone, Debug)]
pub struct JunitSuite {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<JunitCase>,
}

/// A `<testcase>`.
#[derive(Clone, Debug)]
pub struct JunitCase {
    /// What CI systems group by.
    pub class: String,
    /// The case's own name.
    pub name: String,
    /// What it came to.
    pub outcome: JunitOutcome,
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JunitOutcome {
    /// With the reason.
    Failed(String),
    /// As it must be.
    Passed,
    /// With the reason.
    Skipped(String),
}

/// The whole document.
pub fn junit_xml(name: &str, suites: &[JunitSuite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures, skipped) = count(suites.iter().flat_map(|suite| &suite.cases));
    let name = escaped(name);
    let _ = writeln!(
        xml,
        "<testsuites name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">"
    );
    for suite in suites {
        let (tests, failures, skipped) = count(&suite.cases);
        let name = escaped(&suite.name);
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">"
        );
        for case in &suite.cases {
            push_case(&mut xml, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn count<'a>(cases: impl IntoIterator<Item = &'a JunitCase>) -> (usize, usize, usize) {
    cases.into_iter().fold((0, 0, 0), |(tests, failures, skipped), case| match case.outcome {
        JunitOutcome::Passed => (tests + 1, failures, skipped),
        JunitOutcome::Failed(_) => (tests + 1, failures + 1, skipped),
        JunitOutcome::Skipped(_) => (tests + 1, failures, skipped + 1),
    })
}

fn push_case(xml: &mut String, case: &JunitCase) {
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\"",
        escaped(&case.class),
        escaped(&case.name)
    );
    let _ = match &case.outcome {
        JunitOutcome::Passed => writeln!(xml, "/>"),
        JunitOutcome::Failed(why) => {
            writeln!(xml, "><failure message=\"{}\"/></testcase>", escaped(why))
        }
        JunitOutcome::Skipped(why) => {
            writeln!(xml, "><skipped message=\"{}\"/></testcase>", escaped(why))
        }
    };
}

/// Text for an attribute. What XML 1.0 cannot carry at all is written as `?`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_ci_reads() {
        let case =
            |name: &str, outcome| JunitCase { class: "s".into(), name: name.into(), outcome };
        let suite = JunitSuite {
            name: "a & b".into(),
            cases: vec![
                case("one", JunitOutcome::Passed),
                case("<two>", JunitOutcome::Failed("\"x\"\n\0".into())),
                case("three", JunitOutcome::Skipped("later".into())),
            ],
        };
        let xml = junit_xml("all", &[suite]);
        assert!(xml.contains("<testsuites name=\"all\" tests=\"3\" failures=\"1\" skipped=\"1\">"));
        assert!(xml.contains("<testsuite name=\"a &amp; b\""));
        assert!(xml.contains("name=\"&lt;two&gt;\"><failure message=\"&quot;x&quot;&#10;?\"/>"));
        assert!(xml.contains("<skipped message=\"later\"/>"));
    }
}
