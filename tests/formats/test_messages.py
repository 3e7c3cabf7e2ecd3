"""Messages: the definitions are compiled as they stand, and agree with what files hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2

from hybridflow._src.formats import messages

PROTOS = Path(messages.__file__).parent / "protos"


def test_what_is_compiled_is_what_is_written(tmp_path):
    included = Path(grpc_tools.__file__).parent / "_proto"
    command = ["-m", "grpc_tools.protoc", "--include_imports", f"-I{PROTOS}", f"-I{included}"]
    command += [
        f"--descriptor_set_out={tmp_path / 'set'}",
        *sorted(map(str, PROTOS.glob("*.proto"))),
    ]
    subprocess.run([sys.executable, *command], check=True)
    compiled, committed = (
        descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
        for path in (tmp_path / "set", PROTOS / "messages.binpb")
    )
    assert sorted(compiled.file, key=lambda f: f.name) == sorted(
        committed.file, key=lambda f: f.name
    )


def test_a_message():
    graph = messages.GraphDef()
    graph.versions.producer = 24
    node = graph.node.add(name="x", op="Const")
    node.attr["dtype"].type = messages.enum("DataType").Value("DT_FLOAT")
    assert messages.GraphDef.FromString(graph.SerializeToString()) == graph
    assert messages.GraphDef is type(graph)
    assert "type: DT_FLOAT" in str(graph)


def test_what_is_no_message():
    with pytest.raises(AttributeError, match="There is no message 'GraphDefs'"):
        _ = messages.GraphDefs
    with pytest.raises(AttributeError, match="has no attribute 'graph'"):
        _ = messages.graph
    with pytest.raises(messages.decode_error()):
        messages.GraphDef.FromString(b"\xff\xff\xff")
