"""Reading first-party caveats (docs/PROTOCOL.md §2).

>>> split(b"demo_path = /a=b")
('demo_path', '/a=b')
>>> path_matches("/v1/*", "/v1/demo")
True
"""

from ._plannt import caveat_path_matches as path_matches
from ._plannt import caveat_split as split

__all__ = ["path_matches", "split"]
