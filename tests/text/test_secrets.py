"""What is taken for a secret, what is not, and that no text takes long.

Every secret here is put together at run time: none stands in the file for a scanner to find.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.text.secrets import find_secrets

LETTERS = "q7Zk3pX9vB2nM5tR8wL4cY6hJ1dF0gSaEuIoKxTy"
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n" * 3

FOUND = [
    ("aws_access_key", "AK" + "IAQ7ZK3PX2VB2NM5TR"),
    ("github_token", "gh" + "p_" + LETTERS[:36]),
    ("github_token", "github" + "_pat_" + LETTERS[:24]),
    ("gitlab_token", "gl" + "pat-" + LETTERS[:20]),
    ("slack_token", "xo" + "xb-83920174-" + LETTERS[:24]),
    ("slack_webhook", "https://hooks.slack" + ".com/services/T0Q7Z3K9/B0X9V2B5/" + LETTERS[:24]),
    ("stripe_key", "sk" + "_live_" + LETTERS[:24]),
    ("google_api_key", "AI" + "za" + LETTERS[:35]),
    ("model_api_key", "s" + "k-proj-" + LETTERS[:40]),
    ("huggingface_token", "h" + "f_" + LETTERS[:34]),
    ("npm_token", "np" + "m_" + LETTERS[:36]),
    ("sendgrid_key", "S" + "G." + LETTERS[:22] + "." + (LETTERS * 2)[:43]),
    ("telegram_token", "839201746:A" + "A" + LETTERS[:33]),
    ("json_web_token", "ey" + "J" + LETTERS[:20] + ".ey" + "J" + LETTERS[:20] + "." + LETTERS[:30]),
    ("private_key", "-----BEGIN RSA PRIVATE" + " KEY-----\n" + KEY + "-----END RSA PRIVATE" + " KEY-----"),
    ("private_key", "-----BEGIN PRIVATE" + " KEY-----\n" + KEY[:80]),
]

# The text, and the part of it that is the secret.
ASSIGNED = [
    ("password_in_url", "postgresql://app:{}@db.brightmail.net:5432/orders", "tr0ub4dor"),
    ("password_in_url", "redis://:{}@cache", "k9Xv2bnM"),
    ("assigned_secret", 'password = "{}"', "q7Zk3pX9v"),
    ("assigned_secret", "DB_PASSWORD={}", "q7Zk3pX9v"),
    ("assigned_secret", '{{"clientSecret": "{}"}}', "q7Zk3pX9vB2n"),
    ("assigned_secret", "api-key: {}", "q7Zk3pX9vB2nM5tR"),
    ("assigned_secret", "my_app_secret_key := '{}'", "q7Zk3pX9vB2nM5tR"),
    ("authorization", "Authorization: Bearer {}", "q7Zk3pX9vB2nM5tR8wL4"),
]

NOTHING = """password = os.environ["DB_PASSWORD"]
password: str = "changeme123"
api_key="your-api-key-123"
token = tokenizer2.encode(text1)
secret_key = get_secret("name1")
password=${DB_PASSWORD_1}
I forgot my password: it has 12 letters and I need it by 10:30
The token: a word, or a part of it
postgresql://user:password@localhost/db
postgresql://postgres:postgres@localhost/db
https://host:8080/path@2x.png
sk-learn has a class sk-toggleable__label-arrow
max_tokens=2048000000
key = value_of_the_first_2_rows
-----BEGIN PUBLIC KEY-----
commit 51781ab30ad3345912bdc4c8fdd67d886c0f9005
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
password = "aaaaaaaa1"
Authorization: Bearer <token>""".splitlines()


@pytest.mark.parametrize(("kind", "secret"), FOUND)
def test_a_secret_of_a_known_form_is_found_in_code_and_prose(kind: str, secret: str) -> None:
    for text in (secret, f"use {secret} for it", f'KEY = "{secret}"\n'):
        (found,) = find_secrets(text)
        assert found.kind == kind
        assert text[found.start : found.end] == secret


@pytest.mark.parametrize(("kind", "text", "secret"), ASSIGNED)
def test_what_is_assigned_to_the_name_of_a_secret_is_one(kind: str, text: str, secret: str) -> None:
    text = text.format(secret)
    (found,) = find_secrets(text)
    assert (found.kind, text[found.start : found.end]) == (kind, secret)


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_speaks_of_secrets_is_left(text: str) -> None:
    assert find_secrets(text) == []


def test_two_keys_in_a_row_of_which_the_first_is_cut_off_are_both_found() -> None:
    begin, end = (f"-----{word} PRIVATE" + " KEY-----" for word in ("BEGIN", "END"))
    text = f"{begin}\n{KEY}\n{begin}\n{KEY}{end}"
    first, second = find_secrets(text)
    assert first.end <= second.start
    assert second.end == len(text)


@given(st.text(st.characters(codec=None, categories=None), max_size=300))
@settings(max_examples=200)
def test_any_text_gets_an_answer(text: str) -> None:
    assert all(0 <= span.start < span.end <= len(text) for span in find_secrets(text))


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a-",
        "eyJ",
        "token: ",
        "password=",
        "a://",
        "x://a:b",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "A_",
        "key:='",
    ],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        began = time.process_time()
        find_secrets(text)
        return time.process_time() - began

    seconds(1000)
    assert seconds(200_000) < 40 * seconds(20_000) + 0.05
