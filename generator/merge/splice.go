package merge

import (
	"bytes"
	"slices"
	"strings"
)

// edit3 replaces the bytes from start to end. Where nothing is replaced, the text gets blank lines around it, unless
// it is raw.
type edit3 struct {
	start, end int
	text       versions
	raw        bool
}

// splice applies edits that do not overlap; of those at one place, insertions come first, in the order given.
func splice(content []byte, edits []edit3, pick func(versions) string) []byte {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b edit3) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return min(a.end-a.start, 1) - min(b.end-b.start, 1)
	})
	nl := eol(content)
	var out bytes.Buffer
	blank := false // a blank line is due
	write := func(s string) {
		if s == "" {
			return
		}
		if blank && !strings.HasPrefix(s, "\n") && !strings.HasPrefix(s, "\r\n") {
			out.WriteString(nl)
		}
		blank = false
		out.WriteString(s)
	}
	at := 0
	for _, e := range edits {
		write(string(content[at:e.start]))
		at = e.end
		s := pick(e.text)
		if e.start != e.end || s == "" {
			write(s)
			continue
		}
		if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			write(nl)
		}
		if e.raw {
			write(s)
			continue
		}
		if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte(nl+nl)) {
			blank = false
			write(nl)
		}
		blank = false
		if !strings.HasSuffix(s, "\n") {
			s += nl
		}
		write(s)
		blank = true
	}
	write(string(content[at:]))
	return out.Bytes()
}
