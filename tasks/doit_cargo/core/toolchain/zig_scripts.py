r"""The wrappers that make zig a cross compiler and linker which cc-rs, cmake and rustc accept.

What they change, and why:

- `-target x86_64-linux-musl` goes first; cc-rs's `--target=x86_64-unknown-linux-musl` is dropped:
  zig knows targets by other names ("unable to parse target query").
- `-static-pie` becomes `-static -pie`: zig ignores the former and links a non-PIE executable.
- For x86_64, whose musl targets are static-pie in rustc, every compilation is `-fPIC` and every
  link is `-static -pie`, as in Alpine's gcc: objects of build systems that don't say so fit too.
- `-fno-sanitize=undefined`: without -O zig instruments C code and calls a runtime that no other
  linker has.
- `-march=x86-64-v3`, `-march=armv8-a+crypto` and the flags of an architecture's row become zig's
  names; `-mtune`, `-m32`, `-m64`, `-fuse-ld` and linker options without effect on the result are
  dropped: zig fails on them or warns.
- `-mfloat-abi` is dropped: the target's name says it, and lld links objects that pass floats
  otherwise without a word.
- `-u SYMBOL` becomes `-uSYMBOL`, and `--undefined=SYMBOL`, `-uSYMBOL` for the linker `-u,SYMBOL`:
  zig takes the symbol for a file's name, or knows no such option. Coverage and PGO ask for it.
- What links an executable links `relro.o` too (relro.py), which lies beside the wrapper.
- The same inside rustc's `@response` files, which it writes when a command is too long.

Everything else is handed on. POSIX sh: a build starts them thousands of times.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from doit_cargo.core import architectures
from doit_cargo.core.toolchain.relro import OBJECT

# What zig refuses or warns about and what changes nothing in a static executable.
_DROPPED = (
    "-m32", "-m64", "-Wl,-melf_i386", "-mtune=*", "-mfloat-abi=*", "-fuse-ld=*", "-nostartfiles",
    "-Wl,-O[0-9]", "-Wl,--threads=*", "-Wl,--thread-count=*", "-Wl,--no-threads", "-Wl,--icf=*",
    "-Wl,-plugin-opt=*", "-Wl,--disable-auto-import", "--target=*", "-Wl,-Map=*", "-Wl,-Map,*",
    "-Wl,--cref", "-Wl,--dynamic-list=*", "-Wl,--dynamic-list,*", "-Wl,--allow-multiple-definition",
)  # fmt: skip

_HEAD = """\
#!/bin/sh
# {what}, made by doit setup. The reasons: zig_scripts.py of doit-cargo.
export ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}
"""

_TOOL = """\
exec {zig} {tool} "$@"
"""

_COMPILER = """\
words= number=0 link={link} relro= none= drop= symbol= before=
for word do
  number=$((number + 1)) last=$before before=$word
  if [ "$drop" ]; then drop=; continue; fi
  if [ "$symbol" ]; then symbol=; words="$words -u\\"\\${{$number}}\\""; continue; fi
  case $word in
    -u) if [ "$last" != -Xlinker ]; then symbol=1; continue; fi ;;
    --undefined) words="$words -u"; continue ;;
    --undefined=*) words="$words -u -Xlinker \\"\\${{$number#--undefined=}}\\""; continue ;;
    -Wl,-u[!,]*|-Wl,*,-u[!,]*|-Wl,--undefined[,=]*|-Wl,*,--undefined[,=]*|-Wl,--undefined)
      words="$words \\"\\$(printf %s \\"\\${{$number}}\\" | sed {undefined})\\""; continue ;;
    -target) drop=1; continue ;;
    -Wl,-Map[=,]*,*|-Wl,--dynamic-list[=,]*,*) ;; # with others in the same word: zig says so
    {dropped}) continue ;;
    -static-pie) words="$words -static -pie"; continue ;;
{flags}\
    -march=x86-64) words="$words -march=x86_64"; continue ;;
    -march=x86-64-v[234]) words="$words -march=x86_64_v${{word#-march=x86-64-v}}"; continue ;;
    -march=armv8-a*) words="$words -mcpu=generic+v8a\\"\\${{$number#-march=armv8-a}}\\""
      continue ;;
    -march=armv8.[0-9]-a*) arm=${{word#-march=armv8.}}
      words="$words -mcpu=generic+v8_${{arm%%-*}}a\\"\\${{$number#-march=armv8.?-a}}\\""
      continue ;;
    -o) relro=1 ;;
    @*) relro=1
      if [ -f "${{word#@}}" ]; then
        sed {sed} "${{word#@}}" > "${{word#@}}.zig" || exit
        words="$words \\"\\${{$number}}.zig\\""
        continue
      fi ;;
    -c|-S|-E|-M|-MM|-r|-shared|-fsyntax-only|--version|-dump*|-print-*|--help|'-###')
      link= none=1 ;;
    -no-pie) link= ;;
  esac
  words="$words \\"\\${{$number}}\\""
done
eval "set -- $words"
[ -z "$link" ] || set -- -static -pie "$@"
[ -z "$relro" ] || [ "$none" ] || set -- "${{0%/*}}/{object}" "$@" # before any -x LANGUAGE
exec {zig} {tool} -target {target} {options} "$@"
"""

# Of one word: GNU's forms of `-u`, as zig's linker knows it.
_UNDEFINED = ("s/,--undefined[,=]/,-u,/g", "s/,--undefined$/,-u/", "s/,-u\\([^,]\\)/,-u,\\1/g")

_SED = (
    *(f"/^{pattern}$/d" for pattern in (
        "-m32", "-m64", "-Wl,-melf_i386", "-fuse-ld=.*", "-nostartfiles", "-Wl,-O[0-9]",
        "-Wl,--threads=.*", "-Wl,--icf=.*", "-Wl,-plugin-opt=.*", "--target=.*",
        "-Wl,-Map[=,][^,]*", "-Wl,--cref",
        "-Wl,--dynamic-list[=,][^,]*", "-Wl,--allow-multiple-definition",
    )),
    "s/^-static-pie$/-static\\\n-pie/",
    *(f"/^-Wl,/{command}" for command in _UNDEFINED),
    "/^-Xlinker$/{N\nb\n}", "/^-u$/{N\ns/\\n//\n}",
)  # fmt: skip


def scripts(triple: str, zig: Path, cache: Path) -> Mapping[str, str]:
    """The wrappers of a target: file name and content. `cache` is zig's own cache folder."""
    tools = {"cc": "cc", "c++": "c++", "ar": "ar", "ranlib": "ranlib"}
    return {f"{triple}-{name}": _script(triple, tool, zig, cache) for name, tool in tools.items()}


def zig_target(triple: str) -> str:
    """The target as zig calls it: `x86_64-linux-musl`."""
    return f"{architectures.of(triple).zig}-linux-{triple.rpartition('-')[2]}"


def _script(triple: str, tool: str, zig: Path, cache: Path) -> str:
    head = _HEAD.format(what=f"zig {tool} for {triple}", cache=shlex.quote(str(cache)))
    program = shlex.quote(str(zig))
    if tool in ("ar", "ranlib"):
        return head + _TOOL.format(zig=program, tool=tool)
    row = architectures.of(triple)
    options = ["-fno-sanitize=undefined", *["-fPIC"] * row.static_pie]
    options += [f"-mcpu={row.mcpu}"] if row.mcpu else []
    return head + _COMPILER.format(
        zig=program,
        tool=tool,
        target=zig_target(triple),
        dropped="|".join(_DROPPED),
        flags="".join(_translation(pattern, words) for pattern, words in row.flags),
        sed=_sed(_SED),
        undefined=_sed(_UNDEFINED),
        link="1" if row.static_pie else "",
        object=OBJECT,
        options=" ".join(options),
    )


def _sed(commands: Iterable[str]) -> str:
    return " ".join(f"-e {shlex.quote(command)}" for command in commands)


def _translation(pattern: str, words: str) -> str:
    """A line of the script: for a flag of gcc's, zig's."""
    return f'    {pattern}) words="$words {words}"; continue ;;\n'
