"""Makes docs/pictures/run.svg from real runs of the bundled workspace, in a folder of its own.

    python tests/pictures/make.py

Each line is what a command printed, in its colours. The times are this machine's.
"""

from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251 - runs the real command
import sys
import tempfile
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PICTURE = REPOSITORY / "docs/pictures/run.svg"
EDITED = "examples/fechatter/notify_server/src/main.rs"
SHARED = "examples/fechatter/fechatter_core/src/lib.rs"
COMMANDS = (
    "doit-cargo run",
    "doit-cargo run",
    f"echo '// a comment' >> {EDITED} && doit-cargo run",
    f"echo 'const A: u8 = B;' >> {SHARED} && doit-cargo run",
)
# Colours by their codes (ECMA-48), on a dark ground.
COLOURS = {
    "30": "#6e7681", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff",
    "35": "#d2a8ff", "36": "#76e3ea", "91": "#ff7b72", "92": "#7ee787", "93": "#e3b341",
    "94": "#79c0ff", "95": "#d2a8ff", "96": "#76e3ea",
}  # fmt: skip
CODE = re.compile(r"\x1b\[([\d;]*)m")
WIDTH, LINE, LETTER, EDGE = 96, 19, 8.4, 18  # columns, and pixels


def main() -> int:
    """Run the commands, and draw what they print."""
    with tempfile.TemporaryDirectory() as folder:
        root = copy(Path(folder))
        lines = [line for command in COMMANDS for line in printed(root, command)]
    PICTURE.write_text(svg(lines))
    return 0


def copy(folder: Path) -> Path:
    """The bundled workspace as it is in git, without what was built."""
    root = folder / "fechatter"
    ignore = shutil.ignore_patterns("target", "__pycache__", "binaries", "context", "images")
    for name in ("examples", "config", "docker"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=ignore)
    return root


def printed(root: Path, command: str) -> Iterator[str]:
    """The command after a prompt, and what it prints, in colours."""
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    env = {"HOME": str(Path.home()), "FORCE_COLOR": "1", "PATH": f"{path}:{Path.home()}/.cargo/bin"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=root, env=env, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    yield f"\x1b[90m$\x1b[0m \x1b[1m{command}\x1b[0m"
    yield from done.stdout.rstrip().splitlines()
    yield ""


def svg(lines: Iterable[str]) -> str:
    """The lines as a picture."""
    rows = [row for line in lines for row in folded(line)]
    width, height = int(WIDTH * LETTER + 2 * EDGE), len(rows) * LINE + 2 * EDGE
    texts = "\n".join(
        f'<text x="{EDGE}" y="{EDGE + LINE * (at + 0.75):.0f}" xml:space="preserve">{row}</text>'
        for at, row in enumerate(map(coloured, rows))
        if row
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="What doit-cargo prints">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>\n'
        '<g font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"'
        f' font-size="14" fill="#c9d1d9">\n{texts}\n</g>\n</svg>\n'
    )


def folded(line: str) -> Iterator[str]:
    """A line without colours may be cut at the picture's width; others are short."""
    if CODE.search(line) and len(CODE.sub("", line)) <= WIDTH:
        yield line
        return
    text = CODE.sub("", line)
    yield text[:WIDTH]
    for start in range(WIDTH, len(text), WIDTH - 2):
        yield f"  {text[start : start + WIDTH - 2]}"


def coloured(line: str) -> str:
    """The line as spans, each of one colour and weight."""
    spans, fill, bold, at = [], "", False, 0
    for found in [*CODE.finditer(line), None]:
        text = escape(line[at : found.start() if found else len(line)])
        style = f' fill="{fill}"' * bool(fill) + ' font-weight="bold"' * bold
        spans.append(f"<tspan{style}>{text}</tspan>" if style and text else text)
        if found:
            at = found.end()
            for code in found[1].split(";"):
                fill = "" if code in ("", "0") else COLOURS.get(code, fill)
                bold = code == "1" or (bold and code not in ("", "0"))
    return "".join(spans)


if __name__ == "__main__":
    sys.exit(main())
