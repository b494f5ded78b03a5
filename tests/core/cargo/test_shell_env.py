"""What of the shell's environment is for fetching alone."""

from __future__ import annotations

import pytest

from doit_cargo.core.cargo.shell_env import passed, secret_names

TOKENS = {
    "CARGO_REGISTRY_TOKEN": "abc",
    "CARGO_REGISTRIES_MINE_TOKEN": "Bearer abc",
    "CARGO_REGISTRIES_MINE_SECRET_KEY": "k3.secret.abc",
    "CARGO_REGISTRY_CREDENTIAL_PROVIDER": "cargo:token",
    "CARGO_HTTP_PROXY": "http://me:word@proxy:3128",
    "https_proxy": "http://me:word@proxy:3128",
    "SSH_AUTH_SOCK": "/run/agent",
    "SCCACHE_REDIS_PASSWORD": "abc",
    "SCCACHE_REDIS": "redis://me:word@cache:6379",
}
OTHERS = {
    "CARGO_REGISTRIES_MINE_INDEX": "sparse+https://mine/",
    "CARGO_NET_RETRY": "3",
    "CARGO_HTTP_CAINFO": "/etc/ca.pem",
    "https_proxy": "http://proxy:3128",
    "SCCACHE_DIR": "/cache",
    "CI": "true",
}


@pytest.mark.parametrize("name", TOKENS)
def test_what_opens_something_is_for_fetching(name: str) -> None:
    env = {name: TOKENS[name], "HOME": "/home/me"}

    assert secret_names(env, wrapped=False) == {name}
    assert secret_names(env, wrapped=True) == ({name} if "SCCACHE" not in name else set())
    assert passed(env) == {name: TOKENS[name]}


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_says_where_and_how_is_for_building_too(name: str) -> None:
    assert secret_names({name: OTHERS[name]}, wrapped=False) == set()
    assert passed({name: OTHERS[name]})


def test_what_cargo_is_not_handed_at_all_is_no_matter() -> None:
    assert secret_names({"AWS_SECRET_ACCESS_KEY": "abc"}, wrapped=False) == set()
    assert passed({"AWS_SECRET_ACCESS_KEY": "abc", "PATH": "/bin"}) == {}
