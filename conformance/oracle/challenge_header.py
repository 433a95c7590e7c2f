"""`challenge_header`: a 402's challenge, read from its headers or its body, and written."""

import json

import challenges
import common
from common import Suite

TOKEN = "AgEEbDQwMgJCAAA+/w=="
URL_SAFE = "AgEEbDQwMgJCAAA-_w"
INVOICE = "lnbcrt210n1p5abcde"
BOTH = 'macaroon="%s", invoice="%s"' % (TOKEN, INVOICE)
GOOD = "L402 " + BOTH
READ, WRITE = "docs/PROTOCOL.md §5.2", "docs/PROTOCOL.md §3"

FLAGS = {
    "AnotherScheme": ("What is said under another scheme is not ours.", READ),
    "Body": ("Where no header has a complete challenge, the JSON body is read.", READ),
    "Bounds": ("A line and a body are read up to 64 KiB, a challenge up to 64 parameters.", READ),
    "DeployedServer": ("The form of a server in use.", READ),
    "FirstComplete": ("The first complete challenge counts, header before body.", READ),
    "Incomplete": ("A challenge without token or invoice is none; the response is handed back untouched.", READ),
    "NeverMixed": ("Parts of two challenges never make one.", READ),
    "Repeated": ("A repeated parameter is refused.", READ),
    "Spelling": ("Case, quotes, spaces, order and unknown parameters change nothing.", READ),
    "Syntax": ("The rest of a line after a syntax error is not read.", READ),
    "TokenMismatch": ("`token` that differs from `macaroon` is refused.", READ),
    "Unusable": ("A token or invoice that could not be sent in a header is none.", READ),
    "Written": ("The server's header has exactly this form: deployed clients rely on the order.", WRITE),
}

REPEATED, MISMATCH, NONE = "challenge_repeated_parameter", "challenge_token_mismatch", "no_challenge"


class Cases:
    """Adds cases, each with what it has to be: None for complete, else the code."""

    def __init__(self, group):
        self.group = group

    def add(self, comment, flag, lines, code=None, body=None, token=TOKEN):
        headers = [l if isinstance(l, tuple) else ("WWW-Authenticate", l) for l in lines]
        input = {"op": "read", "headers": [list(h) for h in headers]}
        if body is not None:
            input["body"] = body
        try:
            output = challenges.read(headers, None if body is None else body.encode())
        except challenges.Refused as refused:
            assert refused.code == code, (comment, refused.code)
            self.group.invalid(comment, input, code, [flag])
        else:
            assert code is None and output["token"] == token, (comment, output)
            self.group.valid(comment, input, output, [flag])


def build():
    suite = Suite("challenge_header")
    for name, (description, rule) in FLAGS.items():
        suite.flag(name, description, rule)
    deployed(Cases(suite.group("deployed servers", "What servers in use send.", 1)))
    spellings(Cases(suite.group("spellings", "One challenge, written in many ways.", 101)))
    choice(Cases(suite.group("which one", "Several challenges, and parts of some.", 201)))
    incomplete(Cases(suite.group("incomplete", "Nothing to pay for: no challenge.", 301)))
    contradictory(Cases(suite.group("contradictory", "A challenge that says two things is refused.", 401)))
    syntax(Cases(suite.group("syntax", "Lines that are no list of challenges, wholly or from some byte on.", 501)))
    bodies(Cases(suite.group("bodies", "JSON bodies: a challenge's, and anyone's.", 601)))
    written(suite.group("written", "Token and invoice give this value, to the byte.", 701))
    return suite


