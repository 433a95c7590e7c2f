"""Base64 as the protocol reads and writes it (docs/PROTOCOL.md §1).

>>> encode(b"\\x02")
'Ag=='
>>> decode("Ag") == decode("Ag==") == b"\\x02"
True
"""

from ._plannt import base64_decode as decode
from ._plannt import base64_decoded_len as decoded_len
from ._plannt import base64_encode as encode

__all__ = ["decode", "decoded_len", "encode"]
