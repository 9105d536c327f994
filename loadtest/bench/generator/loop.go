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
	fd       int
	out, in  []byte
	from, to int
	inFlight int
	sent     time.Duration
}

// loop keeps `pipeline` requests in flight on each connection: when a whole group has been answered, the next leaves.
type loop struct {
	options
	codec       codec
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
	l := &loop{options: o, codec: c, epoll: epoll, random: 88172645463325252}
	address := &syscall.SockaddrInet4{Port: o.port}
	copy(address.Addr[:], net.ParseIP(o.host).To4())
	for i := 0; i < o.connections; i++ {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return nil, err
		}
		if err := syscall.Connect(fd, address); err != nil {
			return nil, fmt.Errorf("connect to %s:%d: %w", o.host, o.port, err)
		}
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		_ = syscall.SetNonblock(fd, true)
		size := 64 << 10
		if o.operation == "batch" {
			size = receiveBytes
		}
		l.connections = append(l.connections, &connection{fd: fd, in: make([]byte, size)})
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			return nil, err
		}
	}
	return l, nil
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
	for _, c := range l.connections {
		sent, err := l.send(c, 0)
		if err != nil {
			return err
		}
		if sent {
			active++
		}
	}
	events := make([]syscall.EpollEvent, len(l.connections))
	for active > 0 {
		n, err := syscall.EpollWait(l.epoll, events, 10_000)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("no answer for 10 seconds")
		}
		for _, event := range events[:n] {
			ended, err := l.receive(l.connections[event.Fd])
			if err != nil {
				return err
			}
			if ended {
				active--
			}
		}
	}
	return nil
}

func (l *loop) send(c *connection, now time.Duration) (bool, error) {
	if l.over(now) {
		return false, nil
	}
	c.out = c.out[:0]
	for c.inFlight < l.pipeline && !(l.fill && l.issued >= l.keys) {
		c.out = l.codec.appendRequest(c.out, l.nextKey())
		c.inFlight++
		l.issued++
	}
	c.sent = now
	for rest := c.out; len(rest) > 0; {
		n, err := transfer(syscall.SYS_WRITE, c.fd, rest)
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
func (l *loop) receive(c *connection) (bool, error) {
	n, err := transfer(syscall.SYS_READ, c.fd, c.in[c.to:])
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
	sent, err := l.send(c, now)
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