def deployed(cases):
    add = lambda comment, lines, code=None, **more: cases.add(comment, "DeployedServer", lines, code, **more)
    add("aperture: LSAT, and L402 on a second line", ["LSAT " + BOTH, GOOD], body="payment required")
    add("ngx_l402: an HTML body", [GOOD], body="<html></html>")
    add("l402-middleware: no quotes", ["L402 macaroon=%s, invoice=%s" % (TOKEN, INVOICE)])
    add("paygate: token and macaroon", ['L402 version="0", token="%s", %s' % (TOKEN, BOTH)])
    add("the specification: token alone", ['L402 version="0", token="%s", invoice="%s"' % (TOKEN, INVOICE)])
    add("toll-booth: another scheme after it", [GOOD + ', Payment id="x, y", method="lightning", intent="charge"'])
    add("toll-booth: another scheme before it", ['Payment id="x", request="L402 macaroon=\\"a\\", invoice=\\"b\\"", ' + GOOD])
    add("boltwall: url-safe without padding", ['LSAT macaroon="%s", invoice="%s"' % (URL_SAFE, INVOICE)], token=URL_SAFE)
    add("l402-kit: body alone, and a token that is no macaroon", [], body=json.dumps({"error": "Payment Required", "priceSats": 10, "invoice": INVOICE, "macaroon": "eyJoYXNoIjoiYWIifQ=="}), token="eyJoYXNoIjoiYWIifQ==")
    add("ours, with the whole body", [written_value(TOKEN, INVOICE)], body=json.dumps({"error": "Payment Required", "invoice": INVOICE, "format": "L402 %s:<preimage>" % TOKEN, "macaroon": TOKEN, "code": "payment_required"}))
    add("toll-booth: the price alone, as an answer to HEAD", ["L402 price-only"], NONE)
    add("a server whose node gave no invoice", ['L402 macaroon="%s", invoice=""' % TOKEN], NONE)
    add("a server of another protocol on 402", ['Payment id="1", method="tempo", intent="charge"'], NONE, body='{"x402Version":1,"accepts":[]}')


def spellings(cases):
    add = lambda comment, line, token=TOKEN: cases.add(comment, "Spelling", [line], token=token)
    add("the scheme in lower case", "l402 " + BOTH)
    add("the older scheme in mixed case", "lsAt " + BOTH)
    add("names in upper case", 'L402 MACAROON="%s", Invoice="%s"' % (TOKEN, INVOICE))
    add("invoice first", 'L402 invoice="%s", macaroon="%s"' % (INVOICE, TOKEN))
    add("spaces around =", 'L402 macaroon = "%s",invoice\t=\t"%s"' % (TOKEN, INVOICE))
    add("no space after commas", 'L402 macaroon="%s",invoice="%s"' % (TOKEN, INVOICE))
    add("empty elements of the list", 'L402 macaroon="%s", , ,\tinvoice="%s" ,,' % (TOKEN, INVOICE))
    add("several spaces after the scheme", "  L402   " + BOTH + "  ")
    add("a comma after the scheme", "L402 , " + BOTH)
    add("unknown parameters, some quoted", 'L402 realm="a, b=\\"c\\"", charset=UTF-8, ' + BOTH)
    add("escapes in a quoted value", 'L402 macaroon="%s", invoice="%s"' % ("".join("\\" + c for c in TOKEN), INVOICE))
    add("one value quoted, the other not", 'L402 macaroon=%s, invoice="%s"' % (TOKEN, INVOICE))
    add("an unquoted url-safe token", "L402 macaroon=%s, invoice=%s" % (URL_SAFE, INVOICE), URL_SAFE)
    add("a token of visible bytes that are no base64: it is opaque", 'L402 token="x.y;z", invoice="%s"' % INVOICE, "x.y;z")
    add("a version that is not known", 'L402 version="9", ' + BOTH)
    cases.add("the header's name in lower case", "Spelling", [("www-authenticate", GOOD)])


