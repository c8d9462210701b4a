package main

import "strings"

// lookupDotEnv reads a variable as generated code does; ok is false when no line names it.
func lookupDotEnv(content []byte, name string) (value string, ok bool) {
	for line := range strings.Lines(string(content)) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if found && strings.TrimSpace(key) == name {
			return strings.Trim(strings.TrimSpace(value), `"'`), true
		}
	}
	return "", false
}
