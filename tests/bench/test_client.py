"""Tests of the benchmark's client with complete, incomplete and wrong responses."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from threading import Thread

import pytest

from tests.bench.client import WrongAnswer, load, read

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\netag: x\r\n\r\n{}"
ASKED = b"GET / HTTP/1.1\r\n\r\n"


@contextmanager
def serve_answers(*pieces: bytes) -> Iterator[int]:
    """Yield the port of a server whose responses consist of the given pieces.

    Without pieces, the server closes the connection.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            while line.recv(65536):
                for piece in pieces:
                    line.sendall(piece)
                if not pieces:
                    return

    thread = Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def test_answer_without_its_whole_body_is_incomplete() -> None:
    assert read(OK[:20]) is None
    assert read(OK[:-1]) is None
    whole = read(OK)
    assert whole is not None
    assert (whole.status, whole.body, whole.get_header("ETag")) == (200, b"{}", "x")


def test_answer_304_is_complete_without_body() -> None:
    answer = read(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n")

    assert answer is not None
    assert answer.status == 304


def test_answer_without_length_is_refused() -> None:
    with pytest.raises(WrongAnswer):
        read(b"HTTP/1.1 200 OK\r\n\r\n")


def test_answer_in_pieces_counts_once() -> None:
    with serve_answers(OK[:10], OK[10:50], OK[50:]) as port:
        sample = load(port, iter([ASKED] * 3), 200, clients=1)

    assert len(sample.waits) == 3
    assert all(wait > 0 for wait in sample.waits)


def test_load_ends_after_its_time() -> None:
    with serve_answers(OK) as port:
        sample = load(port, repeat(ASKED), 200, clients=1, seconds=0.1)

    assert 0.1 <= sample.seconds < 5
    assert sample.waits


def test_wrong_status_fails_the_run() -> None:
    refused = OK.replace(b"200 OK", b"503 Busy")

    with serve_answers(refused) as port, pytest.raises(WrongAnswer, match="503, not 200"):
        load(port, repeat(ASKED), 200, clients=1, seconds=5)


def test_closed_connection_fails_the_run() -> None:
    with serve_answers() as port, pytest.raises(WrongAnswer, match="closed the connection"):
        load(port, repeat(ASKED), 200, clients=1, seconds=5)
