"""What programs wish for how elements are made: checked, kept, joined."""

from __future__ import annotations

import pytest

import hybridflow as hf

D = hf.data.Dataset


def _threads(count):
    options = hf.data.Options()
    options.experimental_threading.private_threadpool_size = count
    return options


def test_wishes_are_joined_and_kept():
    options = hf.data.Options()
    options.experimental_deterministic = False
    options.experimental_optimization.map_fusion = True
    data = D.range(3)
    wished = data.with_options(options).with_options(_threads(4)).with_options(options)
    found = wished.options()
    assert found.experimental_deterministic is False
    assert found.experimental_optimization == options.experimental_optimization
    assert found.experimental_threading.private_threadpool_size == 4
    assert found.experimental_distribute.auto_shard is True
    assert data.options() == hf.data.Options() != found
    # What was given, and what is handed out, are others.
    options.experimental_deterministic = found.experimental_deterministic = True
    assert wished.options().experimental_deterministic is False
    assert "private_threadpool_size=4" in repr(found)


def test_groups_are_made_by_themselves():
    options = hf.data.Options()
    options.experimental_threading = hf.data.experimental.ThreadingOptions()
    options.experimental_threading.max_intra_op_parallelism = 1
    assert D.range(3).with_options(options).options() == options


def test_elements_are_the_same():
    def make(options):
        data = D.range(9).with_options(options).shuffle(4, seed=1).with_options(options)
        assert isinstance(data, D)
        return [int(x) for x in data.map(lambda x: 2 * x, 2)]

    options = hf.data.Options()
    options.experimental_deterministic = False
    with hf.eager_mode():
        assert make(options) == make(hf.data.Options())


def test_what_is_no_wish():
    options = hf.data.Options()
    with pytest.raises(AttributeError, match=r"experimental_determinism.* has experimental_determ"):
        options.experimental_determinism = True
    with pytest.raises(TypeError, match='"experimental_slack" must be of type bool, got: 3'):
        options.experimental_slack = 3
    with pytest.raises(TypeError, match="must be of type ThreadingOptions"):
        options.experimental_threading = 3
    with pytest.raises(TypeError, match="int vs Options"):
        D.range(3).with_options(3)
    with pytest.raises(ValueError, match=r"\(3 and 4\) of option: private_threadpool_size"):
        D.range(3).with_options(_threads(3)).with_options(_threads(4))


def test_what_is_too_long_for_its_bucket():
    bucket = hf.data.experimental.bucket_by_sequence_length
    with pytest.raises(ValueError, match=r"must equal .* got 1 and 1"):
        bucket(lambda x: x, [3], [2])
    with hf.eager_mode():
        data = D.range(5).map(lambda n: hf.fill([n], n))
        data = data.apply(bucket(hf.size, [3], [2, 2], pad_to_bucket_boundary=True))
        with pytest.raises(hf.errors.InvalidArgumentError, match="length < max"):
            list(data)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_of_no_elements_is_told_as_that(size):
    with hf.eager_mode(), pytest.raises(hf.errors.InvalidArgumentError, match=r"[Bb]atch.size"):
        list(hf.data.Dataset.range(7).apply(hf.data.experimental.map_and_batch(lambda x: x, size)))
