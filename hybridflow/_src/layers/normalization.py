"""`BatchNormalization`: activations brought to mean 0 and variance 1, batch by batch."""

from __future__ import annotations

from typing import Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.framework.tensor_shape import TensorShape, dimension_at_index
from hybridflow._src.layers.arguments import known_value, smart_cond
from hybridflow._src.layers.input_spec import InputSpec
from hybridflow._src.layers.layer import Layer
from hybridflow._src.ops.arrays.casting import cast
from hybridflow._src.ops.arrays.constant import constant, ones, ones_like, zeros, zeros_like
from hybridflow._src.ops.arrays.reshaping import identity, reshape, stop_gradient
from hybridflow._src.ops.arrays.shape_ops import shape, size
from hybridflow._src.ops.math.elementwise import maximum, minimum, square
from hybridflow._src.ops.math.exponential import sqrt
from hybridflow._src.ops.math.reductions import reduce_mean
from hybridflow._src.ops.nn.fused_batch_norm import fused_batch_norm
from hybridflow._src.ops.nn.normalization import batch_normalization as nn_batch_normalization
from hybridflow._src.ops.nn.normalization import moments
from hybridflow._src.variables.averaging import assign_moving_average
from hybridflow._src.variables.initializers import Ones, Zeros

__all__ = ["BatchNormalization"]

ZEROS, ONES = Zeros(), Ones()
_CLIPPING = ("rmax", "rmin", "dmax")


