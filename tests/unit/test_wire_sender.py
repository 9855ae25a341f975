"""The sender: out of the way of requests, and nothing lost in between."""

import json
import time
from datetime import UTC, datetime

import pytest

from services.app_insights import wire
from services.app_insights.sender import QUEUE_LIMIT, Sender
from tests.unit.http_service import scripted

KEY = "00000000-0000-0000-0000-000000000001"
TAKEN = (200, {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}, {})


def event(name):
    return wire.event_envelope(at=datetime(2026, 11, 22, tzinfo=UTC), name=name)


def until(condition, *, limit_s=20.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s"
        time.sleep(0.01)


def items(service):
    """The names of all items that were posted, and the envelopes."""
    posted = [json.loads(line) for _, _, body in service.asked for line in body.splitlines()]
    return [each["data"]["baseData"]["name"] for each in posted], posted


@pytest.fixture
def service():
    with scripted() as service:
        service.answers.append(TAKEN)
        yield service


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def start(service, spool):
    senders = []

    def start(connection=None, **options):
        known = f"InstrumentationKey={KEY};IngestionEndpoint={service.address}/"
        sender = Sender(
            known if connection is None else connection,
            spool=spool,
            role="bank",
            interval_s=0.01,
            timeout_s=options.pop("timeout_s", 2.0),
            **options,
        )
        senders.append(sender)
        return sender

    yield start
    for sender in senders:
        sender.close(0.2)


def test_what_is_tracked_arrives_in_order_with_key_and_role(start, service, spool):
    sender = start()
    for number in range(50):
        sender.track(event(f"e{number}"))

    until(lambda: not sender.waiting_count)

    names, envelopes = items(service)
    assert names == [f"e{number}" for number in range(50)]
    assert {each["iKey"] for each in envelopes} == {KEY}
    assert {each["tags"]["ai.cloud.role"] for each in envelopes} == {"bank"}
    assert service.asked[0][0] == "/v2.1/track"
    assert list(spool.iterdir()) == []


def test_an_envelopes_own_role_is_kept(start, service):
    sender = start()
    sender.track({**event("e"), "tags": {"ai.cloud.role": "another"}})

    until(lambda: not sender.waiting_count)

    assert items(service)[1][0]["tags"]["ai.cloud.role"] == "another"


def test_what_a_busy_service_refuses_is_sent_again_under_the_same_name(start, service):
    service.answers.clear()
    service.answers.extend([(503, {}, {"Retry-After": "0.05"}), TAKEN])
    sender = start()
    sender.track(event("e"))

    until(lambda: not sender.waiting_count)

    first, second = (headers for _, headers, _ in service.asked)
    assert first["X-Batch-Id"] == second["X-Batch-Id"]
    assert (first["X-Batch-Attempt"], second["X-Batch-Attempt"]) == ("1", "2")
    assert items(service)[0] == ["e", "e"]


def test_only_what_may_succeed_later_is_sent_again(start, service):
    told = {
        "itemsReceived": 3,
        "itemsAccepted": 1,
        "errors": [
            {"index": 1, "statusCode": 400, "message": "bad"},
            {"index": 2, "statusCode": 429, "message": "later"},
        ],
    }
    service.answers.clear()
    service.answers.extend([(206, told, {}), TAKEN])
    sender = start(connection="")
    for name in ("kept", "bad", "later"):
        sender.track(event(name))
    until(lambda: sender.waiting_count == 1)  # all three in one file
    sender._find = lambda: f"InstrumentationKey={KEY};IngestionEndpoint={service.address}/"

    until(lambda: not sender.waiting_count)

    assert items(service)[0] == ["kept", "bad", "later", "later"]
    assert sender.dropped_count == 1


def test_what_will_never_be_taken_is_counted_and_given_up(start, service, spool):
    service.answers.clear()
    service.answers.append((400, {}, {}))
    sender = start()
    sender.track(event("e"))

    until(lambda: not sender.waiting_count)

    assert sender.dropped_count == 1
    assert list(spool.iterdir()) == []


def test_nothing_is_dropped_while_nobody_answers(start):
    sender = start(connection=f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:9/")

    for number in range(2000):
        sender.track(event(str(number)))
    sender.close(0.5)

    assert sender.dropped_count == 0


def test_what_could_not_be_sent_is_sent_by_the_next_process(start, service, spool):
    sender = start(connection=f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:9/")
    for number in range(30):
        sender.track(event(f"e{number}"))
    sender.close(0.3)
    assert sum(len(file.read_bytes().splitlines()) for file in spool.iterdir()) == 30

    heir = start()
    until(lambda: not heir.waiting_count)

    assert items(service)[0] == [f"e{number}" for number in range(30)]
    assert service.asked[0][1]["X-Batch-Attempt"] == "2"
    assert list(spool.iterdir()) == []


def test_the_key_is_not_written_to_disk(start, spool):
    sender = start(connection=f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:9/")
    sender.track(event("e"))
    sender.close(0.3)

    (file,) = spool.iterdir()
    assert KEY not in file.read_text()


def test_closing_sends_what_is_left(start, service):
    sender = start()
    sender.track(event("last"))

    sender.close(5.0)

    assert items(service)[0] == ["last"]


def test_a_sender_follows_a_service_that_moved(start, service):
    address = ["http://127.0.0.1:9"]
    sender = start(connection=lambda: f"InstrumentationKey={KEY};IngestionEndpoint={address[0]}/")
    sender.track(event("e"))
    until(lambda: sender._pause_s > 0)

    address[0] = service.address
    until(lambda: not sender.waiting_count)

    assert items(service)[0] == ["e"]


def test_a_disk_that_takes_no_more_costs_nothing_while_the_service_answers(start, service, spool):
    sender = start()
    until(spool.is_dir)
    spool.rmdir()
    sender.track(event("e"))

    until(lambda: not sender.waiting_count)

    assert items(service)[0] == ["e"]
    assert sender.dropped_count == 0


def test_an_item_that_is_no_json_is_counted_and_its_neighbours_arrive(start, service):
    sender = start()
    sender.track({**event("bad"), "tags": {"x": object()}})
    sender.track(event("good"))

    until(lambda: not sender.waiting_count)

    assert items(service)[0] == ["good"]
    assert sender.dropped_count == 1


def test_too_many_at_once_are_counted_not_awaited(start, spool, monkeypatch):
    sender = start()
    sender.close(1.0)  # nobody writes any more

    for _ in range(QUEUE_LIMIT + 5):
        sender.track({})

    assert sender.dropped_count == 5
    sender._queue.clear()
