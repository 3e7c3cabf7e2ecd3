"""Sums of products over chosen axes: tensordot and einsum, by way of matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops.linalg.products import matmul

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["einsum", "tensordot"]


# -- shapes whose sizes are numbers where they are known, else scalar tensors ----------------------


def _sizes(x: Tensor) -> list[Any]:
    """The sizes of a tensor, whose rank must be known."""
    dims = x._dims
    assert dims is not None
    if None not in dims:
        return list(dims)
    shape = raw.Shape(x)
    return [shape[i] if size is None else size for i, size in enumerate(dims)]


def _product(sizes: Iterable[Any]) -> Any:
    known, unknown = 1, None
    for size in sizes:
        if isinstance(size, int):
            known *= size
        else:
            unknown = size if unknown is None else unknown * size
    return known if unknown is None else unknown * known


def _reshape(x: Tensor, sizes: Sequence[Any], name: str | None = None) -> Tensor:
    if all(isinstance(size, int) for size in sizes):
        return raw.Reshape(x, np.array(sizes, np.int32), name=name)
    static = [size if isinstance(size, int) else None for size in sizes]
    result: Tensor = raw.Reshape(x, raw.Pack(list(sizes), axis=0), name=name)
    result.set_shape(static)
    return result


# -- tensordot -------------------------------------------------------------------------------------


def _dot_axes(a: Tensor, b: Tensor, axes: Any) -> tuple[Any, Any]:
    """The axes of `a` and of `b` to sum over: sequences of ints, or vectors that a run tells.

    Raises:
      ValueError: if they make no pairs.
    """
    if isinstance(axes, list | tuple) and any(isinstance(part, Tensor) for part in axes):
        axes = convert_to_tensor(axes, dtypes.int32, name="axes")
    if isinstance(axes, Tensor):
        known = constant_value(axes)
        if known is None:
            if not axes.shape.is_compatible_with([2, None]):
                raise ValueError(
                    "'axes' must be an integer or have length 2: a tensor whose value a run tells "
                    f"has the shape [2, n], got {axes.shape}."
                )
            return axes[0], axes[1]
        axes = known.tolist()
    if isinstance(axes, int | np.integer):
        count = int(axes)
        if count < 1:
            raise ValueError("'axes' must be at least 1.")
        for x in (a, b):
            if x._dims is not None and count > len(x._dims):
                raise ValueError(
                    f"'axes' must not be larger than the number of dimensions of tensor {x}."
                )
        return range(-count, 0), range(count)
    if len(axes) != 2:
        raise ValueError("'axes' must be an integer or have length 2.")
    of_a, of_b = ([int(i) for i in np.atleast_1d(part)] for part in axes)
    if len(of_a) != len(of_b):
        raise ValueError(
            f"Different number of contraction axes 'a' and 'b', {len(of_a)} != {len(of_b)}."
        )
    return of_a, of_b


def _dot_matrix(x: Tensor, axes: Sequence[int] | Tensor, first: bool) -> tuple[Tensor, list[Any]]:
    """`x` as a matrix whose columns (or rows, if `first`) run over `axes`; and the other sizes."""
    dims = x._dims
    if dims is None or isinstance(axes, Tensor):
        return _dot_matrix_of_unknown(x, axes, first)
    rank = len(dims)
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"Contraction axis {axis} is out of range for a tensor of rank {rank}")
    inner = [axis % rank for axis in axes]
    outer = [axis for axis in range(rank) if axis not in inner]
    sizes = _sizes(x)
    rows, columns = (inner, outer) if first else (outer, inner)
    if [*rows, *columns] != list(range(rank)):
        x = raw.Transpose(x, np.array([*rows, *columns], np.int32), name="transpose")
    matrix = [_product([sizes[i] for i in part]) for part in (rows, columns)]
    return _reshape(x, matrix), [sizes[i] for i in outer]


def _dot_matrix_of_unknown(
    x: Tensor, axes: Sequence[int] | Tensor, first: bool
) -> tuple[Tensor, list[Any]]:
    """The same for unknown rank or axes; the other sizes come as one vector."""
    rank = raw.Rank(x)
    if not isinstance(axes, Tensor):
        axes = convert_to_tensor(np.array(axes, np.int32))
    places = raw.Range(0, rank, 1)
    inner = raw.FloorMod(axes, rank)
    chosen = raw.Any(raw.Equal(raw.ExpandDims(places, 1), raw.ExpandDims(inner, 0)), [1])
    outer = raw.Reshape(raw.Cast(raw.Where(raw.LogicalNot(chosen)), DstT=dtypes.int32), [-1])
    shape = raw.Shape(x)
    parts = (inner, outer) if first else (outer, inner)
    sizes = [raw.Prod(raw.Gather(shape, part), [0]) for part in parts]
    turned = raw.Transpose(x, raw.ConcatV2(list(parts), 0), name="transpose")
    return raw.Reshape(turned, raw.Pack(sizes, axis=0)), [raw.Gather(shape, outer)]


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Sums the products of the elements of `a` and `b` over pairs of axes.

    Args:
      a: tensor of a float or complex dtype or int32.
      b: tensor of the same dtype.
      axes: an int n: the last n axes of `a` go with the first n of `b`; or two lists of ints (or
        two ints): the axes of `a`, and those of `b` that go with them; or an int32 tensor `[2, n]`
        of these, which a run may tell.
      name: name of the op.

    Returns: a tensor of that dtype; its axes are the other ones of `a`, then those of `b`.

    Raises:
      ValueError: if the axes make no pairs or the sizes differ.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.tensordot([[1, 2], [3, 4]], [5, 6], 1).numpy())
    [17 39]
    """
    with name_scope(name, "Tensordot", [a, b, axes]) as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, a.dtype.base_dtype, name="b")
        of_a, of_b = _dot_axes(a, b, axes)
        left, left_sizes = _dot_matrix(a, of_a, first=False)
        right, right_sizes = _dot_matrix(b, of_b, first=True)
        product = matmul(left, right)
        sizes = [*left_sizes, *right_sizes]
        if all(x._dims is not None for x in (a, b)) and not isinstance(of_a, Tensor):
            return _reshape(product, sizes, scope)
        # Vectors of sizes among single ones.
        parts = [
            size if isinstance(size, Tensor) and size._dims != () else raw.Reshape(size, [1])
            for size in sizes
        ]
        return raw.Reshape(
            product, raw.ConcatV2(parts, 0) if len(parts) > 1 else parts[0], name=scope
        )


