"""Metrics that are objects: the same numbers in both modes."""

from __future__ import annotations

import pytest

import hybridflow as hf

metrics = hf.contrib.eager.metrics


def test_means_and_accuracies_eagerly():
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        mean = metrics.Mean("has space")
        mean([1, 10, 100])
        mean([[2.0]], weights=[[0.5]])
        assert float(mean.result()) == 112 / 3.5
        assert (mean.name, mean.numer.name) == ("has space", "has_space/numer:0")
        mean.init_variables()
        mean(7)
        assert float(mean.value()()) == 7
        assert mean.result().dtype is hf.float64
        accuracy = metrics.Accuracy(dtype=hf.float32)
        accuracy(labels=[0, 1, 2], predictions=[0, 0, 0], weights=[1, 1, 0])
        assert accuracy.result().dtype is hf.float32
        assert float(accuracy.result()) == 0.5
        first, second = metrics.Mean(), metrics.Mean()
        first(1)
        second([3, 5])
        assert (first.name, second.name) == ("Mean", "Mean_1")
        first.aggregate([second])
        assert float(first.result()) == 3


def test_a_mean_in_a_graph():
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32)
        mean = metrics.Mean()
        move, begin, result = mean(x), mean.init_variables(), mean.value()
        for _ in range(2):
            session.run(begin)
            for batch in ([1, 10, 100], 9):
                session.run(move, {x: batch})
            assert session.run(result) == 30
        for key in (hf.GraphKeys.LOCAL_VARIABLES, hf.GraphKeys.METRIC_VARIABLES):
            assert hf.get_collection(key) == mean.variables
        with pytest.raises(ValueError, match="already exists"):
            metrics.Mean()(1)


def test_a_metric_of_ones_own():
    class Most(metrics.Metric):
        def build(self, values):
            self.most = self.add_variable("most", [], hf.float32, hf.constant_initializer(-1.0))

        def call(self, values):
            self.most.assign(hf.maximum(self.most.read_value(), hf.reduce_max(values)))

        def result(self):
            return self.most.read_value()

    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        most = Most()
        for values in ([0.5], [3.0, 2.0], [1.0]):
            most(hf.constant(values))
        assert float(most.result()) == 3
        with pytest.raises(RuntimeError, match="except in build"):
            most.add_variable("other")
        with pytest.raises(TypeError, match="same type"):
            most.aggregate([metrics.Mean()])
        for call in (metrics.Metric().build, metrics.Metric().call, metrics.Metric().result):
            with pytest.raises(NotImplementedError):
                call()


def test_a_result_is_a_summary(tmp_path):
    with hf.eager_mode(), hf.EagerVariableStore().as_default():
        hf.train.get_or_create_global_step()
        mean = metrics.Mean("loss")
        mean([1.0, 3.0])
        writer = hf.contrib.summary.create_file_writer(str(tmp_path), max_queue=0)
        with writer.as_default(), hf.contrib.summary.always_record_summaries():
            mean.result()
        hf.contrib.summary.flush()
        (path,) = tmp_path.iterdir()
        events = list(hf.train.summary_iterator(str(path)))
        assert [(v.tag, v.simple_value) for e in events for v in e.summary.value] == [("loss", 2.0)]
