"""CMCD as players send it: headers, query, body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.delivery.cmcd import MAX_RECORDS, read_cmcd_body, read_cmcd_headers, read_cmcd_query


def test_a_query_is_read_with_quotes_booleans_and_tokens():
    query = "x=1&CMCD=bl%3D21300%2Cbr%3D3200%2Cbs%2Cot%3Dv%2Csid%3D%226e2fb550-c457%22%2Csu"
    assert read_cmcd_query(query) == {
        "bl": "21300",
        "br": "3200",
        "bs": "true",
        "ot": "v",
        "sid": "6e2fb550-c457",
        "su": "true",
    }


def test_headers_are_one_set():
    headers = {"CMCD-Session": 'sid="s1",v=2', "CMCD-Request": "mtp=25400", "CMCD-Object": "br=(3200;v 128;a)"}
    assert read_cmcd_headers(headers) == {"mtp": "25400", "br": "(3200;v 128;a)", "sid": "s1", "v": "2"}


def test_bodies_hold_a_record_per_line():
    body = b'sid="a",e=ps,sta=p,ts=1\r\nsid="a",e=t\n\nrubbish-only\n'
    assert [record.get("e") for record in read_cmcd_body(body)] == ["ps", "t"]
    assert len(read_cmcd_body(b"bl=1\n" * 500)) == MAX_RECORDS


@pytest.mark.parametrize("text", ["v=3,bl=1", "v=x,bl=1", "com.example-key=1", "unknown", "=", ",,,", "x" * 5000])
def test_newer_versions_and_unknown_keys_count_for_nothing(text: str):
    assert read_cmcd_query(f"CMCD={text}") == {}


def test_unknown_keys_do_not_hurt_known_ones():
    assert read_cmcd_query('CMCD=com.example-x="a,b",bl=100,zz,sid="q\\"uote"') == {"bl": "100", "sid": 'q"uote'}


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_crash(body: bytes):
    for record in read_cmcd_body(body):
        assert all(isinstance(value, str) and value.isprintable() for value in record.values())
