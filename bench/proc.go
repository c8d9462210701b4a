//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuOf is the CPU time that a process has used so far, in microseconds.
func cpuOf(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name, may contain anything; utime and stime are the 12th and 13th after it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	user, err1 := strconv.ParseFloat(string(fields[11]), 64)
	system, err2 := strconv.ParseFloat(string(fields[12]), 64)
	return (user + system) * 1e6 / ticksPerSecond, errors.Join(err1, err2)
}

// postgresFor are the processes of PostgreSQL that work for a database: its own backends, and those that write
// for all. Their titles tell. There are none when the server is on another machine.
func postgresFor(database string) (pids []int, err error) {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || strings.TrimSpace(string(comm)) != "postgres" {
			continue // it has ended, or is none
		}
		title, err := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		if err != nil {
			continue
		}
		for _, word := range []string{" " + database + " ", "walwriter", "checkpointer", "background writer"} {
			if strings.Contains(string(title)+" ", word) {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
				if err != nil {
					return nil, err
				}
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids, nil
}
