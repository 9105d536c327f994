// Command interop walks one server through what the Go client does most; it prints "ok" and ends with 0, or says
// what was not as it should be.
package main

import (
	"fmt"
	"os"
	"strconv"

	as "github.com/aerospike/aerospike-client-go/v8"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func want(condition bool, what string, got any) {
	if !condition {
		fmt.Fprintf(os.Stderr, "%s: got %v\n", what, got)
		os.Exit(1)
	}
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	check(err, "port")
	client, aerr := as.NewClient("127.0.0.1", port)
	if aerr != nil {
		check(aerr, "connect")
	}
	defer client.Close()
	walk(client)
	operate(client)
	batch(client)
	fmt.Println("ok")
}

func key(set string, user any) *as.Key {
	k, err := as.NewKey("test", set, user)
	if err != nil {
		check(err, "key")
	}
	return k
}

// walk is the first example that newcomers see.
func walk(client *as.Client) {
	product := key("products", "go-1")
	if err := client.Put(nil, product, as.BinMap{"name": "Laptop", "price": 999.99, "quantity": 100}); err != nil {
		check(err, "put")
	}
	record, err := client.Get(nil, product)
	if err != nil {
		check(err, "get")
	}
	want(record.Bins["name"] == "Laptop" && record.Bins["price"] == 999.99 && record.Bins["quantity"] == 100, "bins", record.Bins)
	want(record.Generation == 1, "generation", record.Generation)
	if err := client.Put(nil, product, as.BinMap{"quantity": 99}); err != nil {
		check(err, "update")
	}
	record, err = client.Get(nil, product, "quantity")
	if err != nil {
		check(err, "get one bin")
	}
	want(record.Bins["quantity"] == 99 && len(record.Bins) == 1 && record.Generation == 2, "updated", record)
	existed, err := client.Delete(nil, product)
	if err != nil {
		check(err, "delete")
	}
	want(existed, "existed", existed)
	exists, err := client.Exists(nil, product)
	if err != nil {
		check(err, "exists")
	}
	want(!exists, "exists after delete", exists)
}

func operate(client *as.Client) {
	k := key("interop", "go-operate")
	record, err := client.Operate(nil, k,
		as.PutOp(as.NewBin("n", 5)),
		as.AddOp(as.NewBin("n", 2)),
		as.GetBinOp("n"),
		as.ListAppendOp("list", 1, "two", 3.5),
		as.ListGetByIndexOp("list", -1, as.ListReturnTypeValue),
		as.MapPutOp(as.DefaultMapPolicy(), "map", "a", 1),
		as.MapPutOp(as.DefaultMapPolicy(), "map", "b", 2),
		as.MapGetByKeyOp("map", "b", as.MapReturnType.VALUE),
	)
	if err != nil {
		check(err, "operate")
	}
	want(fmt.Sprint(record.Bins["n"]) == "[<nil> <nil> 7]" || fmt.Sprint(record.Bins["n"]) == "7", "n", record.Bins["n"])
	record, err = client.Get(nil, k)
	if err != nil {
		check(err, "get collections")
	}
	want(fmt.Sprint(record.Bins["list"]) == "[1 two 3.5]", "list", record.Bins["list"])
	want(fmt.Sprint(record.Bins["map"]) == "map[a:1 b:2]", "map", record.Bins["map"])
}

func batch(client *as.Client) {
	var keys []*as.Key
	var writes []as.BatchRecordIfc
	for i := 0; i < 50; i++ {
		k := key("interop", i)
		keys = append(keys, k)
		writes = append(writes, as.NewBatchWrite(nil, k, as.PutOp(as.NewBin("i", i))))
	}
	if err := client.BatchOperate(nil, writes); err != nil {
		check(err, "batch write")
	}
	records, err := client.BatchGet(nil, append(keys, key("interop", "none")))
	if err != nil {
		check(err, "batch get")
	}
	for i := range keys {
		want(records[i] != nil && records[i].Bins["i"] == i, "batch row", records[i])
	}
	want(records[50] == nil, "missing row", records[50])
	deleted, err := client.BatchDelete(nil, nil, keys)
	if err != nil {
		check(err, "batch delete")
	}
	want(len(deleted) == 50, "deleted", len(deleted))
	exists, err := client.BatchExists(nil, keys)
	if err != nil {
		check(err, "batch exists")
	}
	want(!exists[0] && !exists[49], "after batch delete", exists)
}
