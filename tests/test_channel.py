"""Frames arrive whole, and every way in which the other end can fail is told by name."""

import os
import socket

import pytest

from selfdebug.sandbox.channel import Channel, Lost


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield Channel(left, max_bytes=1 << 20), right


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def reason(channel: Channel) -> str:
    with pytest.raises(Lost) as lost:
        channel.receive()
    return lost.value.reason


def test_messages_arrive_in_order_even_when_they_come_in_pieces(ends):
    channel, other = ends
    for byte in frame(b'{"a":1}') + frame(b'{"b":2}'):
        other.sendall(bytes([byte]))
    assert channel.receive() == {"a": 1}
    assert channel.receive() == {"b": 2}


def test_a_large_message_crosses_both_ways():
    left, right = socket.socketpair()
    here, there = Channel(left), Channel(right)
    pid = os.fork()
    if pid == 0:
        here.close()
        there.send({"back": there.receive()["text"]})
        os._exit(0)
    there.close()
    here.limit(20)
    here.send({"text": "x" * 3_000_000})
    assert len(here.receive()["back"]) == 3_000_000
    os.waitpid(pid, 0)
    here.close()


def test_a_hang_up_is_closed(ends):
    channel, other = ends
    other.close()
    assert reason(channel) == "closed"


def test_silence_and_trickling_are_timeouts(ends):
    channel, other = ends
    channel.limit(0.05)
    assert reason(channel) == "timeout"
    other.sendall(b"\0")
    assert reason(channel) == "timeout"


def test_a_reader_that_does_not_read_is_a_timeout(ends):
    channel, _ = ends
    channel.limit(0.1)
    with pytest.raises(Lost) as lost:
        channel.send({"text": "x" * 10_000_000})
    assert lost.value.reason == "timeout"


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b"\xff", b"[" * 100_000])
def test_a_frame_that_is_no_json_object_breaks_the_protocol(ends, body):
    channel, other = ends
    other.sendall(frame(body))
    assert reason(channel) == "protocol"


def test_an_announced_flood_is_refused_before_it_is_read(ends):
    channel, other = ends
    other.sendall(b"\xff\xff\xff\xff")
    assert reason(channel) == "too_large"