# -- einsum ----------------------------------------------------------------------------------------


def _parse(equation: str, count: int) -> tuple[list[str], str]:
    """The labels of each input and of the output.

    Raises:
      ValueError: if the equation is none, or is for another number of inputs.
    """
    equation = settings.string(equation, "equation").replace(" ", "")
    if "." in equation:
        raise ValueError("Subscripts with ellipses are not yet supported.")
    left, arrow, output = equation.partition("->")
    inputs = left.split(",")
    letters = "".join(inputs)
    if not (letters + output).isalpha() or (arrow and "-" in output):
        raise ValueError(f"Indices have incorrect format: {equation}")
    if len(inputs) != count:
        raise ValueError(
            f"Incorrect number of arguments: the equation {equation!r} is for {len(inputs)} "
            f"tensors, got {count}"
        )
    if not arrow:
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    for labels in (*inputs, output):
        if len(set(labels)) < len(labels):
            raise ValueError(f"Invalid equation: {equation} (an axis appears twice in {labels!r})")
    for label in output:
        if label not in letters:
            raise ValueError(
                f"Invalid equation: {equation} (the output's axis {label!r} is of no input)"
            )
    return inputs, output


def _sum_out(x: Tensor, labels: str, kept: set[str]) -> tuple[Tensor, str]:
    """Sums over the axes whose labels are not wanted any more."""
    axes = [i for i, label in enumerate(labels) if label not in kept]
    if not axes:
        return x, labels
    return raw.Sum(x, np.array(axes, np.int32)), "".join(c for c in labels if c in kept)


