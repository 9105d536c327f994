"""Walks one server through what the Python client does most; prints "ok" and ends with 0, or fails."""

import sys

import aerospike
from aerospike import exception
from aerospike_helpers import expressions as exp
from aerospike_helpers.batch import records as br
from aerospike_helpers.operations import (
    bitwise_operations,
    expression_operations,
    hll_operations,
    list_operations,
    map_operations,
    operations,
)

client = aerospike.client({"hosts": [("127.0.0.1", int(sys.argv[1]))]})

# The first example that newcomers see.
product = ("test", "products", "py-1")
client.put(product, {"name": "Laptop", "price": 999.99, "quantity": 100})
_, meta, bins = client.get(product)
assert bins == {"name": "Laptop", "price": 999.99, "quantity": 100}, bins
assert meta["gen"] == 1, meta
client.put(product, {"quantity": 99})
_, meta, bins = client.select(product, ["quantity"])
assert bins == {"quantity": 99} and meta["gen"] == 2, (meta, bins)
client.remove(product)
_, meta = client.exists(product)
assert meta is None, meta
try:
    client.get(product)
    raise AssertionError("a removed record was found")
except exception.RecordNotFound:
    pass

# Operate, lists and maps.
key = ("test", "interop", "py-operate")
_, _, result = client.operate(
    key,
    [
        operations.write("n", 5),
        operations.increment("n", 2),
        operations.read("n"),
        list_operations.list_append_items("list", [1, "two", 3.5, True]),
        list_operations.list_get("list", -2),
        map_operations.map_put_items("map", {"a": 1, "b": {"deep": [1, 2]}}),
        map_operations.map_get_by_key("map", "b", aerospike.MAP_RETURN_VALUE),
    ],
)
assert result["n"] == 7 and result["map"] == {"deep": [1, 2]}, result
_, _, bins = client.get(key)
assert bins["list"] == [1, "two", 3.5, True], bins
assert bins["map"] == {"a": 1, "b": {"deep": [1, 2]}}, bins

# Expressions as filters, reads and writes; bits, HyperLogLog, GeoJSON.
key = ("test", "interop", "py-expressions")
here = aerospike.geojson('{"type":"Point","coordinates":[13.4,52.5]}')
client.put(key, {"n": 7, "tags": ["red", "blue"], "flags": bytes([0b10100000]), "at": here})
passes = exp.And(exp.GE(exp.IntBin("n"), 7), exp.GT(exp.ListSize(None, exp.ListBin("tags")), 1)).compile()
assert client.get(key, {"expressions": passes})[2]["n"] == 7
try:
    client.get(key, {"expressions": exp.LT(exp.IntBin("n"), 7).compile()})
    raise AssertionError("a record passed a filter that it does not fit")
except exception.FilteredOut:
    pass
_, _, result = client.operate(
    key,
    [
        expression_operations.expression_read("double", exp.Mul(exp.IntBin("n"), 2).compile()),
        expression_operations.expression_write("square", exp.Mul(exp.IntBin("n"), exp.IntBin("n")).compile()),
        operations.read("square"),
        bitwise_operations.bit_count("flags", 0, 8),
        hll_operations.hll_add("seen", ["a", "b", "c", "a"], 8),
        hll_operations.hll_get_count("seen"),
    ],
)
assert result["double"] == 14 and result["square"] == 49 and result["flags"] == 2 and result["seen"] == 3, result
berlin = exp.CmpGeo(
    exp.GeoBin("at"),
    exp.Val(aerospike.geojson('{"type":"AeroCircle","coordinates":[[13.4,52.5],1000]}')),
)
assert client.get(key, {"expressions": berlin.compile()})[2]["n"] == 7

# Batch.
keys = [("test", "interop", i) for i in range(50)]
written = client.batch_write(
    br.BatchRecords([br.Write(k, [operations.write("i", k[2])]) for k in keys])
)
assert all(row.result == 0 for row in written.batch_records), written
read = client.batch_read(keys + [("test", "interop", "none")])
assert [row.record[2]["i"] for row in read.batch_records[:50]] == list(range(50))
assert read.batch_records[50].result == 2
removed = client.batch_remove(keys)
assert removed.result == 0
assert all(row.result == 2 for row in client.batch_read(keys).batch_records)

client.close()
print("ok")
