"""What objects that hold settings are shown as."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import hybridflow as hf

SHOWN = {
    "AdamOptimizer(learning_rate=0.1, beta1=0.8)": lambda: hf.train.AdamOptimizer(0.1, 0.8),
    "AdamOptimizer()": lambda: hf.train.AdamOptimizer(0.001, use_locking=False, name="Adam"),
    "AdadeltaOptimizer(learning_rate=0.5)": lambda: hf.train.AdadeltaOptimizer(0.5),
    "MomentumOptimizer(learning_rate=0.5, momentum=0.9, use_nesterov=True)": lambda: (
        hf.train.MomentumOptimizer(0.5, 0.9, use_nesterov=True)
    ),
    "ExponentialMovingAverage(decay=0.9)": lambda: hf.train.ExponentialMovingAverage(0.9),
    "Zeros()": lambda: hf.zeros_initializer(),
    "Ones(dtype=<dtype: 'float64'>)": lambda: hf.ones_initializer(hf.float64),
    "Constant(value=array([1., 2.]))": lambda: hf.constant_initializer(np.array([1.0, 2.0])),
    "TruncatedNormal(stddev=0.1, seed=3)": lambda: hf.truncated_normal_initializer(
        stddev=0.1, seed=3
    ),
    "L1L2(l2=0.5)": lambda: hf.keras.regularizers.L1L2(l2=0.5),
    "MaxNorm(max_value=2.0, axis=0)": lambda: hf.constraints.MaxNorm(2.0),
    "GradientTape(persistent=True)": lambda: hf.GradientTape(persistent=True),
    "variable_scope(name_or_scope='a', reuse=hf.AUTO_REUSE)": lambda: hf.variable_scope(
        "a", reuse=hf.AUTO_REUSE
    ),
    "name_scope(name='a')": lambda: hf.name_scope("a"),
    "hf.AUTO_REUSE": lambda: hf.AUTO_REUSE,
    "<hf.EagerVariableStore with 0 variables>": lambda: hf.EagerVariableStore(),
}


@pytest.mark.parametrize("shown", SHOWN)
def test_settings_are_shown(shown):
    assert repr(SHOWN[shown]()) == shown


def test_a_function_is_shown_as_the_call_that_made_it():
    shown = "<function fixed_size_partitioner(3, axis=1) at 0x"
    assert repr(hf.fixed_size_partitioner(3, 1)).startswith(shown)


def test_a_regularizer_is_shown_as_the_call_that_made_it():
    shown = "sum_regularizer([l1_regularizer(1.0), l2_regularizer(2.0)])"
    assert repr(hf.contrib.layers.l1_l2_regularizer(1.0, 2.0)) == shown


def test_a_scope_shows_what_variables_get_from_it():
    with (
        hf.Graph().as_default(),
        hf.variable_scope(
            "a", reuse=True, initializer=hf.ones_initializer(), constraint=hf.constraints.NonNeg()
        ) as scope,
    ):
        shown = "<hf.VariableScope 'a' reuse=True initializer=Ones() constraint=NonNeg()>"
        assert repr(scope) == shown


def test_classes_of_a_user_are_shown_by_what_they_keep():
    class Mine(hf.train.Optimizer):
        def __init__(self, rate, *more, other=2, **rest):
            super().__init__(False, "Mine")
            self.rate = rate

    class Kept(hf.constraints.Constraint):
        def __init__(self, low):
            self._low = low

    assert repr(Mine(0.5)) == "Mine(rate=0.5)"
    assert repr(Kept([1] * 99)) == f"Kept(low=[{'1, ' * 32}...)"


SETTINGS = (
    hf.train.Optimizer,
    hf.initializers.Initializer,
    hf.keras.regularizers.Regularizer,
    hf.constraints.Constraint,
)


def classes_of_settings():
    modules = (hf.train, hf.initializers, hf.keras.regularizers, hf.constraints, hf.contrib.opt)
    for module in modules:
        for name in module.__all__:
            cls = getattr(module, name)
            if inspect.isclass(cls) and issubclass(cls, SETTINGS):
                yield pytest.param(cls, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("cls", list(classes_of_settings()))
def test_no_public_class_of_settings_is_shown_by_its_address(cls):
    assert cls.__repr__ is not object.__repr__
