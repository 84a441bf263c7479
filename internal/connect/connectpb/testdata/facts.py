"""Prints the wire facts of the installed PySpark client, one a line: fields, enum values, methods.

Usage: python facts.py > facts.txt
"""

import importlib

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto

FILES = "base catalog commands common expressions ml ml_common pipelines relations types".split()


def kind(f):
    name = f.type_name.lstrip(".") or Field.Type.Name(f.type)[5:].lower()
    label = {Field.LABEL_REPEATED: "repeated"}.get(f.label, "optional" if f.proto3_optional else "single")
    return f"{f.number} {label} {name}"


def message(m, prefix):
    full = f"{prefix}.{m.name}"
    yield f"message {full}"
    for f in m.field:
        oneof = ""
        if f.HasField("oneof_index") and not f.proto3_optional:
            oneof = " in " + m.oneof_decl[f.oneof_index].name
        yield f"field {full}.{f.name} {kind(f)}{oneof}"
    for n in m.nested_type:
        yield from message(n, full)
    for e in m.enum_type:
        yield from enum(e, full)


def enum(e, prefix):
    for v in e.value:
        yield f"enum {prefix}.{e.name} {v.name} {v.number}"


def facts():
    for name in FILES:
        module = importlib.import_module(f"pyspark.sql.connect.proto.{name}_pb2")
        f = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        for m in f.message_type:
            yield from message(m, f.package)
        for e in f.enum_type:
            yield from enum(e, f.package)
        for s in f.service:
            for r in s.method:
                sides = f"{r.client_streaming} {r.server_streaming}".lower()
                yield f"method /{f.package}.{s.name}/{r.name} {r.input_type[1:]} {r.output_type[1:]} {sides}"


for line in sorted(facts()):
    print(line)
