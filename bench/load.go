//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

const connections = 16

// load is what a measurement saw from the outside.
type load struct {
	requests int
	perSec   float64
	p50, p99 float64 // microseconds
}

// client is who is at the other end of a connection.
type client interface {
	// next is the request to send.
	next() []byte
	// heard is called with each header of the answer.
	heard(name, value []byte)
}

// anyone sends one of its requests at random.
type anyone [][]byte

func (a anyone) next() []byte           { return a[rand.IntN(len(a))] }
func (anyone) heard(name, value []byte) {}

// follower sends what the server gave it last: it has tokens that change.
type follower struct {
	path, id, uid string
	token         []byte
}

func (f *follower) next() []byte {
	return request(f.path, "access-token: "+string(f.token)+"\r\nclient: "+f.id+"\r\nuid: "+f.uid)
}

func (f *follower) heard(name, value []byte) {
	if bytes.EqualFold(name, []byte("access-token")) {
		f.token = append(f.token[:0], value...)
	}
}

// crowd is who is at each connection.
type crowd func(connection int) client

func crowdOf(requests [][]byte) crowd { return func(int) client { return anyone(requests) } }

// drive sends requests over kept connections for a while. It speaks just enough HTTP to leave the processor to the server.
func drive(ctx context.Context, addr string, clients crowd, duration time.Duration) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	latencies := make([][]float64, connections)
	errs := make([]error, connections)
	start := time.Now()
	for i := range connections {
		wg.Go(func() { latencies[i], errs[i] = driveOne(ctx, addr, clients(i), start.Add(duration)) })
	}
	wg.Wait()
	took := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return load{}, err
	}
	all := slices.Concat(latencies...)
	if len(all) == 0 {
		return load{}, errors.New("no request was answered in time")
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))] }
	return load{requests: len(all), perSec: float64(len(all)) / took.Seconds(), p50: at(0.50), p99: at(0.99)}, nil
}

func driveOne(ctx context.Context, addr string, c client, end time.Time) (latencies []float64, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r := bufio.NewReaderSize(conn, 4096)
	latencies = make([]float64, 0, 1<<15)
	for {
		request := c.next()
		start := time.Now()
		if start.After(end) {
			return latencies, nil
		}
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readResponse(r, c.heard); err != nil {
			return nil, err
		}
		latencies = append(latencies, float64(time.Since(start).Nanoseconds())/1000)
	}
}

// readResponse reads a 200 with a length.
func readResponse(r *bufio.Reader, heard func(name, value []byte)) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the server answered %q", bytes.TrimSpace(status))
	}
	length := -1
	for {
		header, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		header = bytes.TrimRight(header, "\r\n")
		if len(header) == 0 {
			break
		}
		name, value, _ := bytes.Cut(header, []byte(": "))
		heard(name, value)
		if string(name) == "Content-Length" {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	_, err = r.Discard(length)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
