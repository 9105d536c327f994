// Command clients puts and gets until its standard input ends, with the retries of its own policies; then it says how
// it went and what its records are, as a line of JSON. Arguments: ports of nodes.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	as "github.com/aerospike/aerospike-client-go/v8"
)

type failure struct {
	At   int64  `json:"at"`
	Text string `json:"text"`
}

type report struct {
	Done   int            `json:"done"`
	Errors []failure      `json:"errors"`
	Nodes  []string       `json:"nodes"`
	Wanted map[string]int `json:"wanted"`
	Found  map[string]int `json:"found"`
}

type run struct {
	client *as.Client
	over   atomic.Bool
	lock   sync.Mutex
	report report
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func retries() as.BasePolicy {
	policy := as.NewPolicy()
	policy.MaxRetries, policy.SleepBetweenRetries = 20, 50*time.Millisecond
	policy.SocketTimeout, policy.TotalTimeout = time.Second, 5*time.Second
	return *policy
}

func main() {
	var hosts []*as.Host
	for _, arg := range os.Args[1:] {
		port, err := strconv.Atoi(arg)
		check(err)
		hosts = append(hosts, as.NewHost("127.0.0.1", port))
	}
	client, err := as.NewClientWithPolicyAndHost(nil, hosts...)
	if err != nil {
		check(err)
	}
	defer client.Close()
	r := &run{client: client, report: report{Errors: []failure{}, Wanted: map[string]int{}, Found: map[string]int{}}}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		r.over.Store(true)
	}()
	fmt.Println("ready")
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() { r.work(worker) })
	}
	workers.Wait()
	for user := range r.report.Wanted {
		n, err := r.get(user)
		if err != nil {
			check(err)
		}
		r.report.Found[user] = n
	}
	r.report.Nodes = client.GetNodeNames()
	check(json.NewEncoder(os.Stdout).Encode(r.report))
}

func (r *run) work(worker int) {
	for n := 1; !r.over.Load(); n++ {
		user := fmt.Sprintf("go-%d-%d", worker, n%10)
		found := 0
		err := r.put(user, n)
		if err == nil {
			found, err = r.get(user)
		}
		r.lock.Lock()
		switch {
		case err != nil:
			delete(r.report.Wanted, user)
			r.failed(err.Error())
		case found != n:
			r.failed(fmt.Sprintf("%s is %d, not %d", user, found, n))
		default:
			r.report.Wanted[user] = n
			r.report.Done++
		}
		r.lock.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *run) failed(text string) {
	r.report.Errors = append(r.report.Errors, failure{time.Now().UnixMilli(), text})
}

func (r *run) put(user string, n int) as.Error {
	key, err := as.NewKey("shop", "official", user)
	if err != nil {
		return err
	}
	policy := as.NewWritePolicy(0, 0)
	policy.BasePolicy = retries()
	return r.client.Put(policy, key, as.BinMap{"n": n})
}

func (r *run) get(user string) (int, as.Error) {
	key, err := as.NewKey("shop", "official", user)
	if err != nil {
		return 0, err
	}
	policy := retries()
	record, err := r.client.Get(&policy, key)
	if err != nil {
		return 0, err
	}
	n, _ := record.Bins["n"].(int)
	return n, nil
}
