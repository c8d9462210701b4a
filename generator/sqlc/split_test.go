package sqlc

import (
	"slices"
	"strings"
	"testing"
)

func TestStatements(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"empty", []string{""}},
		{"one", []string{"-- About the file.\n\n-- name: A :one\nSELECT 1;\n"}},
		{"no name", []string{"\n\nSELECT 1;\nSELECT 2;\n"}},
		{"comments belong to what follows", []string{"-- name: A :one\nSELECT 1;\n\n", "-- It's about B; really;\n-- name: B :one\nSELECT 2\nFROM t;\n", "-- name: C :one\nSELECT 3;\n-- The end.\n"}},
		{"blank lines first", []string{"\n\n-- name: A :one\nSELECT 1;\n", "-- name: B :one\nSELECT 2;"}},
		{"carriage returns", []string{"-- name: A :one\r\nSELECT 1;\r\n\r\n", "-- name: B :one\r\nSELECT 2;\r\n"}},
		{"no semicolon", []string{"-- name: A :one\nSELECT 1\n-- name: B :one\nSELECT 2;\n"}},
		{"a name in a text", []string{"-- name: A :one\nSELECT 'a;\n-- name: B :one\nb;', \"c\";\n", "-- name: C :one\nSELECT 2;\n"}},
		{"a name in a comment", []string{"/*\n-- name: A :one\nSELECT 1;\n-- name: B :one\nSELECT 2;\n*/\n-- name: C :one\nSELECT 3;\n"}},
	} {
		if got := statements(strings.Join(c.want, "")); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
