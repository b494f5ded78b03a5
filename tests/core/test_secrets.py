"""What looks like a secret, and what does not."""

from __future__ import annotations

import pytest

from doit_cargo.core.secrets import secret_file, secret_text, secret_variable


@pytest.mark.parametrize(
    "path",
    [
        ".env", "app/.env.production", "prod.env", "root/.ssh/known_hosts", "home/x/.aws/config",
        "id_rsa", "id_ed25519.pub", "tls/Server.PEM", "tls.key", "credentials", "credentials.json",
        "gcp-credentials.json", ".npmrc", ".git/config", "root/.docker/config.json", "etc/shadow",
    ],
)  # fmt: skip
def test_files_that_hold_secrets(path: str) -> None:
    assert secret_file(path)


@pytest.mark.parametrize(
    "path", ["usr/local/bin/bot", "etc/passwd", "env", "key", "usr/share/zoneinfo/Europe/Berlin"]
)
def test_files_that_hold_none(path: str) -> None:
    assert not secret_file(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "x"), ("SECRET_KEY_BASE", "x"), ("AWS_SECRET_ACCESS_KEY", "x"),
        ("GH_TOKEN", "x"), ("token", "x"), ("api-key", "x"), ("MYSQL_PWD", "x"),
        ("DATABASE_URL", "postgres://chat:hunter2@db/chat"), ("URL", "redis://:hunter2@cache:1"),
        ("KEY", "-----BEGIN EC PRIVATE KEY-----"), ("ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AUTH", "ghp_" + "a" * 36), ("JWT", "eyJhbGciOiJI.eyJzdWIiOiIx.sig"),
    ],
)  # fmt: skip
def test_variables_that_carry_secrets(name: str, value: str) -> None:
    assert secret_variable(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/bin"), ("PWD", "/"), ("TOKEN_TTL", "60"), ("DB_PASSWORD", ""),
        ("DB_PASSWORD_FILE", "/run/secrets/db"), ("MONKEY", "x"), ("KEYBOARD", "de"),
        ("URL", "http://fechatter_server:6688"), ("SINKS", "http://a:6690,http://b:6687"),
        ("ADDRESS", "user@example.com"), ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
    ],
)  # fmt: skip
def test_variables_that_carry_none(name: str, value: str) -> None:
    assert not secret_variable(name, value)


def test_texts() -> None:
    assert secret_text("RUN curl https://u:p@example.com/x")
    assert not secret_text("COPY binaries/bot /usr/local/bin/bot # buildkit")
