package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
)

// A codec writes requests and finds the end of answers.
type codec interface {
	// appendRequest adds the request for one key.
	appendRequest(to []byte, key uint64) []byte
	// answer tells how many bytes the first whole answer takes (0: not whole yet) and whether it is an error.
	answer(bytes []byte) (size int, bad bool)
}

func newCodec(o options) (codec, error) {
	write := o.operation == "write" || o.fill
	switch o.protocol {
	case "larder":
		if o.operation == "mixed" && !o.fill {
			return &mixedCodec{larderCodec: newLarderCodec(o, false), writes: newLarderCodec(o, true)}, nil
		}
		if o.operation == "batch" && !o.fill {
			return &batchCodec{options: o}, nil
		}
		return newLarderCodec(o, write), nil
	case "redis":
		return &redisCodec{write: write, value: value(o.size)}, nil
	case "echo":
		return &echoCodec{request: newLarderCodec(o, write).template, answerSize: o.answerSize}, nil
	case "http":
		return newHTTPCodec(o.paths)
	}
	return nil, fmt.Errorf("-protocol %s: wants larder, redis, echo or http", o.protocol)
}

func value(size int) []byte { return bytes.Repeat([]byte("v"), size) }

// mix is splitmix64: a cheap bijection that spreads keys over digests.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// putDigest stands in for RIPEMD-160: the server takes any 20 bytes, and hashing is the client's cost.
func putDigest(to []byte, key, salt uint64) {
	key ^= salt
	binary.LittleEndian.PutUint64(to, mix(key))
	binary.LittleEndian.PutUint64(to[8:], mix(key^0x5bd1e995))
	binary.LittleEndian.PutUint32(to[16:], uint32(key))
}

// saltOf keeps the digests of different sets apart, as the real ones are.
func saltOf(set string) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(set))
	return hash.Sum64()
}

type larderCodec struct {
	template []byte
	digestAt int
	salt     uint64
}

func field(to []byte, id byte, data []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(data)+1))
	return append(append(to, id), data...)
}

func newLarderCodec(o options, write bool) *larderCodec {
	header := make([]byte, 30)
	header[0], header[1], header[8] = 2, 3, 22
	body := append([]byte{}, header...)
	body[9] = 3
	if write {
		body[9], body[10] = 0, 1
	}
	binary.BigEndian.PutUint32(body[8+14:], 1000)
	binary.BigEndian.PutUint16(body[8+18:], 3)
	body = field(body, 0, []byte(o.namespace))
	body = field(body, 1, []byte(o.set))
	body = field(body, 4, make([]byte, 20))
	c := &larderCodec{digestAt: len(body) - 20, salt: saltOf(o.set)}
	if write {
		binary.BigEndian.PutUint16(body[8+20:], 1)
		body = binary.BigEndian.AppendUint32(body, uint32(4+1+o.size))
		body = append(body, 2, 4, 0, 1, 'b')
		body = append(body, value(o.size)...)
	}
	binary.BigEndian.PutUint32(body[4:], uint32(len(body)-8))
	c.template = body
	return c
}

func (c *larderCodec) appendRequest(to []byte, key uint64) []byte {
	at := len(to)
	to = append(to, c.template...)
	putDigest(to[at+c.digestAt:], key, c.salt)
	return to
}

func (c *larderCodec) answer(b []byte) (int, bool) {
	if len(b) < 8 {
		return 0, false
	}
	size := 8 + int(binary.BigEndian.Uint32(b[4:]))
	if len(b) < size {
		return 0, false
	}
	return size, b[1] != 3 || b[8+5] != 0
}

// mixedCodec reads and writes in turn.
type mixedCodec struct {
	*larderCodec
	writes *larderCodec
	turn   bool
}

func (c *mixedCodec) appendRequest(to []byte, key uint64) []byte {
	c.turn = !c.turn
	if c.turn {
		return c.writes.appendRequest(to, key)
	}
	return c.larderCodec.appendRequest(to, key)
}

type batchCodec struct{ options }

func (c *batchCodec) appendRequest(to []byte, key uint64) []byte {
	at := len(to)
	to = append(to, 2, 3, 0, 0, 0, 0, 0, 0, 22, 8, 0, 0, 0, 0)
	to = append(to, make([]byte, 16)...)
	binary.BigEndian.PutUint32(to[at+8+14:], 1000)
	binary.BigEndian.PutUint16(to[at+8+18:], 1)
	fieldAt := len(to)
	to = append(to, 0, 0, 0, 0, 41)
	to = binary.BigEndian.AppendUint32(to, uint32(c.batch))
	to = append(to, 0x0d)
	salt := saltOf(c.set)
	for i := 0; i < c.batch; i++ {
		to = binary.BigEndian.AppendUint32(to, uint32(i))
		digestAt := len(to)
		to = append(to, make([]byte, 20)...)
		putDigest(to[digestAt:], mix(key+uint64(i))%c.keys, salt)
		if i > 0 {
			to = append(to, 1)
			continue
		}
		to = append(to, 0x0a, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0)
		to = field(to, 0, []byte(c.namespace))
		to = field(to, 1, []byte(c.set))
	}
	binary.BigEndian.PutUint32(to[fieldAt:], uint32(len(to)-fieldAt-4))
	binary.BigEndian.PutUint32(to[at+4:], uint32(len(to)-at-8))
	return to
}

// answer walks frames up to the one that holds the message flagged LAST.
func (c *batchCodec) answer(b []byte) (int, bool) {
	at, bad := 0, false
	for {
		if len(b) < at+30 {
			return 0, false
		}
		size := 8 + int(binary.BigEndian.Uint32(b[at+4:]))
		if len(b) < at+size {
			return 0, false
		}
		bad = bad || b[at+8+5] != 0
		if size == 30 && b[at+8+3]&1 != 0 {
			return at + size, bad
		}
		at += size
	}
}

type redisCodec struct {
	write bool
	value []byte
}

func (c *redisCodec) appendRequest(to []byte, key uint64) []byte {
	if c.write {
		return fmt.Appendf(to, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%s\r\n", key, len(c.value), c.value)
	}
	to = append(to, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n"...)
	for at := len(to) - 3; key > 0; at, key = at-1, key/10 {
		to[at] = '0' + byte(key%10)
	}
	return to
}

func (c *redisCodec) answer(b []byte) (int, bool) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return 0, false
	}
	if b[0] != '$' {
		return end + 1, b[0] == '-'
	}
	size := 0
	for _, digit := range b[1 : end-1] {
		if digit == '-' {
			return end + 1, true
		}
		size = size*10 + int(digit-'0')
	}
	if len(b) < end+1+size+2 {
		return 0, false
	}
	return end + 1 + size + 2, false
}

type echoCodec struct {
	request    []byte
	answerSize int
}

func (c *echoCodec) appendRequest(to []byte, _ uint64) []byte { return append(to, c.request...) }

func (c *echoCodec) answer(b []byte) (int, bool) {
	if len(b) < c.answerSize {
		return 0, false
	}
	return c.answerSize, false
}
