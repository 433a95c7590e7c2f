"""Lists what the package exports, and the members of each name, as JSON: what scripts/parity holds against the core. A class has its public
attributes, fields and nested classes, a literal type its values, a namespace what is in it."""

import dataclasses
import json
import types
import typing
from typing import Dict, List

import plannt

SPECIAL = {"__bytes__", "__len__", "__str__", "__eq__"}


def members(value: object) -> List[str]:
    if typing.get_origin(value) is typing.Literal:
        return list(typing.get_args(value))
    if not isinstance(value, (type, types.ModuleType)):
        return []
    names = {name for name in dir(value) if not name.startswith("_") or name in SPECIAL}
    if dataclasses.is_dataclass(value):
        names |= {field.name for field in dataclasses.fields(value)}
    names |= {name for kind in getattr(value, "__mro__", ()) for name in getattr(kind, "__annotations__", {})}
    for name in list(names):
        # The fields of a class within a class, as `Step.Pay`.
        inner = getattr(value, name, None)
        if isinstance(inner, type) and dataclasses.is_dataclass(inner):
            names |= {field.name for field in dataclasses.fields(inner)}
    return sorted(names)


api: Dict[str, List[str]] = {name: members(getattr(plannt, name)) for name in plannt.__all__}
print(json.dumps(api, indent=1))
