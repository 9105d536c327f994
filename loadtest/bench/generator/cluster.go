package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

const partitions = 4096

// owners knows the master of each partition, as the nodes themselves say; with refresh it asks again while a run goes on.
type owners struct {
	namespace string
	ports     []int
	table     atomic.Pointer[[partitions]int16]
}

const infoTimeout = 2 * time.Second

func newOwners(o options) (*owners, error) {
	w := &owners{namespace: o.namespace, ports: o.ports}
	if missing := w.learn(); missing > 0 {
		return nil, fmt.Errorf("-ports %v: %d of %d partitions have no master there", o.ports, missing, partitions)
	}
	if o.refresh {
		go func() {
			for range time.Tick(250 * time.Millisecond) {
				w.learn()
			}
		}()
	}
	return w, nil
}

// nodeOf answers the place of a key's master among the ports.
func (w *owners) nodeOf(key, salt uint64) int {
	return int(w.table.Load()[mix(key^salt)&(partitions-1)])
}

// owns tells whether the node is master of anything.
func (w *owners) owns(node int) bool {
	for _, owner := range w.table.Load() {
		if int(owner) == node {
			return true
		}
	}
	return false
}

// learn asks every node and answers how many partitions have no master; only a map without a gap is taken over.
func (w *owners) learn() int {
	var table [partitions]int16
	for i := range table {
		table[i] = -1
	}
	for node, port := range w.ports {
		bitmap, err := masters(port, w.namespace)
		if err != nil {
			continue // not started yet, or not joined: it owns nothing
		}
		for p := range table {
			if bitmap[p>>3]&(0x80>>(p&7)) != 0 {
				table[p] = int16(node)
			}
		}
	}
	missing := 0
	for _, node := range table {
		if node < 0 {
			missing++
		}
	}
	if missing == 0 {
		w.table.Store(&table)
	}
	return missing
}

// masters is the bitmap of the partitions that the node at this port is master of.
func masters(port int, namespace string) ([]byte, error) {
	answer, err := info(port, "replicas")
	if err != nil {
		return nil, err
	}
	for _, part := range strings.Split(strings.TrimSpace(answer), ";") {
		name, rest, _ := strings.Cut(part, ":")
		fields := strings.Split(rest, ",")
		if name != namespace || len(fields) < 3 {
			continue
		}
		bitmap, err := base64.StdEncoding.DecodeString(fields[2])
		if err == nil && len(bitmap) == partitions/8 {
			return bitmap, nil
		}
	}
	return nil, fmt.Errorf("port %d names no masters of %s", port, namespace)
}

func info(port int, name string) (string, error) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), infoTimeout)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(infoTimeout))
	request := binary.BigEndian.AppendUint64(nil, 2<<56|1<<48|uint64(len(name)+1))
	if _, err := conn.Write(append(request, name+"\n"...)); err != nil {
		return "", err
	}
	header := make([]byte, 8)
	if _, err := io.ReadFull(conn, header); err != nil {
		return "", err
	}
	body := make([]byte, binary.BigEndian.Uint64(header)&(1<<48-1))
	if _, err := io.ReadFull(conn, body); err != nil {
		return "", err
	}
	_, value, _ := strings.Cut(string(body), "\t")
	return value, nil
}