def _arranged(x: Tensor, labels: str, wanted: str) -> Tensor:
    order = np.array([labels.index(label) for label in wanted], np.int32)
    return raw.Transpose(x, order, name="transpose")


def _pair(x: Tensor, xs: str, y: Tensor, ys: str, kept: set[str]) -> tuple[Tensor, str]:
    """The product of two tensors, summed over the axes of both that are not wanted any more."""
    shared = [c for c in xs if c in ys]
    batch = "".join(c for c in shared if c in kept)
    summed = "".join(c for c in shared if c not in kept)
    only_x = "".join(c for c in xs if c not in ys)
    only_y = "".join(c for c in ys if c not in xs)
    x = _arranged(x, xs, batch + only_x + summed)
    y = _arranged(y, ys, batch + summed + only_y)
    labels = batch + only_x + only_y
    if not summed:
        for _ in only_y:
            x = raw.ExpandDims(x, -1)
        for _ in only_x:
            y = raw.ExpandDims(y, len(batch))
        return x * y, labels
    at, inner = len(batch), len(summed)
    if (len(only_x), inner, len(only_y)) == (1, 1, 1):
        return matmul(x, y), labels
    x_sizes, y_sizes = _sizes(x), _sizes(y)
    rows, columns = x_sizes[at : at + len(only_x)], y_sizes[at + inner :]
    common = _product(x_sizes[at + len(only_x) :])
    x = _reshape(x, [*x_sizes[:at], _product(rows), common])
    y = _reshape(y, [*y_sizes[:at], common, _product(columns)])
    return _reshape(matmul(x, y), [*x_sizes[:at], *rows, *columns]), labels


def _check_sizes(tensors: list[Tensor], inputs: list[str], equation: str) -> None:
    """Checks ranks and sizes, as far as they are known.

    Raises:
      ValueError: if they do not fit the equation.
    """
    sizes: dict[str, int] = {}
    for x, labels in zip(tensors, inputs, strict=True):
        if x._dims is None:
            x.set_shape([None] * len(labels))
        dims = x._dims
        assert dims is not None
        if len(dims) != len(labels):
            raise ValueError(
                f"Shape must be rank {len(labels)} but is rank {len(dims)}: {equation}"
            )
        for label, size in zip(labels, dims, strict=True):
            if size is not None and sizes.setdefault(label, size) != size:
                raise ValueError(
                    f"Dimensions must be equal, but axis {label!r} of {equation} has sizes "
                    f"{sizes[label]} and {size}"
                )


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Products of tensors, summed as Einstein's convention says: `C[i, k] = sum_j A[i, j] B[j, k]`.

    Args:
      equation: letters for the axes of each input, and of the output: `"ij,jk->ik"`. Without the
        output: those that occur once, in alphabetical order.
      *inputs: tensors of one float or complex dtype or int32.
      name: name of the scope.

    Returns: a tensor of that dtype.

    Raises:
      ValueError: if the equation is not of this form (an axis must not appear twice in one tensor,
        and there are no ellipses), or does not fit the inputs. TypeError: for another keyword.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.einsum("ij,jk->ik", [[1, 2]], [[3], [4]]).numpy())
    [[11]]
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"Invalid keyword arguments for this function: {', '.join(kwargs)}")
    with name_scope(name, "einsum", [equation, inputs]):
        labels, output = _parse(equation, len(inputs))
        tensors: list[Tensor] = []
        for value in inputs:
            dtype = tensors[0].dtype.base_dtype if tensors else None
            tensors.append(convert_to_tensor(value, dtype, name="input"))
        _check_sizes(tensors, labels, equation)
        wanted = [set(output).union(*labels[i + 1 :]) for i in range(len(labels))]
        result, axes = _sum_out(tensors[0], labels[0], wanted[0])
        for i in range(1, len(tensors)):
            other, its_axes = _sum_out(tensors[i], labels[i], wanted[i] | set(axes))
            result, axes = _sum_out(result, axes, wanted[i] | set(its_axes))
            result, axes = _pair(result, axes, other, its_axes, wanted[i])
        return _arranged(result, axes, output)
