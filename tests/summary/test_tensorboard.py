"""What TensorBoard's own reader finds in the files."""

from __future__ import annotations

import numpy as np
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector import projector_config_pb2

import hybridflow as hf


def test_a_training_run(tmp_path):
    with hf.Graph().as_default() as graph, hf.Session() as session:
        x = hf.placeholder(hf.float32, [])
        hf.summary.scalar("loss", x)
        hf.summary.histogram("weights", x * np.float32([1, 2, 3]))
        hf.summary.image("picture", hf.ones([1, 4, 5, 3]), max_outputs=1)
        hf.summary.audio("sound", hf.zeros([1, 10]), 8000.0, max_outputs=1)
        hf.summary.text("note", hf.constant("*hello*"))
        summaries = hf.summary.merge_all()
        metadata = hf.RunMetadata()
        trace = hf.RunOptions(trace_level=hf.RunOptions.FULL_TRACE)
        with hf.summary.FileWriter(tmp_path, graph) as writer:
            for step in range(3):
                found = session.run(summaries, {x: step}, options=trace, run_metadata=metadata)
                writer.add_summary(found, step)
            writer.add_run_metadata(metadata, "last", step)
    read = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0})
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("loss")] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    histogram = read.Histograms("weights")[2].histogram_value
    assert (histogram.min, histogram.max, histogram.sum) == (2.0, 6.0, 12.0)
    image = read.Images("picture/image")[0]
    assert (image.width, image.height) == (5, 4)
    assert image.encoded_image_string.startswith(b"\x89PNG")
    sound = read.Audio("sound/audio")[0]
    assert (sound.sample_rate, sound.length_frames) == (8000.0, 10)
    assert read.Tensors("note")[0].tensor_proto.string_val == [b"*hello*"]
    assert read.PluginTagToContent("text") == {"note": b""}
    names = [node.name for node in read.Graph().node]
    assert names == [op.name for op in graph.get_operations()]
    stats = read.RunMetadata("last").step_stats.dev_stats[0].node_stats
    assert any(node.all_end_rel_micros >= 0 for node in stats)


def test_a_file_that_is_being_written(tmp_path):
    """Reloaded again and again while events come."""
    with hf.summary.FileWriter(tmp_path, max_queue=3) as writer:
        read = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
        seen = []
        for step in range(100):
            value = hf.Summary.Value(tag="a", simple_value=step)
            writer.add_summary(hf.Summary(value=[value]), step)
            read.Reload()
            steps = [e.step for e in read.Scalars("a")] if read.Tags()["scalars"] else []
            assert steps == list(range(len(steps)))
            seen.append(len(steps))
    read.Reload()
    assert [e.step for e in read.Scalars("a")] == list(range(100))
    assert seen == sorted(seen)
    assert seen[-1] > 90


def test_embeddings_that_the_projector_shows(tmp_path):
    """TensorBoard's own message reads what is written."""
    projector = hf.contrib.tensorboard.plugins.projector
    config = projector.ProjectorConfig(model_checkpoint_path="m-3")
    embedding = config.embeddings.add(tensor_name="words:0", metadata_path="words.tsv")
    embedding.sprite.image_path = "digits.png"
    embedding.sprite.single_image_dim.extend([28, 28])
    folder = tmp_path / "run"
    with hf.Graph().as_default(), hf.summary.FileWriter(str(folder)) as writer:
        projector.visualize_embeddings(writer, config)
    text = (folder / "projector_config.pbtxt").read_text()
    read = text_format.Merge(text, projector_config_pb2.ProjectorConfig())
    assert read.SerializeToString() == config.SerializeToString()
    assert read.embeddings[0].sprite.single_image_dim == [28, 28]
