package main

import (
	"fmt"
	"strings"
)

// lookupDotEnv reads a variable of .env as generated code does; ok is false when no line names it. A line is
// NAME=value, after export or not; # begins a comment at the start of a line and, outside of quotes, after a blank.
// The first line of a name counts. An error names a line, never what it holds.
func lookupDotEnv(content []byte, name string) (value string, ok bool, err error) {
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, raw, found := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if rest, exported := strings.CutPrefix(key, "export"); exported && strings.TrimLeft(rest, " \t") != rest {
			key = strings.TrimSpace(rest)
		}
		if !found || key == "" {
			return "", false, fmt.Errorf("read .env: line %d is no NAME=value, and no comment; write # before a comment", number)
		}
		if !ok && key == name {
			value, ok = dotEnvValue(raw), true
		}
	}
	return value, ok, nil
}

// dotEnvValue takes off a pair of quotes, or a comment. Nothing in quotes is special, and what follows
// them does not count.
func dotEnvValue(raw string) string {
	value := strings.TrimSpace(raw)
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if inner, _, closed := strings.Cut(value[1:], value[:1]); closed {
			return inner
		}
	}
	for i := 1; i < len(raw); i++ {
		if raw[i] == '#' && (raw[i-1] == ' ' || raw[i-1] == '\t') {
			return strings.TrimSpace(raw[:i])
		}
	}
	return value
}