def choice(cases):
    add = lambda comment, lines, code=None, **more: cases.add(comment, "FirstComplete", lines, code, **more)
    other = GOOD.replace(TOKEN, "AgEE")
    add("two lines: the first", [GOOD, other])
    add("two challenges in one line: the first", [GOOD + ", " + other])
    add("the first has no invoice: the second", ['L402 macaroon="AgEE"', GOOD])
    add("the first has an empty token: the second", ['L402 token="", invoice="%s"' % INVOICE, GOOD])
    add("other schemes before, on their own lines", ["Negotiate", 'Basic realm="x"', "NTLM TlRM==", GOOD])
    add("other schemes before, in the same line", ['Negotiate, Basic realm="x", NTLM TlRM==, ' + GOOD])
    add("a header before a body", [GOOD], body=json.dumps({"invoice": INVOICE, "macaroon": "AgEE"}))
    add("a body where the header is incomplete", ['L402 macaroon="AgEE"'], body=json.dumps({"invoice": INVOICE, "macaroon": TOKEN}))
    add("a repetition in a later challenge is not looked at", [GOOD, GOOD + ", token=AgEE"])
    mixed = lambda comment, lines, **more: cases.add(comment, "NeverMixed", lines, NONE, **more)
    token, invoice = 'L402 macaroon="%s"' % TOKEN, 'L402 invoice="%s"' % INVOICE
    mixed("token on one line, invoice on another", [token, invoice])
    mixed("token and invoice in two challenges of a line", [token + ", " + invoice])
    mixed("token in L402, invoice in LSAT", [token, 'LSAT invoice="%s"' % INVOICE])
    mixed("token in a header, invoice in the body", [token], body=json.dumps({"invoice": INVOICE}))
    mixed("invoice in a header, token in the body", [invoice], body=json.dumps({"macaroon": TOKEN}))
    mixed("the invoice under another scheme", [token + ', Basic invoice="%s"' % INVOICE])
    cases.add("a repetition under another scheme is not ours", "AnotherScheme", ["X a=1, a=2, " + GOOD])
    cases.add("another header has the challenge", "AnotherScheme", [("Proxy-Authenticate", GOOD), ("X-WWW-Authenticate", GOOD)], NONE)
    cases.add("a scheme that begins like ours", "AnotherScheme", ["L4022 " + BOTH], NONE)
    cases.add("a challenge inside another's text", "AnotherScheme", ['Basic realm="L402 macaroon=a, invoice=b"'], NONE)
    cases.add("our parameters under Bearer", "AnotherScheme", ["Bearer " + BOTH], NONE)


def incomplete(cases):
    add = lambda comment, lines, **more: cases.add(comment, "Incomplete", lines, NONE, **more)
    add("no header and no body", [])
    add("an empty header", [""])
    add("commas and spaces", [" , ,\t,"])
    add("the scheme alone", ["L402"])
    add("a token68 in place of parameters", ["L402 " + TOKEN])
    add("no invoice", ['L402 macaroon="%s"' % TOKEN])
    add("no token", ['L402 invoice="%s"' % INVOICE])
    add("names that only begin like ours", ['L402 macaroons="%s", invoices="%s"' % (TOKEN, INVOICE)])
    add("an incomplete challenge that repeats a parameter is none, not refused", ['L402 macaroon="a", macaroon="b"'])
    unusable = lambda comment, token, invoice=INVOICE: cases.add(comment, "Unusable", ['L402 macaroon="%s", invoice="%s"' % (token, invoice)], NONE)
    unusable("an empty token", "")
    unusable("a token with a space", "Ag EE")
    unusable("a token with an escaped tab", "Ag\\\tEE")
    unusable("a token with a byte beyond ASCII", "caf\u00e9")
    unusable("an invoice with a space", TOKEN, "lnbcrt 1")
    unusable("an invoice of a space", TOKEN, " ")


