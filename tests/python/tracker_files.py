"""Reads what trackers have written, each by its own package or its own format."""

import contextlib
import pathlib
import struct

from launcher.processes import until


def tensorboard_values(folder):
    """Of the one run in `folder`, or in a folder of it: {tag: [(step, value)]}; texts are values too."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for raw in (file.read_bytes() for file in sorted(pathlib.Path(folder).rglob("events.out.tfevents.*"))):
        at = 0
        while at < len(raw):  # size, its checksum, an event, its checksum
            (size,) = struct.unpack_from("<Q", raw, at)
            event = Event.FromString(raw[at + 12 : at + 12 + size])
            at += size + 16
            for value in event.summary.value:
                content = value.simple_value
                if value.HasField("tensor"):
                    content = value.tensor.string_val[0].decode()
                found.setdefault(value.tag.removesuffix("/text_summary"), []).append((event.step, content))
    return found


def wandb_records(folder, runs=1):
    """All records of the runs below `folder`, offline ones, once their writer, a process of its own, has ended them."""
    records = []

    def has_ended():
        records[:] = _read_wandb(folder)
        return sum(record.WhichOneof("record_type") == "exit" for record in records) == runs

    until(has_ended, "wandb to write its run")
    return records


def _read_wandb(folder):
    from wandb.proto.wandb_internal_pb2 import Record
    from wandb.sdk.internal.datastore import DataStore

    records = []
    for file in sorted(pathlib.Path(folder).rglob("*.wandb")):
        store = DataStore()
        store.open_for_scan(str(file))
        while (raw := store.scan_data()) is not None:
            records.append(Record.FromString(raw))
        with contextlib.suppress(AttributeError):
            store.close()
    return records


def wandb_rows(records):
    """The history: a dict for each row."""
    import json

    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in records
        if record.WhichOneof("record_type") == "history"
    ]
