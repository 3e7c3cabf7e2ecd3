"""Constraints on matrices: singular values, eigenvalues, symmetry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.tensor_shape import compatible
from hybridflow._src.ops.arrays.arranging import matrix_transpose
from hybridflow._src.ops.arrays.broadcasting import broadcast_to
from hybridflow._src.ops.arrays.reshaping import expand_dims
from hybridflow._src.ops.arrays.selecting import where
from hybridflow._src.ops.arrays.shape_ops import shape
from hybridflow._src.ops.linalg import decompositions as _decompositions  # noqa: F401 - registers ops
from hybridflow._src.ops.linalg.products import matmul
from hybridflow._src.ops.math.comparison import greater_equal, less_equal
from hybridflow._src.ops.math.elementwise import maximum, minimum
from hybridflow._src.ops.math.reductions import reduce_max, reduce_min
from hybridflow._src.variables.constraints.axes import as_matrix
from hybridflow._src.variables.constraints.base import Projection, known, number

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

__all__ = ["PSD", "Orthonormal", "SpectralNorm", "Symmetric"]


@known("spectral_norm")
class SpectralNorm(Projection):
    """A matrix whose largest singular value is bounded: a layer with that Lipschitz constant.

        set      {w : sigma_max(w) <= bound}
        problem  min |y - w|_F  subject to  sigma_max(y) <= bound
        formula  y = u diag(min(s, bound)) v^T  for the decomposition w = u diag(s) v^T into
                 singular values and vectors

    The exact projection; inside the set w comes back bit for bit. A tensor of higher rank is taken
    as one matrix, with all axes but the last for its rows, as `orthogonal_initializer` does. One
    element that is not finite makes all NaN.

    Args:
      bound: a number >= 0.

    Reference: Horn, Johnson: Matrix Analysis, section 7.4 (unitarily invariant norms).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.SpectralNorm(1.0)(hf.constant([[3.0, 0.0], [0.0, 0.5]])).numpy())
    [[1.  0. ]
     [0.  0.5]]
    """

    _settings = ("bound",)

    def __init__(self, bound: float = 1.0) -> None:
        self.bound = number("bound", bound, 0)

    def _project(self, w: Tensor) -> Tensor:
        return as_matrix(w, self._matrix)

    def _matrix(self, w: Tensor) -> Tensor:
        s, u, v = raw.Svd(w)
        clipped = matmul(u * minimum(s, self.bound), v, transpose_b=True)
        return where(less_equal(reduce_max(s), self.bound), w, clipped)


@known("orthonormal")
class Orthonormal(Projection):
    """A matrix with orthonormal columns (or rows, where it has fewer rows): the Stiefel manifold.

        set      {w : w^T w = I}
        problem  min |y - w|_F  subject to  y^T y = I
        formula  y = u v^T  for the decomposition w = u diag(s) v^T into singular values and
                 vectors: the orthogonal factor of the polar decomposition

    The exact projection onto a set that is not convex: where w has not full rank (zero above all),
    several points are nearest and one of them is the result. A tensor of higher rank is taken as
    one matrix, with all axes but the last for its rows, as `orthogonal_initializer` does. One
    element that is not finite makes all NaN.

    Reference: Fan, Hoffman: Some metric inequalities in the space of matrices, Proceedings of the
    AMS 6 (1955); Higham: Computing the polar decomposition, SIAM J. Sci. Stat. Comput. 7 (1986).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Orthonormal()(hf.constant([[0.0, -2.0], [3.0, 0.0]])).numpy() + 0)
    [[ 0. -1.]
     [ 1.  0.]]
    """

    convex = False

    def _project(self, w: Tensor) -> Tensor:
        return as_matrix(w, self._matrix)

    def _matrix(self, w: Tensor) -> Tensor:
        _, u, v = raw.Svd(w)
        return matmul(u, v, transpose_b=True)


class _Square(Projection):
    """A constraint on the square matrices in the last two axes."""

    def row_wise(self, rank: int | None) -> bool:
        return rank is not None and rank > 2


@known("symmetric")
class Symmetric(_Square):
    """Matrices that equal their transposes.

        set      {w : w = w^T} for each matrix in the last two axes
        problem  min |y - w|_F  subject to  y = y^T
        formula  y = (w + w^T) / 2

    The exact projection; a symmetric w comes back bit for bit. NaN spreads to the mirrored element.

    Raises:
      ValueError (when called): if the matrices are not square.

    Reference: Fan, Hoffman: Some metric inequalities in the space of matrices, Proceedings of the
    AMS 6 (1955).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.Symmetric()(hf.constant([[1.0, 2.0], [4.0, 3.0]])).numpy())
    [[1. 3.]
     [3. 3.]]
    """

    def _project(self, w: Tensor) -> Tensor:
        dims = w._dims
        if dims is not None and (len(dims) < 2 or not compatible(dims[-1:], dims[-2:-1])):
            raise ValueError(f"{self!r} needs square matrices, got a tensor of shape {w.shape}.")
        return (w + matrix_transpose(w)) * 0.5


@known("psd")
class PSD(_Square):
    """Symmetric matrices without negative eigenvalues: the positive semidefinite cone.

        set      {w : w = w^T, x^T w x >= 0 for all x} for each matrix in the last two axes
        problem  min |y - w|_F  subject to  y in the set
        formula  y = v diag(max(e, 0)) v^T  for eigenvalues e and eigenvectors v of (w + w^T) / 2

    The exact projection; a positive semidefinite w comes back bit for bit, unless rounding makes an
    eigenvalue seem negative. The zero matrix stays zero. One element that is not finite makes its
    whole matrix NaN.

    Raises:
      ValueError (when called): if the matrices are not square.

    Reference: Higham: Computing a nearest symmetric positive semidefinite matrix, Linear Algebra
    and its Applications 103 (1988).

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.constraints.PSD()(hf.constant([[2.0, 0.0], [0.0, -1.0]])).numpy())
    [[2. 0.]
     [0. 0.]]
    """

    def _project(self, w: Tensor) -> Tensor:
        w = Symmetric()._project(w)
        e, v = raw.SelfAdjointEigV2(w)
        clipped = matmul(v * expand_dims(maximum(e, 0.0), -2), v, transpose_b=True)
        inside = greater_equal(reduce_min(e, -1, keepdims=True), 0.0)
        # Rounding may leave the product a little asymmetric.
        return where(
            broadcast_to(expand_dims(inside, -1), shape(w)), w, Symmetric()._project(clipped)
        )
