"""Recognizes what looks like a secret: names of files, variables and their values.

A heuristic that errs on the side of refusing: a secret in an image is everybody's who can pull it.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Final

# The file names of git, npm, pip, curl, OpenSSH, Docker, Java, KeePass and of certificates' keys.
_FILES: Final = (
    ".env", ".env.*", "*.env", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key",
    "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "credentials", "credentials.*",
    "*credentials.json", ".netrc", ".npmrc", ".pypirc", ".pgpass", ".git-credentials", ".htpasswd",
    ".dockercfg", ".dockerconfigjson", "kubeconfig", "secrets", "secrets.*", "shadow",
)  # fmt: skip
_FOLDERS: Final = frozenset({".ssh", ".aws", ".gnupg", ".docker", ".kube", ".git"})
# DB_PASSWORD, SECRET_KEY_BASE, AWS_SECRET_ACCESS_KEY, GH_TOKEN; but not TOKEN_TTL or *_FILE.
_VARIABLE: Final = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL"
    r"|._PWD$|(^|_)(TOKEN|(API|ACCESS|PRIVATE|ENCRYPTION|SIGNING|AUTH)_?KEY)$"
)
_ELSEWHERE: Final = ("_FILE", "_PATH", "_DIR")  # the name of a file that holds it, mounted later
_VALUE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@"  # a password in a URL
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS: IAM identifiers
    r"|\b(gh[opusr]_[A-Za-z0-9]{36}|github_pat_\w{22,})"  # GitHub: about authentication
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack: token types
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"  # RFC 7519: a signed JSON web token
)


def secret_file(path: str) -> bool:
    """Whether a file of that path would hold a secret, by its name."""
    *folders, name = path.lower().split("/")
    return bool(_FOLDERS.intersection(folders)) or any(
        fnmatch.fnmatchcase(name, pattern) for pattern in _FILES
    )


def secret_variable(name: str, value: str) -> bool:
    """Whether an environment variable or a label carries a secret."""
    upper = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    named = _VARIABLE.search(upper) and not upper.endswith(_ELSEWHERE)
    return bool(value) and (bool(named) or secret_text(value))


def secret_text(text: str) -> bool:
    """Whether a text has something in it that only secrets look like."""
    return bool(_VALUE.search(text))