class BatchNormalization(Layer):
    """`(inputs - mean) / sqrt(variance + epsilon) * gamma + beta`, per channel.

    While training, mean and variance are those of the batch, and running means of them are kept;
    otherwise they are the running means. Its variables are `gamma`, `beta`, `moving_mean` and
    `moving_variance`, each `[channels]`.

    In a graph the running means move by the operations in `GraphKeys.UPDATE_OPS`: make the train
    operation wait for them by `control_dependencies`. In eager mode they have moved.

    Args:
      axis: the axis of the channels, or a list of axes.
      momentum: share of the old running mean in the new.
      epsilon: added to the variance.
      center, scale: whether there are `beta` and `gamma`.
      beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: as
        for `hf.get_variable`, or Keras' names.
      beta_regularizer, gamma_regularizer: functions from a variable to a loss, or Keras' names.
      beta_constraint, gamma_constraint: projections after an optimizer's update, or Keras' names.
      renorm: batch renormalization: corrects, while training, by the running means. They are kept
        in `renorm_mean`, `renorm_stddev`, `renorm_mean_weight`, `renorm_stddev_weight`.
      renorm_clipping: bounds of the correction, a dict with "rmax", "rmin", "dmax".
      renorm_momentum: that of the running means for the correction.
      fused: whether the op that does all at once may be used; None and True for where it fits.
      trainable, name: as for `Layer`.
      virtual_batch_size: normalizes parts of the batch of this size, each by itself.
      adjustment: function from the shape of the inputs to a scale and an offset, which are applied
        while training before gamma and beta.

    It is called as `layer(inputs, training=False)`; `training` is a bool or a bool tensor.

    Raises:
      ValueError: for axes that there are not, an unknown key of `renorm_clipping`, or arguments
        that exclude each other; when called, for an unknown number of channels.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     layer = hf.layers.BatchNormalization(momentum=0.5)
    ...     y = layer(hf.constant([[1.0], [3.0]]), training=True)
    ...     print(y.numpy().ravel().round(2), layer.moving_mean.numpy())
    [-1.  1.] [1.]

    References: S. Ioffe, C. Szegedy, Batch Normalization, 2015; S. Ioffe, Batch Renormalization,
      2017.
    """

    # Programs that compare both ways of computing it have the variance of fused ones without the
    # factor n / (n - 1), under TensorFlow's name.
    _bessels_correction_test_only = True

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = ZEROS,
        gamma_initializer: Any = ONES,
        moving_mean_initializer: Any = ZEROS,
        moving_variance_initializer: Any = ONES,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.renorm = renorm
        self.renorm_clipping = dict(renorm_clipping or {})
        self.renorm_momentum = renorm_momentum
        self.fused = fused is None or fused
        self.virtual_batch_size = virtual_batch_size
        self.adjustment = adjustment
        if renorm and set(self.renorm_clipping) - set(_CLIPPING):
            raise ValueError(
                f"renorm_clipping {renorm_clipping} contains keys not in {list(_CLIPPING)}"
            )

    # -- variables ---------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the variables."""
        known = TensorShape(input_shape)
        if not known.ndims:
            raise ValueError("Input has undefined rank:", known)
        rank = known.ndims
        self._axes = self._normalized_axes(rank)
        sizes = {axis: dimension_at_index(known, axis).value for axis in self._axes}
        if None in sizes.values():
            raise ValueError(f"Input has undefined `axis` dimension. Input shape: {known}")
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        plain = not self.renorm and self.virtual_batch_size is None and self.adjustment is None
        self.fused = self.fused and plain and rank == 4 and self._axes in ([1], [3])
        if len(sizes) == 1 and self.virtual_batch_size is None:
            self._param_shape = list(sizes.values())
        else:
            self._param_shape = [sizes.get(axis, 1) for axis in range(rank)]
        if self.virtual_batch_size is not None:
            # The batch becomes two dimensions.
            self._param_shape.insert(1, 1)
            self._axes = [axis + 1 for axis in self._axes]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self._add(
                "gamma", self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
            )
        if self.center:
            self.beta = self._add(
                "beta", self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )
        self._add_moving()
        self.built = True

    def _normalized_axes(self, rank: int) -> list[int]:
        if not isinstance(self.axis, (int, list, tuple)):
            raise TypeError(f"axis must be int or list, type given: {type(self.axis)}")
        given = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        if not given:
            raise ValueError("axis must name an axis at least, got none")
        axes = [axis + rank if axis < 0 else axis for axis in given]
        for axis, wanted in zip(axes, given, strict=True):
            if not 0 <= axis < rank:
                raise ValueError(
                    f"Value of `axis` argument {wanted} is out of range for input with rank {rank}"
                )
        if len(set(axes)) < len(axes):
            raise ValueError(f"Duplicate axis: {axes}")
        if self.virtual_batch_size is not None:
            if self.virtual_batch_size <= 0:
                raise ValueError(
                    "virtual_batch_size must be a positive integer that divides the true batch "
                    f"size of the input Tensor, got {self.virtual_batch_size}"
                )
            if 0 in axes:
                raise ValueError(
                    "When using virtual_batch_size, the batch dimension must be 0 and thus axis "
                    "cannot include 0"
                )
            if self.adjustment is not None:
                raise ValueError("When using virtual_batch_size, adjustment cannot be specified")
        return axes

    def _dtype_of_params(self) -> dtypes.DType:
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        return dtypes.float32 if dtype is dtypes.float16 else dtype

    def _add(
        self,
        name: str,
        initializer: Any,
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
        shape: Any = None,
    ) -> Any:
        return self.add_variable(
            name,
            self._param_shape if shape is None else shape,
            self._dtype_of_params(),
            initializer,
            regularizer,
            trainable,
            constraint,
        )

    def _add_moving(self) -> None:
        """Makes the running means, which are never partitioned."""
        assert self._scope is not None
        partitioner = self._scope.partitioner
        self._scope.set_partitioner(None)
        try:
            self.moving_mean = self._add(
                "moving_mean", self.moving_mean_initializer, trainable=False
            )
            self.moving_variance = self._add(
                "moving_variance", self.moving_variance_initializer, trainable=False
            )
            if self.renorm:
                for of in ("mean", "stddev"):
                    mean = self._add(f"renorm_{of}", ZEROS, trainable=False)
                    weight = self._add(f"renorm_{of}_weight", ZEROS, trainable=False, shape=())
                    setattr(self, f"renorm_{of}", mean)
                    setattr(self, f"renorm_{of}_weight", weight)
        finally:
            self._scope.set_partitioner(partitioner)

    # -- calls -------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = False) -> Any:  # type: ignore[override]
        """Normalizes; moves the running means while training."""
        if self.virtual_batch_size is not None:
            whole = shape(inputs)
            rest = inputs.shape.as_list()[1:]
            parts = reshape(inputs, [self.virtual_batch_size, -1, *rest])
            outputs = reshape(self._normalized(parts, inputs, training), whole)
            outputs.set_shape(inputs.shape)
            return outputs
        if self.fused:
            return self._fused(inputs, training)
        return self._normalized(inputs, inputs, training)

    def _fused(self, inputs: Any, training: Any) -> Any:
        dtype = self._dtype_of_params()
        scale = ones(self._param_shape, dtype) if self.gamma is None else self.gamma
        offset = zeros(self._param_shape, dtype) if self.beta is None else self.beta
        data_format = "NCHW" if self._axes == [1] else "NHWC"

        def by_batch() -> Any:
            return fused_batch_norm(
                inputs, scale, offset, epsilon=self.epsilon, data_format=data_format
            )

        def by_moving() -> Any:
            return fused_batch_norm(
                inputs,
                scale,
                offset,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
                data_format=data_format,
            )

        outputs, mean, variance = smart_cond(training, by_batch, by_moving)
        if not self._bessels_correction_test_only:
            count = cast(size(inputs) / size(variance), dtype)
            variance *= (count - 1.0) / count
        self._move(mean, variance, inputs, training)
        return outputs

    def _move(self, mean: Any, variance: Any, inputs: Any, training: Any) -> None:
        """Moves the running means towards mean and variance, where one trains."""
        if known_value(training) is False:
            return
        momentum = smart_cond(training, lambda: self.momentum, lambda: constant(1.0))
        for variable, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            update = assign_moving_average(variable, value, momentum, zero_debias=False)
            self.add_update(update, inputs)

    def _normalized(self, x: Any, inputs: Any, training: Any) -> Any:
        """`x` normalized, which holds the inputs, perhaps in another shape."""
        dtype = x.dtype.base_dtype
        x = cast(x, self._dtype_of_params())
        rank = x.shape.ndims
        axes = [axis for axis in range(rank) if axis not in self._axes]
        if self.virtual_batch_size is not None:
            axes.remove(1)
        wide = [1] * rank
        wide[self._axes[0]] = int(dimension_at_index(x.shape, self._axes[0]))

        def along(vector: Any) -> Any:
            """A vector of the channels in a shape that broadcasts."""
            if vector is None or vector.shape.ndims == rank or axes == list(range(rank - 1)):
                return vector
            return reshape(vector, wide)

        scale, offset = along(self.gamma), along(self.beta)
        if known_value(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            if self.adjustment is not None:
                factor, bias = self.adjustment(shape(inputs))
                factor = smart_cond(training, lambda: factor, lambda: ones_like(factor))
                bias = smart_cond(training, lambda: bias, lambda: zeros_like(bias))
                scale, offset = _composed(factor, bias, scale, offset)
            keep_dims = self.virtual_batch_size is not None or len(self._axes) > 1
            batch_mean, batch_variance = moments(x, axes, keep_dims=keep_dims)
            mean = smart_cond(training, lambda: batch_mean, lambda: _value(self.moving_mean))
            variance = smart_cond(
                training, lambda: batch_variance, lambda: _value(self.moving_variance)
            )
            new_mean, new_variance = mean, variance
            if self.renorm:
                r, d, new_mean, new_variance = self._renormalized(mean, variance, training)
                r = along(stop_gradient(r, name="renorm_r"))
                d = along(stop_gradient(d, name="renorm_d"))
                scale, offset = _composed(r, d, scale, offset)
            if self.virtual_batch_size is not None:
                new_mean = reduce_mean(new_mean, axis=1, keep_dims=True)
                new_variance = reduce_mean(new_variance, axis=1, keep_dims=True)
            self._move(new_mean, new_variance, inputs, training)
        outputs = nn_batch_normalization(
            x, along(mean), along(variance), offset, scale, self.epsilon
        )
        outputs = cast(outputs, dtype)
        outputs.set_shape(x.shape)
        return outputs

    def _renormalized(self, mean: Any, variance: Any, training: Any) -> tuple[Any, ...]:
        """The correction, factor and offset, and what the running means are to move to."""
        running = vars(self)
        stddev = sqrt(variance + self.epsilon)
        mixed = {
            of: running[f"renorm_{of}"] + (1.0 - running[f"renorm_{of}_weight"]) * value
            for of, value in (("mean", mean), ("stddev", stddev))
        }
        r = stddev / mixed["stddev"]
        d = (mean - mixed["mean"]) / mixed["stddev"]
        with control_dependencies([r, d]):
            mean, stddev = identity(mean), identity(stddev)
        rmin, rmax, dmax = (self.renorm_clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        if rmin is not None:
            r = maximum(r, rmin)
        if rmax is not None:
            r = minimum(r, rmax)
        if dmax is not None:
            d = minimum(maximum(d, -dmax), dmax)
        factor = smart_cond(training, lambda: r, lambda: ones_like(r))
        offset = smart_cond(training, lambda: d, lambda: zeros_like(d))
        momentum = smart_cond(training, lambda: self.renorm_momentum, lambda: constant(1.0))
        new_mean = self._renorm_average("mean", mean, momentum)
        new_variance = square(self._renorm_average("stddev", stddev, momentum)) - self.epsilon
        # Before the first batch that trains both averages are 0 / 0.
        new_mean = smart_cond(training, lambda: new_mean, lambda: _value(self.moving_mean))
        new_variance = smart_cond(
            training, lambda: new_variance, lambda: _value(self.moving_variance)
        )
        return factor, offset, new_mean, new_variance

    def _renorm_average(self, of: str, value: Any, momentum: Any) -> Any:
        """Moves a running mean, and the weight of all that it has seen; gives their quotient."""
        average, weight = vars(self)[f"renorm_{of}"], vars(self)[f"renorm_{of}_weight"]
        with control_dependencies([value]):
            one = constant(1.0, dtype=weight.dtype.base_dtype)
        moved = assign_moving_average(average, value, momentum, zero_debias=False)
        counted = assign_moving_average(weight, one, momentum, zero_debias=False)
        return _value(moved) / _value(counted)


def _value(variable: Any) -> Any:
    return convert_to_tensor(variable)


def _composed(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    """Two scales and offsets, one after the other, as one."""
    if then_scale is not None:
        scale *= then_scale
        offset *= then_scale
    if then_offset is not None:
        offset += then_offset
    return scale, offset
