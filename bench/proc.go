//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// cpuOf is the CPU time that a process has used so far, in microseconds: its clock, which tells nanoseconds, where
// /proc/PID/stat has hundredths of a second. The error of a process that has ended is os.ErrNotExist.
func cpuOf(pid int) (float64, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of a process, see clock_getcpuclockid(3)
	var used syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|scheduled), uintptr(unsafe.Pointer(&used)), 0)
	switch errno {
	case 0:
		return float64(used.Nano()) / 1000, nil
	case syscall.EINVAL, syscall.ESRCH:
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, os.ErrNotExist)
	default:
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, errno)
	}
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
