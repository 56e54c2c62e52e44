"""EME Clear Key messages, byte for byte as the specification has them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.licensing.clear_key import (
    MAX_KEY_IDS,
    LicenceRequestInvalid,
    read_licence_request,
    write_licence,
)
from media_pipeline.media.protection import ContentKey, KeyClass


def test_the_specifications_request_is_read():
    """The example of EME 9.1.3, which asks for two keys."""
    message = b'{"kids":["LwVHf8JLtPrv2GUXFW2v_A","0DdtU9od-Bh5L3xbv0Xf_A"],"type":"temporary"}'
    first, second = read_licence_request(message).key_ids
    assert first.hex() == "2f05477fc24bb4faefd86517156daffc"
    assert second.hex() == "d0376d53da1df818792f7c5bbf45dffc"


def test_the_licence_has_the_specifications_form():
    """EME 9.1.4: JWKs of type oct, base64url without padding, and the session type."""
    key = ContentKey(bytes.fromhex("2f05477fc24bb4faefd86517156daffc"), bytes.fromhex("ff" * 16), KeyClass.SD)
    assert write_licence([key]) == (
        b'{"keys":[{"kty":"oct","k":"_____________________w","kid":"LwVHf8JLtPrv2GUXFW2v_A"}],"type":"temporary"}'
    )


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"kids":[]}',
        b'{"kids":"LwVHf8JLtPrv2GUXFW2v_A"}',
        b'{"kids":[7]}',
        b'{"kids":["too-short"]}',
        b'{"kids":["LwVHf8JLtPrv2GUXFW2v/A"]}',
        b'{"kids":["LwVHf8JLtPrv2GUXFW2v_A=="]}',
        b'{"kids":["LwVHf8JLtPrv2GUXFW2v_B"]}',
        b'{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"persistent-license"}',
        b'{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":null}',
        json.dumps({"kids": ["LwVHf8JLtPrv2GUXFW2v_A"] * (MAX_KEY_IDS + 1)}).encode(),
        b'{"kids":' + b"[" * 8000,
        b" " * 20_000,
    ],
)
def test_other_messages_are_refused_with_a_reason(message: bytes):
    with pytest.raises(LicenceRequestInvalid, match=r"\w"):
        read_licence_request(message)


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=8))
def test_a_licences_key_ids_are_a_request_for_them(key_ids: list[bytes]):
    """What we write, a CDM reads: the ids of a licence, asked for again, are the same ids, each once."""
    licence = json.loads(write_licence(ContentKey(key_id, key_id, KeyClass.SD) for key_id in key_ids))
    asked = json.dumps({"kids": [key["kid"] for key in licence["keys"]], "type": "temporary"}).encode()
    assert set(read_licence_request(asked).key_ids) == set(key_ids)
