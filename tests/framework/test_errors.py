"""Error classes, codes, messages and pickling."""

from __future__ import annotations

import copy
import pickle

import pytest

from hybridflow._src.framework import errors

CODES = {
    "CancelledError": 1,
    "UnknownError": 2,
    "InvalidArgumentError": 3,
    "DeadlineExceededError": 4,
    "NotFoundError": 5,
    "AlreadyExistsError": 6,
    "PermissionDeniedError": 7,
    "ResourceExhaustedError": 8,
    "FailedPreconditionError": 9,
    "AbortedError": 10,
    "OutOfRangeError": 11,
    "UnimplementedError": 12,
    "InternalError": 13,
    "UnavailableError": 14,
    "DataLossError": 15,
    "UnauthenticatedError": 16,
}


class FakeOp:
    name = "layer/MatMul"
    type = "MatMul"
    user_frame = ("model.py", 12, "y = tf.matmul(x, w)")


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_class_and_code_belong_together(name, code):
    cls = getattr(errors, name)
    constant = "".join("_" + c if c.isupper() else c for c in name.removesuffix("Error"))
    assert getattr(errors, constant.strip("_").upper()) == code
    assert errors.exception_type_from_error_code(code) is cls
    assert errors.error_code_from_exception_type(cls) == code
    error = cls("node", None, "what happened")
    assert isinstance(error, errors.OpError)
    assert (error.node_def, error.op, error.message) == ("node", None, "what happened")
    assert error.error_code == code
    assert str(error) == "what happened"


def test_codes_without_a_class():
    assert errors.OK == 0
    for code in (errors.OK, 17):
        with pytest.raises(KeyError):
            errors.exception_type_from_error_code(code)
    with pytest.raises(KeyError):
        errors.error_code_from_exception_type(errors.OpError)
    assert errors.OpError(None, None, "m", 99).error_code == 99


def test_message_leads_to_the_users_line():
    error = errors.InvalidArgumentError(None, FakeOp(), "shapes differ")
    assert error.message == "shapes differ"
    assert str(error) == (
        "shapes differ\n\nCaused by op 'layer/MatMul', defined at: model.py:12: y = tf.matmul(x, w)"
    )


def test_message_of_an_op_without_a_known_line():
    op = FakeOp()
    op.user_frame = None
    assert str(errors.InternalError(None, op, "m")) == "m\n\nCaused by op 'layer/MatMul'"
    op.user_frame = ("<stdin>", 1, "")
    text = "m\n\nCaused by op 'layer/MatMul', defined at: <stdin>:1"
    assert str(errors.InternalError(None, op, "m")) == text


@pytest.mark.parametrize(
    ("cls", "builtin"), [(errors.ShapeError, ValueError), (errors.DTypeError, TypeError)]
)
def test_our_own_two_are_both_kinds_of_error(cls, builtin):
    op = FakeOp()
    for expected in (builtin, errors.InvalidArgumentError, errors.OpError):
        with pytest.raises(expected, match="does not fit"):
            raise cls("does not fit")
    assert cls("m", op=op).op is op
    assert cls("m").error_code == errors.INVALID_ARGUMENT
    assert errors.error_code_from_exception_type(cls) == errors.INVALID_ARGUMENT
    assert errors.exception_type_from_error_code(errors.INVALID_ARGUMENT) is (
        errors.InvalidArgumentError
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.OpError(None, None, "m", 99),
        errors.NotFoundError(None, FakeOp(), "m"),
        errors.ShapeError("m"),
        errors.DTypeError("m", FakeOp()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_pickling_keeps_class_code_and_text(error):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(error, protocol))
        assert type(back) is type(error)
        assert back.error_code == error.error_code
        assert str(back) == str(error)
        assert (back.op is None) == (error.op is None)
        assert str(pickle.loads(pickle.dumps(back))) == str(error)
    assert str(copy.copy(error)) == str(error)


def test_pickling_does_not_need_the_op_to_be_picklable():
    op = FakeOp()
    op.graph = lambda: None
    back = pickle.loads(pickle.dumps(errors.AbortedError(None, op, "m")))
    assert (back.op.name, back.op.type) == ("layer/MatMul", "MatMul")
