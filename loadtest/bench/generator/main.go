// Command generator is a closed-loop load generator for the wire protocol, Redis and a bare echo server.
//
// One thread drives all connections through epoll with prepared request bytes, so that it costs less CPU per
// request than any server under test; it reports its own CPU so that a run shows whether it was the bottleneck.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	host, protocol, operation, namespace, set string
	paths                                     string
	port, connections, pipeline, size, batch  int
	keys                                      uint64
	seconds                                   float64
	fill                                      bool
	answerSize                                int
	// Of a cluster's nodes: keys go to their masters.
	ports   []int
	refresh bool
	// Operations a second over all connections; 0 = as many as go.
	rate float64
}

type result struct {
	Operations uint64  `json:"operations"`
	Records    uint64  `json:"records"`
	Errors     uint64  `json:"errors"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"perSecond"`
	CPUSeconds float64 `json:"generatorCpuSeconds"`
	P50        float64 `json:"p50Micros"`
	P99        float64 `json:"p99Micros"`
	P999       float64 `json:"p999Micros"`
	Max        float64 `json:"maxMicros"`
}

func parse() options {
	var o options
	flag.StringVar(&o.host, "host", "127.0.0.1", "address in the loopback range")
	flag.IntVar(&o.port, "port", 3000, "port")
	flag.StringVar(&o.protocol, "protocol", "larder", "larder, redis, echo or http")
	flag.StringVar(&o.operation, "operation", "read", "read, write, mixed or batch (the latter two larder only)")
	flag.StringVar(&o.namespace, "namespace", "test", "namespace (larder)")
	flag.StringVar(&o.set, "set", "bench", "set (larder)")
	flag.IntVar(&o.connections, "connections", 50, "connections")
	flag.IntVar(&o.pipeline, "pipeline", 1, "requests in flight per connection")
	flag.IntVar(&o.size, "size", 100, "bytes of a value")
	flag.IntVar(&o.batch, "batch", 100, "records of one batch read")
	flag.Uint64Var(&o.keys, "keys", 1_000_000, "number of keys")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long to run; ignored with -fill")
	flag.BoolVar(&o.fill, "fill", false, "write every key once and end")
	flag.StringVar(&o.paths, "paths", "", "file of paths to ask for, one to a line (http)")
	flag.IntVar(&o.answerSize, "answer-size", 30, "bytes of one answer (echo)")
	flag.BoolVar(&o.refresh, "refresh", false, "ask again who the masters are while the run goes on (with -ports)")
	flag.Float64Var(&o.rate, "rate", 0, "operations a second over all connections; 0 = as many as go")
	ports := flag.String("ports", "", "ports of a cluster's nodes, separated by commas, in place of -port (larder)")
	flag.Parse()
	for _, port := range strings.FieldsFunc(*ports, func(r rune) bool { return r == ',' }) {
		number, err := strconv.Atoi(port)
		if err != nil {
			fail(fmt.Errorf("-ports %s: wants numbers separated by commas", *ports))
		}
		o.ports = append(o.ports, number)
	}
	ip := net.ParseIP(o.host)
	if ip == nil || !ip.IsLoopback() {
		fail(fmt.Errorf("-host %s: the generator sends to the loopback range only, for example 127.0.0.1", o.host))
	}
	if o.pipeline < 1 || o.pipeline > 1024 || o.connections < 1 || o.connections > 4096 || o.keys < 1 {
		fail(fmt.Errorf("-pipeline wants 1 to 1024, -connections 1 to 4096, -keys at least 1"))
	}
	if len(o.ports) > 0 && (o.protocol != "larder" || o.operation == "batch") {
		fail(fmt.Errorf("-ports: only reads and writes of larder know of masters"))
	}
	if o.seconds > 600 {
		fail(fmt.Errorf("-seconds %v: a run is bounded to 600 seconds", o.seconds))
	}
	return o
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	o := parse()
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	codec, err := newCodec(o)
	if err != nil {
		fail(err)
	}
	loop, err := newLoop(o, codec)
	if err != nil {
		fail(err)
	}
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	started := time.Now()
	if err := loop.run(); err != nil {
		fail(err)
	}
	elapsed := time.Since(started).Seconds()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	records := loop.done
	if o.operation == "batch" {
		records *= uint64(o.batch)
	}
	_ = json.NewEncoder(os.Stdout).Encode(result{
		Operations: loop.done,
		Records:    records,
		Errors:     loop.errors,
		Seconds:    elapsed,
		PerSecond:  float64(loop.done) / elapsed,
		CPUSeconds: cpu(after) - cpu(before),
		P50:        loop.latency.quantile(0.5),
		P99:        loop.latency.quantile(0.99),
		P999:       loop.latency.quantile(0.999),
		Max:        loop.latency.quantile(1),
	})
}

func cpu(usage syscall.Rusage) float64 {
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}
