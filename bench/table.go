//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// line is a row of the result: a figure, and what it is measured against.
type line struct {
	name, figure, floor string
	ratios              []float64 // turn by turn; none for a plain limit
	target              string
	verdict             verdict
}

type verdict string

const (
	pass    verdict = "ok"
	over    verdict = "OVER"
	skipped verdict = "skipped"
	none    verdict = "" // for orientation only
)

// within judges a ratio, or another value, by its limit.
func within(value, limit float64) verdict {
	if value <= limit {
		return pass
	}
	return over
}

type table []line

func (t *table) add(l line) { *t = append(*t, l) }

func (t table) ok() bool {
	return !slices.ContainsFunc(t, func(l line) bool { return l.verdict == over || l.verdict == skipped })
}

func (t table) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "WHAT\tFIGURE\tFLOOR\tRATIO\tHALF OF THE TURNS\tTARGET\t")
	for _, l := range t {
		ratio, spread := "", ""
		if len(l.ratios) > 0 {
			ratio = fmt.Sprintf("%.3f", median(l.ratios))
			s := slices.Sorted(slices.Values(l.ratios))
			spread = fmt.Sprintf("%.2f to %.2f", s[len(s)/4], s[len(s)-1-len(s)/4])
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.name, l.figure, l.floor, ratio, spread, l.target, l.verdict)
	}
	return tw.Flush()
}

// median of values; it sorts a copy.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// ratios divides pair by pair.
func ratios(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}
