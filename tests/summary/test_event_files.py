"""Event files: nothing is lost, nothing is there twice, and who reads sees whole records."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import hybridflow as hf
from hybridflow._src.formats import records
from hybridflow._src.formats.event_file import EventFile
from hybridflow._src.formats.event_file_writer import EventFileWriter
from tests.interrupts import Interrupt

ROOT = Path(hf.__file__).parents[1]


def add(writer, *steps):
    for step in steps:
        writer.add_event(hf.Event(step=step))


def steps(folder):
    """The steps of all events of a folder, file by file."""
    found = []
    for path in sorted(Path(folder).glob("events*")):
        events = list(hf.train.summary_iterator(path))
        assert events.pop(0).file_version == "brain.Event:2"
        found += [event.step for event in events]
    return found


class TestNothingIsLost:
    def test_by_flush_and_close(self, tmp_path):
        writer = EventFileWriter(tmp_path, max_queue=100)
        add(writer, 1, 2)
        assert steps(tmp_path) == []
        writer.flush()
        assert steps(tmp_path) == [1, 2]
        add(writer, 3)
        writer.close()
        assert steps(tmp_path) == [1, 2, 3]
        writer.close()

    def test_when_many_have_gathered(self, tmp_path):
        writer = EventFileWriter(tmp_path, max_queue=3)
        add(writer, *range(7))
        assert steps(tmp_path) == list(range(6))
        writer.close()

    def test_when_time_has_passed(self, tmp_path):
        writer = EventFileWriter(tmp_path, flush_secs=0.05)
        add(writer, 1)
        end = time.monotonic() + 60
        while not steps(tmp_path) and time.monotonic() < end:
            time.sleep(0.01)
        assert steps(tmp_path) == [1]
        writer.close()

    @pytest.mark.parametrize("end", ["", "raise ValueError", "sys.exit(3)"])
    def test_at_exit(self, tmp_path, end):
        program = (
            "import sys, hybridflow as hf\n"
            "from hybridflow._src.formats.event_file_writer import EventFileWriter\n"
            "writer = EventFileWriter(sys.argv[1])\n"
            f"writer.add_event(hf.Event(step=1))\n{end}"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program, str(tmp_path)]
        subprocess.run(command, env=environment, capture_output=True, check=False)
        assert steps(tmp_path) == [1]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_by_a_fork(self, tmp_path):
        """What has gathered is written once; what a child adds is written, however it ends."""
        writer = EventFileWriter(tmp_path)
        add(writer, 1)
        child = os.fork()
        if not child:
            add(writer, 2)
            os._exit(0)
        os.waitpid(child, 0)
        add(writer, 3)
        writer.close()
        assert sorted(steps(tmp_path)) == [1, 2, 3]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_by_forks_while_threads_write(self, tmp_path):
        writer = EventFileWriter(tmp_path, max_queue=3)
        ended = threading.Event()

        def write(start):
            step = start
            while not ended.is_set():
                add(writer, step)
                step += 1
            last.append(step)

        last = []
        threads = [threading.Thread(target=write, args=(n * 1_000_000,)) for n in range(2)]
        for thread in threads:
            thread.start()
        children = []
        for number in range(10):
            child = os.fork()
            if not child:
                add(writer, 9_000_000 + number)
                writer.close()
                os._exit(0)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
        ended.set()
        for thread in threads:
            thread.join()
        writer.close()
        mine = [*range(min(last)), *range(1_000_000, max(last)), *range(9_000_000, 9_000_010)]
        assert sorted(steps(tmp_path)) == mine

    def test_by_interrupts(self, tmp_path):
        """At each moment: every event is written once, but the one that was not added yet."""
        moment, came = 0, True
        while came:
            moment += 1
            folder = tmp_path / str(moment)
            writer = EventFileWriter(folder, max_queue=2)
            with Interrupt(moment) as interrupt, contextlib.suppress(KeyboardInterrupt):
                for step in range(3):
                    add(writer, step)
                writer.flush()
            came = interrupt.came
            add(writer, 7)
            writer.close()
            found = steps(folder)
            assert found in [[*range(n), 7] for n in range(4)], moment
        assert found == [0, 1, 2, 7]
        assert moment > 20

    def test_where_the_disk_is_full(self, tmp_path, monkeypatch):
        writer = EventFileWriter(tmp_path, max_queue=1)
        file = writer._file

        class Full:
            """Takes a few bytes of each piece; then says that there is no room, once."""

            def __init__(self, file):
                self.file, self.calls = file, 0
                self.close = file.close

            def write(self, data):
                self.calls += 1
                if self.calls == 2:
                    raise OSError(28, "No space left on device")
                return self.file.write(data[:5])

        monkeypatch.setattr(file, "_file", Full(file._file))
        with pytest.raises(hf.errors.ResourceExhaustedError, match=r"events.*No space left"):
            add(writer, 1)
        add(writer, 2)
        writer.close()
        assert steps(tmp_path) == [1, 2]


class TestReaders:
    def test_one_that_follows_sees_whole_records(self, tmp_path):
        """Another process reads while this one writes events of all sizes."""
        program = (
            "import sys, time\n"
            "from hybridflow._src.formats import records\n"
            "from hybridflow import Event\n"
            "seen, end = 0, time.monotonic() + 60\n"
            "while seen < 400 and time.monotonic() < end:\n"
            "    steps = []\n"
            "    with open(sys.argv[1], 'rb') as file:\n"
            "        try:\n"
            "            for record in records.read(file):\n"
            "                steps.append(Event.FromString(record).step)\n"
            "        except ValueError as error:\n"
            "            assert 'truncated' in str(error)  # the last is being written\n"
            "    assert steps == list(range(len(steps))), steps\n"
            "    seen = len(steps)\n"
            "print(seen)\n"
        )
        file = EventFile(str(tmp_path / "events"))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program, file.path]
        reader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for step in range(1, 400):
            event = hf.Event(step=step, graph_def=b"x" * (step * 37 % 3000))
            file.add(event.SerializeToString())
            if not step % 3:
                file.write_out()
                time.sleep(0.002)
        file.write_out()
        file.close()
        assert reader.communicate(timeout=120)[0] == "400\n"

    def test_damage_is_named(self, tmp_path):
        writer = EventFileWriter(tmp_path)
        add(writer, 1)
        writer.close()
        (path,) = tmp_path.iterdir()
        data = path.read_bytes()
        for wrong, text in ((data[:-3], "truncated"), (data[:-1] + b"?", "corrupted")):
            path.write_bytes(wrong)
            with pytest.raises(hf.errors.DataLossError, match=rf"events.*{text} record"):
                list(hf.train.summary_iterator(path))
        path.write_bytes(records.frame(b"\xff\xff"))
        with pytest.raises(hf.errors.DataLossError, match="events"):
            list(hf.train.summary_iterator(path))


class TestFiles:
    def test_names(self, tmp_path, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: 1234567890.5)
        files = [EventFile(str(tmp_path / "events"), suffix) for suffix in ("", ".v2", "")]
        names = [file.path for file in files]
        for file in files:
            file.close()
        host = names[0].rsplit("1234567890.", 1)[1]
        assert [Path(name).name for name in names] == [
            f"events.out.tfevents.1234567890.{host}",
            f"events.out.tfevents.1234567890.{host}.v2",
            # Another one in the same second: no file is written by two.
            f"events.out.tfevents.1234567891.{host}",
        ]

    def test_the_first_bytes(self, tmp_path, monkeypatch):
        """As TensorFlow 1.4.1 writes them."""
        monkeypatch.setattr(time, "time", lambda: 1.0)
        file = EventFile(str(tmp_path / "events"))
        file.close()
        event = b"\x09" + b"\0" * 6 + b"\xf0\x3f" + b"\x1a\x0dbrain.Event:2"
        assert Path(file.path).read_bytes() == records.frame(event)

    def test_a_folder_that_cannot_be(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(hf.errors.AlreadyExistsError):
            EventFileWriter(tmp_path / "file")

    def test_reopen(self, tmp_path):
        writer = EventFileWriter(tmp_path)
        writer.reopen()
        add(writer, 1)
        writer.close()
        add(writer, 2)
        writer.reopen()
        add(writer, 3)
        writer.close()
        assert len(list(tmp_path.iterdir())) == 2
        assert steps(tmp_path) == [1, 3]


class TestFileWriter:
    def events(self, folder):
        (path,) = Path(folder).iterdir()
        return list(hf.train.summary_iterator(path))[1:]

    def test_what_it_adds(self, tmp_path, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: 7.0)
        with hf.Graph().as_default() as graph, hf.Session() as session:
            x = hf.constant(1.0, name="x")
            metadata = hf.RunMetadata()
            trace = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
            session.run(x + 1.0, options=trace, run_metadata=metadata)
        with hf.summary.FileWriter(tmp_path, graph, filename_suffix=".x") as writer:
            writer.add_summary(hf.Summary(value=[hf.Summary.Value(tag="a", simple_value=1)]), 3)
            writer.add_summary(b"", 4)
            writer.add_run_metadata(metadata, "run", 5)
            writer.add_session_log(hf.SessionLog(status=hf.SessionLog.START))
            writer.add_event(hf.Event(step=6, wall_time=8.0))
            with pytest.raises(ValueError, match="already used"):
                writer.add_run_metadata(metadata, "run")
            with pytest.raises(TypeError, match="must be type MetaGraphDef"):
                writer.add_meta_graph(graph)
        found = self.events(tmp_path)
        kinds = ["graph_def", "meta_graph_def", "summary", "summary", "tagged_run_metadata"]
        assert [e.WhichOneof("what") for e in found] == [*kinds, "session_log", None]
        assert [e.step for e in found] == [0, 0, 3, 4, 5, 0, 6]
        assert [e.wall_time for e in found] == [7.0] * 6 + [8.0]
        assert hf.GraphDef.FromString(found[0].graph_def) == graph.as_graph_def(add_shapes=True)
        assert b"/device:CPU:0" in found[4].tagged_run_metadata.run_metadata
        assert writer.get_logdir() == str(tmp_path)

    def test_metadata_are_kept_once(self, tmp_path):
        with hf.Graph().as_default(), hf.Session() as session:
            summary = session.run(hf.summary.text("t", hf.constant("x")))
        with hf.summary.FileWriter(tmp_path) as writer:
            writer.add_summary(summary, 1)
            writer.add_summary(summary, 2)
        found = [e.summary.value[0].HasField("metadata") for e in self.events(tmp_path)]
        assert found == [True, False]

    def test_graphs_and_messages_of_graphs(self, tmp_path):
        with hf.Graph().as_default() as graph:
            hf.constant(1.0)
        with hf.summary.FileWriter(tmp_path, graph_def=graph.as_graph_def()) as writer:
            writer.add_graph(None, graph_def=graph)
            with pytest.raises(ValueError, match="not both"):
                writer.add_graph(graph, graph_def=graph)
            with pytest.raises(TypeError, match="must be an instance of `Graph`"):
                writer.add_graph("graph")
        kinds = [e.WhichOneof("what") for e in self.events(tmp_path)]
        assert kinds == ["graph_def", "meta_graph_def", "graph_def"]

    def test_in_eager_mode(self, tmp_path):
        with hf.eager_mode(), pytest.raises(RuntimeError, match="not compatible with eager"):
            hf.summary.FileWriter(tmp_path)

    def test_the_cache(self, tmp_path):
        cache = hf.summary.FileWriterCache
        with hf.Graph().as_default():
            one, two = cache.get(tmp_path / "1"), cache.get(str(tmp_path / "2"))
            assert cache.get(str(tmp_path / "1")) is one
            assert one is not two
        cache.clear()
        with hf.Graph().as_default():
            assert cache.get(tmp_path / "1") is not one
        cache.clear()
        assert len(list((tmp_path / "1").iterdir())) == 2


class TestEventsWriter:
    def test_events_are_read_again(self, tmp_path):
        writer = hf.pywrap_tensorflow.EventsWriter(str(tmp_path / "a").encode())
        assert list(tmp_path.iterdir()) == []
        writer.WriteEvent(hf.Event(step=1))
        assert writer._num_outstanding_events() == 1
        name = writer.FileName()
        assert name.startswith(str(tmp_path / "a.out.tfevents.").encode())
        assert writer.Flush() is True
        assert writer._num_outstanding_events() == 0
        writer.WriteEvent(hf.Event(step=2))
        assert writer.Close() is True
        assert [e.step for e in hf.train.summary_iterator(name.decode())] == [0, 1, 2]

    def test_another_file_after_it_is_closed(self, tmp_path):
        writer = hf.pywrap_tensorflow.EventsWriter(tmp_path / "a")
        first = writer.FileName()
        writer.InitWithSuffix(b".x")
        assert writer.FileName() != first
        assert writer.FileName().endswith(b".x")
        assert writer.Close()
        assert writer.Close()
        assert len(list(tmp_path.iterdir())) == 2

    def test_what_is_wrong(self, tmp_path):
        writer = hf.pywrap_tensorflow.EventsWriter(str(tmp_path / "missing" / "a"))
        with pytest.raises(hf.errors.NotFoundError):
            writer.FileName()
        with pytest.raises(TypeError, match=r"Expected an event_pb2\.Event proto"):
            writer.WriteEvent(b"event")
        with pytest.raises(TypeError):
            hf.pywrap_tensorflow.EventsWriter(3)
