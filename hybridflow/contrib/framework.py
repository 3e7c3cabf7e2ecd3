"""Variables by scope and name, the global step, values of checkpoints."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.data.record_input import RecordInput
    from hybridflow._src.framework import nest
    from hybridflow._src.framework.scopes import get_name_scope
    from hybridflow._src.layers.arguments import smart_cond
    from hybridflow._src.ops.checks.types import assert_same_float_dtype
    from hybridflow._src.ops.data_flow.barriers import Barrier
    from hybridflow._src.runtime.defun import Defun
    from hybridflow._src.train.saving.assigning import (
        assign_from_checkpoint,
        assign_from_checkpoint_fn,
        assign_from_values,
        assign_from_values_fn,
    )
    from hybridflow._src.train.saving.initializing import init_from_checkpoint
    from hybridflow._src.train.saving.reader import list_variables, load_checkpoint, load_variable
    from hybridflow._src.train.saving.remapped import (
        load_and_remap_matrix_initializer,
        load_embedding_initializer,
        load_linear_multiclass_bias_initializer,
        load_variable_slot_initializer,
    )
    from hybridflow._src.train.training_util import (
        assert_global_step,
        assert_or_get_global_step,
        create_global_step,
        get_global_step,
        get_or_create_global_step,
    )
    from hybridflow._src.variables.collected import (
        VariableDeviceChooser,
        global_variable,
        local_variable,
        model_variable,
        variable,
    )
    from hybridflow._src.variables.finding import (
        add_model_variable,
        filter_variables,
        get_local_variables,
        get_model_variables,
        get_trainable_variables,
        get_unique_variable,
        get_variable_full_name,
        get_variables,
        get_variables_by_name,
        get_variables_by_suffix,
        get_variables_to_restore,
    )
    from hybridflow._src.variables.tensors import is_tensor

__all__ = [
    "Barrier",
    "Defun",
    "RecordInput",
    "VariableDeviceChooser",
    "add_model_variable",
    "assert_global_step",
    "assert_or_get_global_step",
    "assert_same_float_dtype",
    "assign_from_checkpoint",
    "assign_from_checkpoint_fn",
    "assign_from_values",
    "assign_from_values_fn",
    "create_global_step",
    "filter_variables",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_name_scope",
    "get_or_create_global_step",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variable_full_name",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "get_variables_to_restore",
    "global_variable",
    "init_from_checkpoint",
    "is_tensor",
    "list_variables",
    "load_and_remap_matrix_initializer",
    "load_checkpoint",
    "load_embedding_initializer",
    "load_linear_multiclass_bias_initializer",
    "load_variable",
    "load_variable_slot_initializer",
    "local_variable",
    "model_variable",
    "nest",
    "smart_cond",
    "variable",
]
