"""Cases of `client_flow`: a request's origin as text, and hosts of a policy that are odd texts."""

from flow_script import *  # noqa: F403

FLAGS = ["Origin"]


def add(cases):
    read(cases)
    refused(cases)


def read(cases):
    cases.begin("origins", "Read in several spellings, written in one: the journal must know it again.", 901)

    def paid(comment, origin, written, **policy):
        events = [nothing(), challenge(1), nothing(), GRANTED, payment("paid", 1), STORED, OK, STORED]
        step = cases.ends(comment, "done", events, FLAGS, policy=policy, request={"origin": origin})
        assert step["outcome"]["receipt"]["origin"] == written, comment

    def plain(comment, origin, written):
        paid(comment, origin, written, plain_http_hosts=None)

    usual = "https://api.example"
    paid("the port that https has anyway", "https://api.example:443", usual)
    plain("the port that http has anyway", "http://api.example:80", "http://api.example")
    plain("the port of https, for http", "http://api.example:443", "http://api.example:443")
    paid("the port of http, for https", "https://api.example:80", "https://api.example:80")
    paid("another port", "https://api.example:8443", "https://api.example:8443")
    paid("the highest port", "https://api.example:65535", "https://api.example:65535")
    paid("a leading zero in the port", "https://api.example:0443", usual)
    paid("many leading zeros in the port", "https://api.example:000000008443", "https://api.example:8443")
    paid("an upper-case host", "https://API.Example", usual)
    paid("an upper-case scheme", "HTTPS://api.example", usual)
    plain("upper case, and the usual port", "HTTP://API.EXAMPLE:80", "http://api.example")
    paid("an IPv4 address", "https://203.0.113.7:443", "https://203.0.113.7")
    paid("an IPv6 address", "https://[2001:db8::1]", "https://[2001:db8::1]")
    paid("an IPv6 address in upper case, with a port", "https://[2001:DB8::A]:8443", "https://[2001:db8::a]:8443")
    paid("an IPv6 address with the usual port", "https://[2001:db8::1]:443", "https://[2001:db8::1]")
    paid("an IPv6 loopback address with the usual port", "http://[::1]:80", "http://[::1]")
    paid("this machine, in upper case", "http://LocalHost:8402", "http://localhost:8402")
    paid("an onion service, in upper case", "http://ABC.ONION:80", "http://abc.onion")

    allowed = [
        ("an upper-case host, allowed in lower case", "https://API.Example", ["api.example"]),
        ("a lower-case host, allowed in upper case", "https://api.example", ["API.Example"]),
        ("a host below an upper-case name", "https://api.example", ["*.EXAMPLE"]),
        ("an IPv6 address that is allowed", "https://[2001:db8::1]", ["[2001:db8::1]"]),
        ("any port of an IPv6 address that is allowed", "https://[2001:db8::1]:8443", ["[2001:db8::1]"]),
        ("an IPv6 address with the port that is allowed", "https://[2001:db8::1]:8443", ["[2001:db8::1]:8443"]),
    ]
    for comment, origin, hosts in allowed:
        paid(comment, origin, origin.lower(), allowed_hosts=hosts)

    quoted = cases.ends(
        "a price, asked for at an odd spelling",
        "quoted",
        [nothing(), challenge(1)],
        [*FLAGS, "DryRun"],
        dry_run=True,
        request={"origin": "HTTPS://API.Example:0443"},
    )
    assert quoted["quote"]["origin"] == usual


