"""What control flow functions take and give: structures, and what is said of wrong ones."""

from __future__ import annotations

import collections

import pytest

import hybridflow as hf

Pair = collections.namedtuple("Pair", "i x")


@pytest.fixture(params=["graph", "eager"])
def mode(request):
    with hf.eager_mode() if request.param == "eager" else hf.graph_mode():
        yield request.param


@pytest.mark.parametrize("first", [[0, 1.0], (0, 1.0), Pair(0, 1.0)], ids=["list", "tuple", "pair"])
@pytest.mark.parametrize(
    "body",
    [lambda i, x: [i + 1, x], lambda i, x: (i + 1, x), lambda i, x: Pair(i + 1, x)],
    ids=["list", "tuple", "pair"],
)
def test_a_loop_gives_the_kind_of_sequence_that_its_body_gave(mode, first, body) -> None:
    found = hf.while_loop(lambda i, _: i < 3, body, first)
    assert type(found) is type(body(0, 0.0))
    values = [t.numpy() for t in found] if mode == "eager" else hf.Session().run(list(found))
    assert values == [3, 1.0]


def test_a_loop_that_never_turns_gives_one_kind_in_both_modes() -> None:
    assert type(hf.while_loop(lambda i, _: i < 0, lambda i, x: (i, x), [0, 1])) is tuple
    with hf.eager_mode():
        # Its body is not called.
        assert type(hf.while_loop(lambda i, _: i < 0, lambda i, x: (i, x), [0, 1])) is list


@pytest.mark.parametrize(
    ("body", "error", "match"),
    [
        (lambda i, d: None, ValueError, "returned None. None values not supported: a function wi"),
        (lambda i, d: (i + 1, None), ValueError, "loop variable 1 of 'while.*' is None after one"),
        (lambda i, d: (None, d), ValueError, "loop variable 0 of 'while.*' is None after one"),
        (lambda i, d: (i + 1, [d["a"]]), TypeError, "dict and list.*loop variable 1 of"),
        (lambda i, d: (i + 1, {"b": 1}), ValueError, r"keys: \['a'\], \['b'\].*loop variable 1"),
        (
            lambda i, d: (i + 1, d["a"]),
            ValueError,
            "(?s)nested structure.*loop variable 1 of 'while.*'",
        ),
        (lambda i, d: (i + 1, d, d), ValueError, "has 2 variables, the body returned 3"),
    ],
)
def test_bodies_that_give_another_structure(mode, body, error, match) -> None:
    with pytest.raises(error, match=match):
        hf.while_loop(lambda i, _: i < 3, body, [0, {"a": 1}])


def test_loop_variables_that_are_no_list(mode) -> None:
    with pytest.raises(TypeError, match=r"list or tuple of the first values.*Write `\[x\]`"):
        hf.while_loop(lambda i: i < 3, lambda i: i + 1, hf.constant(0))


def test_functions_without_return() -> None:
    x = hf.constant([1.0, 2.0])
    for true_fn, false_fn in ((lambda: None, lambda: x), (lambda: x, lambda: None)):
        with pytest.raises(ValueError, match=r"_fn of cond 'cond.*' must have a return value"):
            hf.cond(x[0] > 0.0, true_fn, false_fn)
    with pytest.raises(ValueError, match="branch 1 of case 'case' must have a return value"):
        hf.case([(x[0] > 0.0, lambda: x)], default=lambda: None)
    with pytest.raises(TypeError, match="got None: a function without `return`"):
        hf.while_loop(lambda i: None, lambda i: i + 1, [0])


def test_branches_that_give_a_sparse_tensor_and_a_tensor() -> None:
    x = hf.constant([1.0, 2.0])
    sparse = hf.SparseTensor([[0]], [1.0], [2])
    with pytest.raises(TypeError, match=r"true_fn of cond.*same kinds of leaves: .*SparseTensor"):
        hf.cond(x[0] > 0.0, lambda: sparse, lambda: x)


def test_what_is_no_condition_and_no_element_of_a_graph() -> None:
    with pytest.raises(TypeError, match=r"`hf.cast.pred, hf.bool.` is true where"):
        hf.cond(hf.constant(1), lambda: 1, lambda: 2)
    with pytest.raises(TypeError, match=r"boolean scalar.*`i < 3` is one"):
        hf.while_loop(lambda i: 5 - i, lambda i: i + 1, [0])
    with pytest.raises(TypeError, match=r"`array.stack..` is a tensor of its elements"):
        hf.Session().run(hf.TensorArray(hf.float32, 3))


def test_a_tensor_that_left_its_body() -> None:
    left = []

    def body(i):
        left.append(hf.multiply(i, 2, name="double"))
        return i + 1

    hf.while_loop(lambda i: i < 3, body, [0])
    text = "Cannot use '.*/double' as input to 'mine' because '.*/double' is in a while loop. "
    with pytest.raises(ValueError, match=text) as caught:
        hf.negative(left[0], name="mine")
    assert "use what `cond` or `while_loop` returns" in str(caught.value)