def contradictory(cases):
    repeated = lambda comment, line, **more: cases.add(comment, "Repeated", [line], REPEATED, **more)
    mismatch = lambda comment, line, **more: cases.add(comment, "TokenMismatch", [line], MISMATCH, **more)
    repeated("two invoices", GOOD + ', invoice="lnbcrt1other"')
    repeated("the same invoice twice", GOOD + ', invoice="%s"' % INVOICE)
    repeated("the second invoice's name in upper case", GOOD + ', INVOICE="x"')
    repeated("an empty second invoice", GOOD + ', invoice=""')
    repeated("two macaroons", GOOD + ", macaroon=AgEE")
    repeated("an unknown parameter twice", GOOD + ", a=1, A=1")
    repeated("a repetition before the parts", "L402 version=0, version=1, " + BOTH)
    mismatch("token after macaroon, another", GOOD + ", token=AgEE")
    mismatch("token before macaroon, another", "L402 token=AgEE, " + BOTH)
    mismatch("an empty token beside a macaroon", GOOD + ', token=""')
    mismatch("a token that cannot be sent beside a macaroon", GOOD + ', Token="a b"')
    mismatch("token and macaroon differ in padding", 'L402 macaroon="%s", token="%s", invoice="%s"' % (TOKEN, TOKEN.rstrip("="), INVOICE))
    cases.add("a refused challenge is not made good by the next", "Repeated", [GOOD + ", a=1, a=2", GOOD], REPEATED)
    cases.add("nor by the body", "TokenMismatch", [GOOD + ", token=x"], MISMATCH, body=json.dumps({"invoice": INVOICE, "macaroon": TOKEN}))


def syntax(cases):
    add = lambda comment, lines, code=None: cases.add(comment, "Syntax", lines, code)
    add("a good challenge before the error", [GOOD + ', Basic realm="'])
    add("an error on the line before", ['Basic realm="', GOOD])
    add("an error in a challenge of ours, then a good line", ['L402 macaroon="a", invoice="b', GOOD])
    add("an error before a good challenge of the same line", ["Basic realm=a b, " + GOOD], NONE)
    add("a quote that is not closed", ['L402 macaroon="%s", invoice="%s' % (TOKEN, INVOICE)], NONE)
    add("a backslash at the end", ['L402 macaroon="%s", invoice="%s\\' % (TOKEN, INVOICE)], NONE)
    add("text after a quoted value", ['L402 macaroon="%s"x, invoice="%s"' % (TOKEN, INVOICE)], NONE)
    add("no comma between parameters", ['L402 macaroon="%s" invoice="%s"' % (TOKEN, INVOICE)], NONE)
    add("semicolons for commas", ['L402 macaroon="%s"; invoice="%s"' % (TOKEN, INVOICE)], NONE)
    add("a colon for =", ['L402 macaroon: "%s", invoice: "%s"' % (TOKEN, INVOICE)], NONE)
    add("single quotes and a space in them", ["L402 macaroon='a b', invoice='x'"], NONE)
    add("a control byte in a quoted value", ['L402 macaroon="a\u0001", invoice="%s"' % INVOICE], NONE)
    add("= in the middle of an unquoted value", ["L402 macaroon=a=b, invoice=%s" % INVOICE], NONE)
    add("a no-break space after the scheme", ["L402\u00a0" + BOTH], NONE)
    add("parentheses", ["L402(%s)" % BOTH], NONE)
    add("parameters without a scheme", [BOTH], NONE)
    add("the scheme in quotes", ['"L402" ' + BOTH], NONE)
    add("JSON in the header", ['L402 {"macaroon":"%s","invoice":"%s"}' % (TOKEN, INVOICE)], NONE)
    bounds = lambda comment, line, code=None: cases.add(comment, "Bounds", [line], code)
    bounds("64 parameters", "L402 %s%s" % (BOTH, "".join(", p%d=1" % i for i in range(62))))
    bounds("65 parameters", "L402 %s%s" % (BOTH, "".join(", p%d=1" % i for i in range(63))), NONE)
    bounds("a line of 65,537 bytes", GOOD + " " * (65_537 - len(GOOD)), NONE)


