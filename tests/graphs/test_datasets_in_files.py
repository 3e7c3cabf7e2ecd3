"""Datasets in graphs that are written and read: their functions stand in the library."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages

D = hf.data.Dataset
C = hf.contrib.data


def variable_lengths():
    return D.range(1, 5).map(lambda x: hf.fill([x], x))


def captured():
    z = hf.constant(3, hf.int64)
    return D.range(5).map(lambda x: x * z)


def with_control_flow():
    zero = hf.constant(0, hf.int64)
    loop = lambda x: hf.while_loop(lambda i: i < x, lambda i: i + 1, [zero])  # noqa: E731
    return D.range(5).map(lambda x: hf.cond(x > 2, lambda: x * 10, lambda: loop(x)))


def grouped():
    one = hf.constant(1, hf.int64)
    key, size = (lambda x: x % 2), (lambda k: k * 0 + 3)
    reduce = lambda k, window: window.map(lambda x: x + one).batch(3)  # noqa: E731
    return D.range(7).apply(C.group_by_window(key, reduce, window_size_func=size))


def scanned():
    two = hf.constant(2, hf.int64)
    zero = hf.constant(0, hf.int64)
    return D.range(5).apply(C.scan(zero, lambda s, x: (s + x, s * two)))


DATASETS = {
    "map": lambda: D.range(5).map(lambda x: (x, hf.cast(x, hf.float32))),
    "map in parallel": lambda: D.range(5).map(lambda x: x * x, num_parallel_calls=2),
    "captured": captured,
    "filter": lambda: D.range(9).filter(lambda x: x % 2 > 0),
    "flat map": lambda: D.range(4).flat_map(lambda x: D.range(x)),
    "interleave": lambda: D.range(3).interleave(lambda x: D.from_tensors(x).repeat(3), 2, 2),
    "interleave in parallel": lambda: D.range(3).apply(
        C.parallel_interleave(lambda x: D.from_tensors(x).repeat(2), 2)
    ),
    "control flow": with_control_flow,
    "scan": scanned,
    "group": grouped,
    "padded": lambda: variable_lengths().padded_batch(3, [None]),
    "padded, whole batches": lambda: variable_lengths().padded_batch(
        3, [None], hf.constant(7, hf.int64), drop_remainder=True
    ),
    "slices": lambda: D.zip((D.range(3), D.from_tensor_slices(np.eye(3)))).batch(2),
    "others": lambda: D.range(5).concatenate(D.range(2)).shuffle(1).repeat(2).take(9).skip(1),
    "random": lambda: D.range(3).map(lambda x: hf.random_uniform([], seed=3)),
    "words": lambda: D.from_tensors(["a", "bc"]).prefetch(1).cache(),
}


def elements(session, tensors):
    found = []
    try:
        while True:
            found.append([np.asarray(value).tolist() for value in session.run(tensors)])
    except hf.errors.OutOfRangeError:
        return found


@pytest.mark.parametrize("kind", ["one shot", "initializable"])
@pytest.mark.parametrize("name", DATASETS)
def test_what_is_read_gives_the_same(name, kind):
    with hf.Graph().as_default() as graph, hf.Session() as session:
        hf.set_random_seed(1)
        data = DATASETS[name]()
        is_one_shot = kind == "one shot"
        iterator = data.make_one_shot_iterator() if is_one_shot else None
        iterator = iterator or data.make_initializable_iterator()
        begin = [] if is_one_shot else [iterator.initializer.name]
        found = hf.contrib.framework.nest.flatten(iterator.get_next())
        names = [hf.identity(tensor).name for tensor in found]
        session.run(begin)
        expected = elements(session, names)
        assert expected
    for _ in range(2):  # what was read is written once more
        message = messages.GraphDef.FromString(graph.as_graph_def().SerializeToString())
        with hf.Graph().as_default() as graph, hf.Session() as session:
            hf.import_graph_def(message, name="")
            session.run(begin)
            assert elements(session, names) == expected


def test_files(tmp_path):
    """Files of text, of records, of pieces; plain ones and compressed ones."""
    (tmp_path / "a.txt").write_text("12\n34\n")
    with hf.python_io.TFRecordWriter(str(tmp_path / "a.rec")) as writer:
        writer.write(b"record")
    text, record = str(tmp_path / "a.txt"), str(tmp_path / "a.rec")
    with hf.Graph().as_default() as graph:
        lines = D.from_tensor_slices([text]).flat_map(lambda f: hf.data.TextLineDataset(f))
        numbers = lines.map(lambda line: hf.string_to_number(line, hf.int64))
        for name, data in (
            ("lines", numbers),
            ("records", hf.data.TFRecordDataset([record])),
            ("pieces", hf.data.FixedLengthRecordDataset([text], 3)),
        ):
            hf.identity(data.make_one_shot_iterator().get_next(), name=name)
    with hf.Graph().as_default(), hf.Session() as session:
        hf.import_graph_def(graph.as_graph_def(), name="")
        assert elements(session, ["lines:0"]) == [[12], [34]]
        assert elements(session, ["records:0"]) == [[b"record"]]
        assert elements(session, ["pieces:0"]) == [[b"12\n"], [b"34\n"]]


def test_a_one_shot_iterator_is_a_function_without_arguments():
    """TensorFlow wants it so: what it uses of the graph stands inside."""
    with hf.Graph().as_default() as graph:
        captured().make_one_shot_iterator().get_next()
        message = graph.as_graph_def()
    (iterator,) = [node for node in message.node if node.op == "OneShotIterator"]
    functions = {f.signature.name: f for f in message.library.function}
    factory = functions[iterator.attr["dataset_factory"].func.name]
    assert not factory.signature.input_arg
    (mapped,) = [node for node in factory.node_def if node.op == "MapDataset"]
    assert mapped.attr["f"].func.name in functions
    assert list(mapped.attr["Targuments"].list.type) == [hf.int64.as_datatype_enum]


def test_a_saver_keeps_them(tmp_path):
    """Training goes on from a file: what is read reads data, as far as it goes."""
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.cast(
            D.range(1, 9).map(lambda n: n * n).make_one_shot_iterator().get_next(), hf.float32
        )
        v = hf.get_variable("v", initializer=0.0)
        hf.assign_add(v, x, name="count")
        session.run(hf.global_variables_initializer())
        session.run("count")
        path = hf.train.Saver().save(session, str(tmp_path / "m"))
    with hf.Graph().as_default(), hf.Session() as session:
        hf.train.import_meta_graph(f"{path}.meta").restore(session, path)
        assert [float(session.run("count:0")) for _ in range(2)] == [2.0, 6.0]


class TestErrors:
    def graph(self):
        with hf.Graph().as_default() as graph:
            D.range(3).map(lambda x: x * x).make_initializable_iterator().get_next("x")
            return graph.as_graph_def()

    def imported(self, message, match):
        with hf.Graph().as_default() as graph:
            with pytest.raises(ValueError, match=match):
                hf.import_graph_def(message, name="")
            assert not graph.get_operations()

    def test_no_library(self):
        message = self.graph()
        message.ClearField("library")
        self.imported(message, "MapDataset.*no function .* in its library")

    def test_no_function(self):
        message = self.graph()
        (node,) = [node for node in message.node if node.op == "MapDataset"]
        del node.attr["f"]
        self.imported(message, "'MapDataset' .* lacks its function 'f'")

    def test_a_function_that_is_its_own(self):
        message = self.graph()
        (function,) = message.library.function
        node = function.node_def.add(name="again", op="MapDataset", input=["r:handle:0"])
        function.node_def.add(name="r", op="RangeDataset", input=["arg_0"] * 3)
        for owner in (node, function.node_def[-1]):
            owner.attr["output_types"].list.type.append(hf.int64.as_datatype_enum)
            owner.attr["output_shapes"].list.shape.add()
        node.attr["f"].func.name = function.signature.name
        function.ret["out_0"] = "again:handle:0"
        self.imported(message, "more than 50 deep")

    def test_a_generator_is_in_no_file(self):
        with hf.Graph().as_default() as graph:
            D.from_generator(lambda: iter([1]), hf.int32).make_one_shot_iterator().get_next("x")
            message = graph.as_graph_def()
        with hf.Graph().as_default(), hf.Session() as session:
            hf.import_graph_def(message, name="")
            with pytest.raises(hf.errors.InvalidArgumentError, match="holds none"):
                session.run("x:0")