def refused(cases):
    cases.begin("origins refused", "A text that is no origin: there is no request to send.", 941)

    def unreadable(code, texts):
        for text, comment in texts:
            cases.refused(comment, code, [], FLAGS, request={"origin": text})

    # The first one was found by fuzzing: it was read, and what it was written as could not be read again.
    unreadable(
        "origin_host",
        [
            ("http://[::1$:80", "an address that does not end, and a port that is not written"),
            ("http://[::1:80", "read with port 80, and written as another host and port"),
            ("http://::1:80", "an IPv6 address without brackets, and a port"),
            ("http://::1]:80", "an address that does not begin"),
            ("http://[]:80", "no address in the brackets"),
            ("https://[a]", "a name in brackets"),
            ("https://[203.0.113.7]", "an IPv4 address in brackets"),
            ("https://[2001:db8::1]x", "something behind the brackets"),
            ("https://x[2001:db8::1]", "something before the brackets"),
            ("https://[2001:db8::1]]", "one bracket too many"),
            ("https://[2001:db8::1::2]", "an address that leaves out two parts"),
            ("https://[fe80::1%25eth0]", "an address with a zone"),
            ("https://api:8443:443", "two ports"),
            ("https://", "no host"),
            ("https://:443", "a port without a host"),
            ("https:///", "a path without a host"),
            ("https://user@api.example", "a user"),
            ("https://user:secret@api.example:443", "a user and a password"),
            ("https://@api.example", "no user, but its sign"),
            ("https://api.example@evil.example", "a user that looks like the host"),
            ("https://api.example/", "a slash at the end"),
            ("https://api.example/v1/demo", "a path"),
            ("https://evil.example/:443", "a path that looks like a port"),
            ("https://api.example?x=1", "a query"),
            ("https://api.example#x", "a fragment"),
            ("https://evil.example\\.api.example", "a backslash, which some read as a slash"),
            ("https://api.example ", "a space at the end"),
            ("https://api .example", "a space in the host"),
            ("https://api.example\n", "a line's end"),
            ("https://api.example\r\nevil.example", "another line"),
            ("https://api.example\u0000", "a zero byte"),
            ("https://api.example\u007f", "a control byte that is above the letters"),
        ],
    )
    unreadable(
        "origin_port",
        [
            ("https://api.example:", "a colon without a port"),
            ("https://api.example:65536", "one above the highest port"),
            ("https://api.example:65979", "a port that is 443 in 16 bits"),
            ("https://api.example:18446744073709552059", "a port that is 443 in 64 bits"),
            ("https://api.example:+443", "a sign"),
            ("https://api.example:-1", "a negative port"),
            ("https://api.example:0x1bb", "a port in hex"),
            ("https://api.example:443.0", "a port with a fraction"),
            ("https://api.example:44_3", "a port with a separator"),
            ("https://api.example: 443", "a space before the port"),
            ("https://api.example:443 ", "a space behind the port"),
            ("https://api.example:443/", "a slash behind the port"),
            ("https://api.example:https", "a port by its name"),
            ("https://api.example:\u0664\u0664\u0663", "digits of another script"),
            ("https://[2001:db8::1]:", "an address, and a colon without a port"),
        ],
    )
    unreadable(
        "origin_scheme",
        [
            ("", "nothing"),
            ("api.example", "a host alone"),
            ("//api.example", "no scheme, but its slashes"),
            ("://api.example", "an empty scheme"),
            ("https:api.example", "a scheme without slashes"),
            ("https:/api.example", "a scheme with one slash"),
            ("ftp://api.example", "another scheme"),
            ("wss://api.example", "a scheme of sockets"),
            ("httpss://api.example", "a longer scheme"),
            (" https://api.example", "a space before it"),
        ],
    )

    for origin, hosts, comment in [
        ("https://[2001:db8::2]", ["[2001:db8::1]"], "another IPv6 address is allowed"),
        ("https://[2001:db8::1]", ["[2001:db8::1]:8443"], "only another port of the IPv6 address is allowed"),
        ("https://API.Example:0443", ["api.example:8443"], "another port, by a spelling of the usual one"),
        ("https://API.Example.evil", ["api.example"], "a longer name, in upper case"),
    ]:
        not_allowed = {"allowed_hosts": hosts}
        events = [nothing(), challenge(1)]
        cases.refused(comment, "host_not_allowed", events, FLAGS, policy=not_allowed, request={"origin": origin})
    for origin, comment in [
        ("HTTP://api.example", "plain http, in upper case"),
        ("http://[2001:db8::1]:8402", "plain http to an IPv6 address elsewhere"),
    ]:
        cases.refused(comment, "plain_http", [nothing(), challenge(1)], FLAGS, request={"origin": origin})
