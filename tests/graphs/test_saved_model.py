"""SavedModels: written, read, TensorFlow's, damaged ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.formats import messages

RECORDED = Path(__file__).parents[1] / "recorded" / "graphs" / "1_15" / "saved_model"
SERVING = [hf.saved_model.tag_constants.SERVING]
DEFAULT = hf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def model(use_resource=False):
    x = hf.placeholder(hf.float32, [None, 2], name="x")
    with hf.variable_scope("net", use_resource=use_resource):
        w = hf.get_variable("w", initializer=np.array([[1.0], [2.0]], np.float32))
    y = hf.matmul(x, w, name="y")
    return x, w, y


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "model")


def names(model_def, key=DEFAULT):
    signature = model_def.signature_def[key]
    return signature.inputs["x"].name, signature.outputs["y"].name


def test_a_model_of_tensorflow():
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = names(hf.saved_model.loader.load(session, SERVING, str(RECORDED)))
        assert session.run(y, {x: [[1.0, 1.0], [0.0, 2.0]]}).tolist() == [[3.5], [4.5]]
        assert [v.name for v in hf.trainable_variables()] == ["w:0", "b:0"]


def test_a_model_of_tensorflow_2():
    """Functions, in them control flow; variables are restored by functions too."""
    folder = RECORDED.parents[1] / "2_21" / "saved_model"
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = names(hf.saved_model.loader.load(session, SERVING, str(folder)))
        for value, wanted in ((1.0, 28.0), (-1.0, -5.5)):
            assert session.run(y, {x: [[value, value]]}).tolist() == [[wanted]]


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("use_resource", [False, True])
def test_what_is_saved_is_loaded(folder, as_text, use_resource):
    with hf.Graph().as_default(), hf.Session() as session:
        x, w, y = model(use_resource)
        session.run(w.initializer)
        session.run(w.assign(w * 10.0))
        builder = hf.saved_model.builder.SavedModelBuilder(folder)
        utils = hf.saved_model.signature_def_utils
        signatures = {DEFAULT: utils.predict_signature_def({"x": x}, {"y": y})}
        with pytest.raises(AssertionError, match="has not been saved yet"):
            builder.add_meta_graph(SERVING)
        builder.add_meta_graph_and_variables(session, SERVING, signatures)
        with pytest.raises(AssertionError, match="already been saved"):
            builder.add_meta_graph_and_variables(session, SERVING)
        builder.add_meta_graph(["train", "other"], clear_devices=True, strip_default_attrs=True)
        path = builder.save(as_text)
    assert path.endswith("pbtxt" if as_text else "pb")
    assert hf.saved_model.loader.maybe_saved_model_directory(folder)
    with hf.Graph().as_default(), hf.Session() as session:
        found = hf.saved_model.loader.load(session, SERVING, folder, import_scope="a")
        x, y = names(found)
        assert session.run(f"a/{y}", {f"a/{x}": [[1.0, 1.0]]}).tolist() == [[30]]
        info = found.signature_def[DEFAULT].outputs["y"]
        tensor = hf.saved_model.utils.get_tensor_from_tensor_info(info, import_scope="a")
        assert tensor.name == "a/y:0"
    with hf.Graph().as_default(), hf.Session() as session:
        stripped = hf.saved_model.loader.load(session, {"other", "train"}, folder)
        nodes = {node.name: node for node in stripped.graph_def.node}
        assert "transpose_a" in nodes["y"].attr  # as it is in effect
        with pytest.raises(
            RuntimeError, match=r"tags \['none'\] could not .* \['serve'\], \['other"
        ):
            hf.saved_model.loader.load(session, "none", folder)


def test_files_and_what_runs_on_loading(folder, tmp_path):
    (tmp_path / "words.txt").write_text("some words")
    with hf.Graph().as_default(), hf.Session() as session:
        path = hf.constant(str(tmp_path / "words.txt"), name="path")
        kept = hf.Variable("", name="kept", collections=[hf.GraphKeys.LOCAL_VARIABLES])
        init = kept.assign(path).op
        builder = hf.saved_model.builder.SavedModelBuilder(folder)
        with pytest.raises(TypeError, match="main_op needs to be an Operation"):
            builder.add_meta_graph_and_variables(session, SERVING, main_op="init")
        with pytest.raises(ValueError, match="Invalid asset filepath tensor"):
            builder.add_meta_graph_and_variables(
                session, SERVING, assets_collection=[hf.constant(1)]
            )
        builder.add_meta_graph_and_variables(
            session, SERVING, assets_collection=[path], legacy_init_op=init
        )
        builder.save()
    (tmp_path / "words.txt").unlink()
    shutil.move(folder, f"{folder}_moved")
    with hf.Graph().as_default(), hf.Session() as session:
        hf.saved_model.loader.load(session, SERVING, f"{folder}_moved")
        where = session.run("kept:0").decode()
        assert where.startswith(f"{folder}_moved")
        assert Path(where).read_text() == "some words"


def test_what_failed_may_be_tried_again(folder, tmp_path):
    """Nothing is left of it, so the folder is as good as new."""
    asset = tmp_path / "words"
    asset.write_text("a")
    with hf.Graph().as_default(), hf.Session() as session:
        x, w, y = model()
        hf.add_to_collection(hf.GraphKeys.ASSET_FILEPATHS, hf.constant(str(asset)))
        with pytest.raises(hf.errors.FailedPreconditionError):
            hf.saved_model.simple_save(session, folder, {"x": x}, {"y": y})
        assert not Path(folder).exists()
        session.run(w.initializer)
        builder = hf.saved_model.builder.SavedModelBuilder(folder)
        with pytest.raises(TypeError, match="needs to be an Operation"):
            builder.add_meta_graph_and_variables(session, SERVING, main_op=y)
        assert not Path(folder).exists()
        builder.add_meta_graph_and_variables(session, SERVING)
        builder.save()
    with hf.Graph().as_default(), hf.Session() as session:
        hf.saved_model.loader.load(session, SERVING, folder)
        assert session.run("net/w:0").tolist() == [[1.0], [2.0]]


def test_simple_save_and_a_model_without_variables(folder):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [], name="x")
        y = hf.cond(x > 0, lambda: x, lambda: -x)
        hf.saved_model.simple_save(session, folder, {"x": x}, {"y": y})
        with pytest.raises(AssertionError, match="Export directory already exists"):
            hf.saved_model.simple_save(session, folder, {"x": x}, {"y": x})
    with hf.Graph().as_default(), hf.Session() as session:
        x, y = names(hf.saved_model.loader.load(session, SERVING, folder))
        assert session.run(y, {x: -2.0}) == 2.0


def test_main_ops():
    with hf.Graph().as_default(), hf.Session() as session:
        v = hf.Variable(1.0)
        session.run(hf.saved_model.main_op.main_op())
        assert session.run(v) == 1.0
        restore = v.assign(2.0).op
        op = hf.saved_model.main_op.main_op_with_restore(restore.name)
        assert restore in op.control_inputs


def test_signatures():
    utils = hf.saved_model.signature_def_utils
    with hf.Graph().as_default():
        text, number = hf.constant(["a"]), hf.constant([1.0])
        valid = [
            utils.regression_signature_def(text, number),
            utils.classification_signature_def(text, text, number),
            utils.classification_signature_def(text, None, number),
            utils.predict_signature_def({"x": number}, {"y": text}),
        ]
        for call, message in (
            (lambda: utils.regression_signature_def(None, number), "examples cannot be None"),
            (lambda: utils.regression_signature_def(number, number), "must be a string Tensor"),
            (lambda: utils.regression_signature_def(text, None), "predictions cannot be None"),
            (lambda: utils.regression_signature_def(text, text), "output must be a float Tensor"),
            (lambda: utils.classification_signature_def(text, None, None), "cannot both be None"),
            (lambda: utils.classification_signature_def(None, text, text), "cannot be None"),
            (lambda: utils.classification_signature_def(text, number, None), "classes must be"),
            (lambda: utils.predict_signature_def({}, {"y": text}), "inputs cannot be None or"),
            (lambda: utils.predict_signature_def({"x": text}, None), "outputs cannot be None or"),
        ):
            with pytest.raises(ValueError, match=message):
                call()
    for signature in valid:
        assert utils.is_valid_signature(signature)
        signature.method_name = "other"
        assert not utils.is_valid_signature(signature)
    signature = valid[0]
    signature.method_name = hf.saved_model.signature_constants.CLASSIFY_METHOD_NAME
    assert not utils.is_valid_signature(signature)
    with pytest.raises(ValueError, match="Invalid TensorInfo"):
        hf.saved_model.utils.get_tensor_from_tensor_info(hf.TensorInfo())


def test_incomplete_signatures(folder):
    with hf.Graph().as_default(), hf.Session() as session:
        builder = hf.saved_model.builder.SavedModelBuilder(folder)
        signature = messages.SignatureDef()
        signature.inputs["x"].dtype = 1
        for field in ("name", "dtype"):
            with pytest.raises(AssertionError, match=f"must have the {field} field set"):
                builder.add_meta_graph_and_variables(session, SERVING, {"s": signature})
            signature.inputs["x"].CopyFrom(messages.TensorInfo(name="x:0"))


def test_models_that_are_none(tmp_path):
    def load():
        with hf.Graph().as_default(), hf.Session() as session:
            hf.saved_model.loader.load(session, SERVING, str(tmp_path))

    with pytest.raises(OSError, match="SavedModel file does not exist at"):
        load()
    (tmp_path / "saved_model.pbtxt").write_text("nonsense {")
    with pytest.raises(OSError, match="Cannot parse file"):
        load()
    (tmp_path / "saved_model.pb").write_bytes(b"\xff")
    with pytest.raises(OSError, match="Cannot parse file"):
        load()
    saved = messages.SavedModel.FromString((RECORDED / "saved_model.pb").read_bytes())
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(hf.errors.NotFoundError, match="variables/variables"):
        load()
    shutil.copytree(RECORDED / "variables", tmp_path / "variables")
    load()
    graph = saved.meta_graphs[0]
    graph.asset_file_def.add(filename="../../secret").tensor_info.name = "x:0"
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(ValueError, match="names a file outside of its folder"):
        load()
    del graph.asset_file_def[:]
    for name in ("y", "w"):
        graph.collection_def["legacy_init_op"].node_list.value.append(name)
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(RuntimeError, match="Expected exactly one legacy serving init op"):
        load()


def test_not_in_eager_mode(folder):
    with hf.eager_mode():
        with pytest.raises(RuntimeError, match="not supported when eager execution is enabled"):
            hf.saved_model.loader.load(None, SERVING, folder)
        with pytest.raises(RuntimeError, match="not supported when eager execution is enabled"):
            hf.saved_model.simple_save(None, folder, {}, {})


def test_a_sparse_tensor_in_a_signature():
    utils = hf.saved_model.utils
    with hf.Graph().as_default() as graph:
        x = hf.sparse_placeholder(hf.float32, [4, 3], name="x")
        info = utils.build_tensor_info(x)
    assert info.coo_sparse.values_tensor_name == x.values.name
    assert [dim.size for dim in info.tensor_shape.dim] == [4, 3]
    found = utils.get_tensor_from_tensor_info(info, graph)
    assert (found.indices, found.values) == (x.indices, x.values)
    assert found.dense_shape is x.dense_shape
    info.ClearField("encoding")
    with pytest.raises(ValueError, match=r"Invalid TensorInfo\.encoding"):
        utils.get_tensor_from_tensor_info(info, graph)


def test_what_fails_leaves_nothing(folder):
    """But a folder that was there."""
    with hf.Graph().as_default(), hf.Session() as session:
        x, w, y = model()
        Path(folder).mkdir()
        with pytest.raises(hf.errors.FailedPreconditionError):
            hf.saved_model.simple_save(session, folder, {"x": x}, {"y": y})
        assert list(Path(folder).iterdir()) == []
        session.run(w.initializer)
        hf.saved_model.simple_save(session, folder, {"x": x}, {"y": y})
        with pytest.raises(TypeError, match=r"export_dir must be the path of a folder"):
            hf.saved_model.loader.load(session, folder, SERVING)


def test_sparse_inputs(folder):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.sparse_placeholder(hf.float32, name="x")
        hf.saved_model.simple_save(session, folder, {"x": x}, {"y": hf.sparse_reduce_sum(x)})
    with hf.Graph().as_default() as graph, hf.Session() as session:
        signature = hf.saved_model.loader.load(session, SERVING, folder).signature_def[DEFAULT]
        x = hf.saved_model.utils.get_tensor_from_tensor_info(signature.inputs["x"], graph)
        value = hf.SparseTensorValue([[0, 1], [2, 2]], [3.0, 4.0], [3, 3])
        assert session.run(signature.outputs["y"].name, {x: value}) == 7.0


def test_a_signature_names_what_is_no_tensor(folder):
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.float32, [])
        with pytest.raises(ValueError, match="output 'y' of the signature: None values"):
            hf.saved_model.simple_save(session, folder, {"x": x}, {"y": None})
