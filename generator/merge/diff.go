package merge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

const (
	context = 3
	// tooFar bounds the work on two texts that have little in common: beyond so many differing lines the rest is
	// shown as replaced. No file that custos generates is that long.
	tooFar = 2000
)

// Diff returns the change as a unified diff that patch and git apply understand, "" when nothing differs. A kept
// file's diff leads from the user's version to the new one. It cannot show that an empty file comes or goes.
func Diff(c plan.Change) string {
	from, to := "a/"+c.Path, "b/"+c.Path
	neu := c.New
	if c.Old == nil {
		from = "/dev/null"
	}
	if c.Op == plan.Delete {
		to, neu = "/dev/null", nil
	}
	if bytes.Equal(c.Old, neu) {
		return ""
	}
	if bytes.IndexByte(c.Old, 0) >= 0 || bytes.IndexByte(neu, 0) >= 0 {
		return fmt.Sprintf("Binary files %s and %s differ\n", from, to)
	}
	var b strings.Builder
	for i, name := range []string{from, to} {
		if strings.Contains(name, " ") {
			name += "\t" // ends a name that has spaces
		}
		fmt.Fprintf(&b, "%s %s\n", [...]string{"---", "+++"}[i], name)
	}
	x, y := lines(c.Old), lines(neu)
	edits := compare(x, y)
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].x-edits[n-1].xEnd <= 2*context {
			n++
		}
		hunk(&b, x, y, edits[:n])
		edits = edits[n:]
	}
	return b.String()
}

// edit replaces x[x:xEnd] by y[y:yEnd]. Between two edits the texts are equal.
type edit struct{ x, xEnd, y, yEnd int }

func hunk(b *strings.Builder, x, y []string, edits []edit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(context, first.x)
	after := min(context, len(x)-last.xEnd)
	xs, xe := first.x-before, last.xEnd+after
	ys, ye := first.y-before, last.yEnd+after
	fmt.Fprintf(b, "@@ -%s +%s @@\n", span(xs, xe), span(ys, ye))
	at := xs
	for _, e := range edits {
		print(b, ' ', x[at:e.x])
		print(b, '-', x[e.x:e.xEnd])
		print(b, '+', y[e.y:e.yEnd])
		at = e.xEnd
	}
	print(b, ' ', x[at:xe])
}

// span is a range of lines as diff spells it: counted from one, an empty one named by the line before it.
func span(start, end int) string {
	switch end - start {
	case 0:
		return fmt.Sprintf("%d,0", start)
	case 1:
		return fmt.Sprint(start + 1)
	}
	return fmt.Sprintf("%d,%d", start+1, end-start)
}

func print(b *strings.Builder, mark byte, lines []string) {
	for _, l := range lines {
		b.WriteByte(mark)
		b.WriteString(l)
		if !strings.HasSuffix(l, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// lines splits a text into lines that keep their ends, so that a missing last newline is a difference.
func lines(b []byte) []string {
	s := strings.SplitAfter(string(b), "\n")
	if s[len(s)-1] == "" {
		s = s[:len(s)-1]
	}
	return s
}

// compare returns the shortest list of edits from x to y, after Myers, "An O(ND) Difference Algorithm" (1986).
func compare(x, y []string) []edit {
	start := 0
	for start < len(x) && start < len(y) && x[start] == y[start] {
		start++
	}
	xEnd, yEnd := len(x), len(y)
	for xEnd > start && yEnd > start && x[xEnd-1] == y[yEnd-1] {
		xEnd--
		yEnd--
	}
	if start == xEnd && start == yEnd {
		return nil
	}
	edits := myers(x[start:xEnd], y[start:yEnd])
	for i := range edits {
		e := &edits[i]
		e.x, e.xEnd, e.y, e.yEnd = e.x+start, e.xEnd+start, e.y+start, e.yEnd+start
	}
	return edits
}

func myers(x, y []string) []edit {
	n, m := len(x), len(y)
	limit := min(n+m, tooFar)
	// v[limit+k] is how far in x the best path with d edits gets on the diagonal k = x-y.
	v := make([]int32, 2*limit+2)
	var trace [][]int32 // trace[d] is v[limit-d : limit+d+1] as it was before round d
	for d := 0; d <= limit; d++ {
		trace = append(trace, slices.Clone(v[limit-d:limit+d+1]))
		for k := -d; k <= d; k += 2 {
			i := 0
			switch {
			case d == 0:
			case down(v[limit-d:limit+d+1], d, k):
				i = int(v[limit+k+1])
			default:
				i = int(v[limit+k-1]) + 1
			}
			j := i - k
			for i < n && j < m && i >= 0 && j >= 0 && x[i] == y[j] {
				i++
				j++
			}
			v[limit+k] = int32(i)
			if i >= n && j >= m {
				return walkBack(trace, n, m)
			}
		}
	}
	return []edit{{0, n, 0, m}}
}

// down reports whether the best path with d edits reaches diagonal k by an insertion. v is centred on d.
func down(v []int32, d, k int) bool {
	return k == -d || k != d && v[d+k-1] < v[d+k+1]
}

// walkBack follows the path from its end and joins single steps that touch.
func walkBack(trace [][]int32, i, j int) []edit {
	var edits []edit
	for d := len(trace) - 1; d > 0; d-- {
		v, k := trace[d], i-j
		var pi, pj int
		if down(v, d, k) {
			pi = int(v[d+k+1])
			pj = pi - k - 1
		} else {
			pi = int(v[d+k-1])
			pj = pi - k + 1
		}
		e := edit{x: pi, xEnd: pi, y: pj, yEnd: pj}
		if pi-pj > k {
			e.yEnd++
		} else {
			e.xEnd++
		}
		if last := len(edits) - 1; last >= 0 && edits[last].x == e.xEnd && edits[last].y == e.yEnd {
			edits[last].x, edits[last].y = e.x, e.y
		} else {
			edits = append(edits, e)
		}
		i, j = pi, pj
	}
	slices.Reverse(edits)
	return edits
}
