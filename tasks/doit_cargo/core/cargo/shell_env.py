"""Which of the shell's variables cargo gets, because they do not change what it builds."""

from __future__ import annotations

from collections.abc import Mapping

# What decides how cargo reaches the network or speaks, not what comes out. Secrets are among
# them: they are handed to what fetches, never to what compiles, and never written down.
PASSED = (
    "TMPDIR", "TERM", "COLORTERM", "NO_COLOR", "CI", "SSH_AUTH_SOCK", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "http_proxy", "https_proxy", "no_proxy",
    "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
AGENT = "SSH_AUTH_SOCK"
"""The way to ssh-agent: git fetches with it, and whoever has it signs as the user."""
PASSED_PREFIXES = (
    "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_HTTP_", "CARGO_NET_", "SCCACHE_",
)  # fmt: skip


def passed(env: Mapping[str, str]) -> dict[str, str]:
    """The variables of the shell that a cargo with a network is handed."""
    return {n: v for n, v in env.items() if n in PASSED or n.startswith(PASSED_PREFIXES)}


def secret_names(env: Mapping[str, str], *, wrapped: bool) -> frozenset[str]:
    """Those of them that are for fetching alone.

    A rustc wrapper reads the credentials of its own cache where it is called: those of sccache
    stay where there is one (`wrapped`).
    """
    from doit_cargo.core import secrets  # noqa: PLC0415 - a no-op starts no cargo

    names = (n for n, v in passed(env).items() if n == AGENT or secrets.secret_variable(n, v))
    return frozenset(n for n in names if not (wrapped and n.startswith("SCCACHE_")))