def bodies(cases):
    def add(comment, body, code=None, token=TOKEN, flag="Body"):
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        cases.add(comment, flag, [], code, body=text, token=token)

    good = {"invoice": INVOICE, "macaroon": TOKEN}
    text = json.dumps(good, separators=(",", ":"))
    template = "L402 %s:<preimage>" % TOKEN
    add("invoice and macaroon", good)
    add("invoice and format", {"invoice": INVOICE, "format": template})
    add("invoice and authorization_format, of the older scheme", {"invoice": INVOICE, "authorization_format": "LSAT %s:{preimage}" % TOKEN})
    add("all four, the same token", {**good, "format": template, "authorization_format": template})
    add("a template in words beside the macaroon", {**good, "format": "L402 {macaroon}:{preimage}"})
    add("a format with spaces around", {"invoice": INVOICE, "format": " lsat  %s:PREIMAGE " % TOKEN})
    add("names and values with escapes", '{"\\u0069nvoice":"%s","macaroon":"\\u0041gEE"}' % INVOICE, token="AgEE")
    add("other members of every type, deep inside too", {"a": [1, 2.5, None, True, {"invoice": "x"}], **good})
    add("spaces and newlines", "\r\n " + json.dumps(good, indent=2) + "\n")
    for comment, body in [
        ("an empty body", ""),
        ("null", "null"),
        ("a list", [good]),
        ("the challenge one level down", {"error": good}),
        ("text after the object", text + "x"),
        ("cut short", text[:-1]),
        ("a byte order mark", "\ufeff" + text),
        ("HTML", "<html>%s</html>" % text),
        ("the invoice is null", {"invoice": None, "macaroon": TOKEN}),
        ("the macaroon is a list", {"invoice": INVOICE, "macaroon": [TOKEN]}),
        ("the macaroon has a space", {"invoice": INVOICE, "macaroon": "Ag EE"}),
        ("a template in words alone", {"invoice": INVOICE, "format": "L402 <token>:<preimage>"}),
        ("a format without preimage", {"invoice": INVOICE, "format": "L402 %s:" % TOKEN}),
        ("a format without colon", {"invoice": INVOICE, "format": "L402 " + TOKEN}),
        ("a format of another scheme", {"invoice": INVOICE, "format": "Bearer %s:x" % TOKEN}),
        ("token is no member that counts", {"invoice": INVOICE, "token": TOKEN}),
        ("names in upper case", {"Invoice": INVOICE, "Macaroon": TOKEN}),
    ]:
        add(comment, body, NONE)
    add("a body of 65,537 bytes", text.rjust(65_537), NONE, flag="Bounds")
    add("the invoice twice", text[:-1] + ',"invoice":"x"}', REPEATED, flag="Repeated")
    add("the invoice twice, once a number", text[:-1] + ',"invoice":1}', REPEATED, flag="Repeated")
    add("the macaroon twice, once with an escape", text[:-1] + ',"m\\u0061caroon":"x"}', REPEATED, flag="Repeated")
    add("a format with another token", {**good, "format": "L402 AgEE:<preimage>"}, MISMATCH, flag="TokenMismatch")
    add("two formats with two tokens", {"invoice": INVOICE, "format": template, "authorization_format": "L402 AgEE:x"}, MISMATCH, flag="TokenMismatch")


def written_value(token, invoice):
    return 'L402 macaroon="%s", invoice="%s", version="0", token="%s"' % (token, invoice, token)


def written(group):
    for comment, token, invoice in [
        ("token and invoice", TOKEN, INVOICE),
        ("a token without padding", "AgEE", "lnbc10u1p3xyz"),
        ("a long token", "A" * 1368, INVOICE),
    ]:
        input = {"op": "write", "token": token, "invoice": invoice}
        group.valid(comment, input, {"value": written_value(token, invoice)}, ["Written"])


if __name__ == "__main__":
    common.main(build)
