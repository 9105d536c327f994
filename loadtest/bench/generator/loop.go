package main

import (
	"fmt"
	"math/bits"
	"net"
	"syscall"
	"time"
	"unsafe"
)

type connection struct {
	// One to each node of the cluster, or one alone; -1 before it is needed. Requests are under way on one at a time.
	fds      []int
	node     int
	out, in  []byte
	from, to int
	inFlight int
	sent     time.Duration
	due      time.Duration
	isIdle   bool
}

// loop keeps `pipeline` requests in flight on each connection: when a whole group has been answered, the next leaves.
type loop struct {
	options
	codec       codec
	owners      *owners
	ports       []int
	salt        uint64
	epoll       int
	connections []*connection
	latency     histogram
	started     time.Time
	random      uint64
	issued      uint64
	done        uint64
	errors      uint64
}

const receiveBytes = 4 << 20

func newLoop(o options, c codec) (*loop, error) {
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		return nil, err
	}
	l := &loop{options: o, codec: c, ports: []int{o.port}, salt: saltOf(o.set), epoll: epoll, random: 88172645463325252}
	if len(o.ports) > 0 {
		l.ports = o.ports
		if l.owners, err = newOwners(o); err != nil {
			return nil, err
		}
	}
	for i := 0; i < o.connections; i++ {
		size := 64 << 10
		if o.operation == "batch" {
			size = receiveBytes
		}
		c := &connection{in: make([]byte, size)}
		if o.rate > 0 {
			c.due = l.period() * time.Duration(i) / time.Duration(o.connections)
		}
		l.connections = append(l.connections, c)
		for node := range l.ports {
			c.fds = append(c.fds, -1)
			if l.owners != nil && !l.owners.owns(node) {
				continue // perhaps not started yet
			}
			if err := l.connect(i, node); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// period is the time between two groups of one connection, with -rate.
func (l *loop) period() time.Duration {
	return time.Duration(float64(time.Second) * float64(len(l.connections)*l.pipeline) / l.rate)
}

const nodeShift = 16

func (l *loop) connect(index, node int) error {
	address := &syscall.SockaddrInet4{Port: l.ports[node]}
	copy(address.Addr[:], net.ParseIP(l.host).To4())
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := syscall.Connect(fd, address); err != nil {
		return fmt.Errorf("connect to %s:%d: %w", l.host, l.ports[node], err)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	_ = syscall.SetNonblock(fd, true)
	l.connections[index].fds[node] = fd
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(index | node<<nodeShift)}
	return syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &event)
}

func (l *loop) nextKey() uint64 {
	if l.fill {
		return l.issued
	}
	l.random ^= l.random << 13
	l.random ^= l.random >> 7
	l.random ^= l.random << 17
	return l.random % l.keys
}

func (l *loop) over(now time.Duration) bool {
	if l.fill {
		return l.issued >= l.keys
	}
	return now.Seconds() >= l.seconds
}

func (l *loop) run() error {
	l.started = time.Now()
	active := 0
	for i := range l.connections {
		sent, err := l.next(i, 0)
		if err != nil {
			return err
		}
		if sent {
			active++
		}
	}
	events := make([]syscall.EpollEvent, len(l.connections))
	for active > 0 {
		n, err := syscall.EpollWait(l.epoll, events, l.patience())
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 && l.rate == 0 {
			return fmt.Errorf("no answer for 10 seconds")
		}
		for _, event := range events[:n] {
			ended, err := l.receive(int(event.Fd)&(1<<nodeShift-1), int(event.Fd)>>nodeShift)
			if err != nil {
				return err
			}
			if ended {
				active--
			}
		}
		ended, err := l.wake()
		if err != nil {
			return err
		}
		active -= ended
	}
	return nil
}

// patience is how many milliseconds to wait for answers.
func (l *loop) patience() int {
	if l.rate > 0 {
		return 1
	}
	return 10_000
}

// next sends at once, or leaves the connection idle until its time has come; false when its work has ended.
func (l *loop) next(index int, now time.Duration) (bool, error) {
	c := l.connections[index]
	if l.rate > 0 && now < c.due && !l.over(now) {
		c.isIdle = true
		return true, nil
	}
	return l.send(index, now)
}

// wake sends what has become due, and answers how many connections have ended their work.
func (l *loop) wake() (ended int, err error) {
	if l.rate == 0 {
		return 0, nil
	}
	now := time.Since(l.started)
	for i, c := range l.connections {
		if !c.isIdle || (now < c.due && !l.over(now)) {
			continue
		}
		c.isIdle = false
		c.due = max(c.due, now)
		sent, err := l.send(i, now)
		if err != nil {
			return ended, err
		}
		if !sent {
			ended++
		}
	}
	return ended, nil
}

func (l *loop) send(index int, now time.Duration) (bool, error) {
	if l.over(now) {
		return false, nil
	}
	c := l.connections[index]
	c.out = c.out[:0]
	for c.inFlight < l.pipeline && !(l.fill && l.issued >= l.keys) {
		key := l.nextKey()
		if l.owners != nil {
			// The first key of a group says where it goes, or a node would be sent more than its share of keys.
			if node := l.owners.nodeOf(key, l.salt); c.inFlight == 0 {
				c.node = node
			} else if node != c.node {
				if !l.fill {
					continue
				}
				break
			}
		}
		c.out = l.codec.appendRequest(c.out, key)
		c.inFlight++
		l.issued++
	}
	if c.fds[c.node] < 0 {
		if err := l.connect(index, c.node); err != nil {
			return false, err
		}
	}
	c.sent = now
	if l.rate > 0 {
		// One whose answer came too late for its time counts from when it should have gone.
		c.sent = min(now, c.due)
		c.due += l.period()
	}
	for rest := c.out; len(rest) > 0; {
		n, err := transfer(syscall.SYS_WRITE, c.fds[c.node], rest)
		if err == syscall.EAGAIN {
			time.Sleep(50 * time.Microsecond)
			continue
		}
		if err != nil {
			return false, err
		}
		rest = rest[n:]
	}
	return true, nil
}

// receive takes what has come; it answers true when this connection has ended its work.
func (l *loop) receive(index, node int) (bool, error) {
	c := l.connections[index]
	n, err := transfer(syscall.SYS_READ, c.fds[node], c.in[c.to:])
	if err == syscall.EAGAIN {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, fmt.Errorf("the server closed the connection")
	}
	c.to += n
	now := time.Since(l.started)
	for c.inFlight > 0 {
		size, bad := l.codec.answer(c.in[c.from:c.to])
		if size == 0 {
			break
		}
		c.from += size
		c.inFlight--
		l.done++
		if bad {
			l.errors++
		}
		l.latency.add(now - c.sent)
	}
	if c.from == c.to {
		c.from, c.to = 0, 0
	} else if c.from > 0 {
		c.to = copy(c.in, c.in[c.from:c.to])
		c.from = 0
	}
	if c.inFlight > 0 {
		return false, nil
	}
	sent, err := l.next(index, now)
	return !sent, err
}

// transfer reads or writes without telling the Go scheduler: the sockets never block, and this saves a third of the cost.
func transfer(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// histogram counts nanoseconds in 64 steps per power of two, so a quantile is exact to about 1.6 %.
type histogram struct {
	counts [64 * 64]uint64
	total  uint64
}

func (h *histogram) add(d time.Duration) {
	ns := uint64(d)
	if ns < 64 {
		ns = 64
	}
	power := bits.Len64(ns) - 7
	h.counts[power*64+int(ns>>power)-64]++
	h.total++
}

// quantile answers microseconds.
func (h *histogram) quantile(q float64) float64 {
	wanted := uint64(q * float64(h.total))
	seen := uint64(0)
	last := 0
	for i, count := range h.counts {
		if count == 0 {
			continue
		}
		seen += count
		last = i
		if seen >= wanted {
			break
		}
	}
	return float64(uint64(last%64+64)<<(last/64)) / 1000
}
