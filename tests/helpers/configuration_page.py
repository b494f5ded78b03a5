"""The tables of docs/configuration.md, from the schemas of the configuration files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_HEAD = "| key | value | meaning |\n|---|---|---|\n"


def with_tables(page: str, schemas: Mapping[str, Schema]) -> str:
    """The page, with the table of each file between its marks."""
    for name, schema in schemas.items():
        table = _HEAD + "".join(_rows(schema, "", schema["properties"]))
        before, _, rest = page.partition(f"<!-- {name} -->\n")
        after = rest.partition(f"<!-- /{name} -->")[2]
        page = f"{before}<!-- {name} -->\n{table}<!-- /{name} -->{after}"
    return page


def _rows(schema: Schema, prefix: str, top: Schema) -> Iterator[str]:
    """A row a key; what is the same as at the top is told there."""
    for key, found in schema.get("properties", {}).items():
        name = f"{prefix}{key}"
        meaning = found.get("description", "").replace("|", "\\|").replace("<", "&lt;")
        if prefix and found == top.get(key):
            yield f"| `{name}` | as `{key}` | {meaning} |\n"
            continue
        yield f"| `{name}` | {_value(found)} | {meaning} |\n"
        yield from _rows(found, f"{name}.", top)
        more = found.get("additionalProperties")
        for part in (more, *(more.get("anyOf", ()) if isinstance(more, dict) else ())):
            if isinstance(part, dict):
                yield from _rows(part, f"{name}.NAME.", top)


def _value(schema: Schema) -> str:
    """What may stand there, and what stands there by default."""
    kind = _kind(schema).replace("|", "\\|")
    default = schema.get("default")
    if default in (None, [], {}):
        return kind
    return f"{kind}; default `{json.dumps(default) if isinstance(default, bool) else default}`"


def _kind(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_kind, schema["anyOf"])))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if schema.get("type") == "object":
        more = schema.get("additionalProperties")
        return f"NAME: {_kind(more)}" if isinstance(more, dict) else "table"
    return {"string": "text", "integer": "number", "boolean": "`true`, `false`"}.get(
        str(schema.get("type")), "any"
    )
