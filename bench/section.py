"""Puts standard input between a page's marks `<!-- name -->` and `<!-- /name -->`."""

import pathlib
import sys

page, name = pathlib.Path(sys.argv[1]), sys.argv[2]
text = page.read_text()
begin, end = "<!-- %s -->\n" % name, "<!-- /%s -->" % name
before, found, rest = text.partition(begin)
_, closed, after = rest.partition(end)
if not (found and closed):
    sys.exit("%s has no marks for %s" % (page, name))
page.write_text(before + begin + sys.stdin.read() + end + after)
