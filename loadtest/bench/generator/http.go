package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// httpCodec asks for the paths of a file, one to a line, over kept-alive HTTP/1.1 connections.
type httpCodec struct{ requests [][]byte }

var (
	headersEnd    = []byte("\r\n\r\n")
	lengthHeader  = []byte("\r\ncontent-length: ")
	statusOK      = []byte("HTTP/1.1 200 ")
	longestHeader = 8 << 10
)

func newHTTPCodec(file string) (*httpCodec, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-paths %s: wants a file with a path to a line: %w", file, err)
	}
	c := &httpCodec{}
	for _, path := range strings.Fields(string(text)) {
		c.requests = append(c.requests, []byte("GET "+path+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
	}
	if len(c.requests) == 0 {
		return nil, fmt.Errorf("-paths %s: there is no path in it", file)
	}
	return c, nil
}

func (c *httpCodec) appendRequest(to []byte, key uint64) []byte {
	return append(to, c.requests[key%uint64(len(c.requests))]...)
}

func (c *httpCodec) answer(b []byte) (int, bool) {
	end := bytes.Index(b[:min(len(b), longestHeader)], headersEnd)
	if end < 0 {
		return 0, false
	}
	headers := b[:end+2]
	at := bytes.Index(bytes.ToLower(headers), lengthHeader)
	if at < 0 {
		return len(b), true
	}
	rest := headers[at+len(lengthHeader):]
	length, err := strconv.Atoi(string(rest[:bytes.IndexByte(rest, '\r')]))
	size := end + len(headersEnd) + length
	if err == nil && len(b) < size {
		return 0, false
	}
	return size, err != nil || !bytes.HasPrefix(b, statusOK)
}
