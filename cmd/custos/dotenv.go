package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// variable is what generated code will find under a name: in the environment or in .env. "" is nowhere.
func (a *app) variable(root, name string) (string, error) {
	if v, set := a.lookup(name); set && v != "" {
		return v, nil
	}
	env, _, err := readFile(root, ".env")
	if err != nil {
		return "", err
	}
	v, _, err := lookupDotEnv(env, name)
	return v, err
}

// lookupDotEnv reads a variable of .env as generated code does; ok is false when no line names it. A line is
// NAME=value, after export or not; # begins a comment at the start of a line and, outside of quotes, after a blank.
// The first line of a name counts. An error names a line, never what it holds.
func lookupDotEnv(content []byte, name string) (value string, ok bool, err error) {
	value, _, ok, err = findDotEnv(content, name)
	return value, ok, err
}

// setDotEnv gives a variable that .env has another value, which needs no quotes. Nothing else changes.
func setDotEnv(content []byte, name, value string) ([]byte, error) {
	old, at, ok, err := findDotEnv(content, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("set %s: .env has no such line", name)
	}
	return slices.Concat(content[:at], []byte(value), content[at+len(old):]), nil
}

// findDotEnv is lookupDotEnv that knows at which byte the value begins.
func findDotEnv(content []byte, name string) (value string, at int, ok bool, err error) {
	number, start := 0, len(content)-len(strings.TrimPrefix(string(content), "\ufeff"))
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		end := start + len(line)
		from := end - len(strings.TrimLeftFunc(line, unicode.IsSpace))
		start = end
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
			return "", 0, false, fmt.Errorf("read .env: line %d is no NAME=value, and no comment; write # before a comment", number)
		}
		if !ok && key == name {
			value, ok = dotEnvValue(raw), true
			// Before the value there are blanks and a quote only, so the first place where it stands is its own.
			at = from + len(line) - len(raw) + strings.Index(raw, value)
		}
	}
	return value, at, ok, nil
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
