package merge

import (
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

// text is a text as lines that keep their ends. Lines are compared by their keys, so that what only the layout
// tells apart counts as equal.
type text struct{ lines, keys []string }

// plainText compares lines as they are, but for the carriage returns of Windows.
func plainText(s string) text {
	t := text{lines: lines([]byte(s))}
	for _, l := range t.lines {
		t.keys = append(t.keys, strings.TrimSuffix(strings.TrimSuffix(l, "\n"), "\r"))
		if !strings.HasSuffix(l, "\n") {
			t.keys[len(t.keys)-1] += "\x00" // a missing last line end is a difference
		}
	}
	return t
}

// chunk is a run of lines: taken from one side, or, in a conflict, what each of the three versions has there.
type chunk struct {
	conflict           bool
	taken              []string
	base, mine, theirs []string
}

// diff3 merges two descendants of a text, after Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007). Changes that
// touch, with no common line between them, are one conflict, as they are to git. Lines that are equal are taken from
// mine, with its layout. Of a conflict, lines that both sides begin or end with are taken out (git's zdiff3).
func diff3(base, mine, theirs text) []chunk {
	em, et := compare(base.keys, mine.keys), compare(base.keys, theirs.keys)
	var out []chunk
	at, shiftM, shiftT := 0, 0, 0 // in base; what to add to it for a place in mine and theirs
	for len(em)+len(et) > 0 {
		start := len(base.lines)
		if len(em) > 0 {
			start = em[0].x
		}
		if len(et) > 0 {
			start = min(start, et[0].x)
		}
		end, nm, nt := start, 0, 0
		for grown := true; grown; {
			grown = false
			for nm < len(em) && em[nm].x <= end {
				end, nm, grown = max(end, em[nm].xEnd), nm+1, true
			}
			for nt < len(et) && et[nt].x <= end {
				end, nt, grown = max(end, et[nt].xEnd), nt+1, true
			}
		}
		out = appendTaken(out, mine.lines[at+shiftM:start+shiftM])
		m, t := start+shiftM, start+shiftT
		if nm > 0 {
			shiftM = em[nm-1].yEnd - em[nm-1].xEnd
		}
		if nt > 0 {
			shiftT = et[nt-1].yEnd - et[nt-1].xEnd
		}
		mEnd, tEnd := end+shiftM, end+shiftT
		switch {
		case nt == 0 || slices.Equal(mine.keys[m:mEnd], theirs.keys[t:tEnd]):
			out = appendTaken(out, mine.lines[m:mEnd])
		case nm == 0:
			out = appendTaken(out, theirs.lines[t:tEnd])
		default:
			before := m
			for m < mEnd && t < tEnd && mine.keys[m] == theirs.keys[t] {
				m, t = m+1, t+1
			}
			out = appendTaken(out, mine.lines[before:m])
			after := mEnd
			for m < mEnd && t < tEnd && mine.keys[mEnd-1] == theirs.keys[tEnd-1] {
				mEnd, tEnd = mEnd-1, tEnd-1
			}
			out = append(out, chunk{conflict: true, base: base.lines[start:end], mine: mine.lines[m:mEnd], theirs: theirs.lines[t:tEnd]})
			out = appendTaken(out, mine.lines[mEnd:after])
		}
		at, em, et = end, em[nm:], et[nt:]
	}
	return appendTaken(out, mine.lines[at+shiftM:])
}

func appendTaken(out []chunk, lines []string) []chunk {
	if len(lines) == 0 {
		return out
	}
	if n := len(out); n > 0 && !out[n-1].conflict {
		out[n-1].taken = slices.Concat(out[n-1].taken, lines)
		return out
	}
	return append(out, chunk{taken: lines})
}

func conflicts(chunks []chunk) int {
	n := 0
	for _, c := range chunks {
		if c.conflict {
			n++
		}
	}
	return n
}

// labels name the three versions in conflict markers.
type labels struct{ Mine, Base, Theirs string }

// versions is one place of a merged file: with conflict markers, and as each version would have it. Where there is
// no conflict all four are the same.
type versions struct{ marked, mine, base, theirs string }

func agreed(s string) versions { return versions{s, s, s, s} }

// resolve spells chunks out.
func resolve(chunks []chunk, l labels) versions {
	var v [4]strings.Builder
	for _, c := range chunks {
		if !c.conflict {
			for i := range v {
				v[i].WriteString(strings.Join(c.taken, ""))
			}
			continue
		}
		eol := "\n"
		if strings.HasSuffix(strings.Join(c.mine, ""), "\r\n") {
			eol = "\r\n"
		}
		for _, part := range []struct {
			marker, label string
			lines         []string
		}{{"<<<<<<<", l.Mine, c.mine}, {"|||||||", l.Base, c.base}, {"=======", "", c.theirs}, {">>>>>>>", l.Theirs, nil}} {
			v[0].WriteString(strings.TrimSuffix(part.marker+" "+part.label, " ") + eol)
			s := strings.Join(part.lines, "")
			if s != "" && !strings.HasSuffix(s, "\n") {
				s += eol
			}
			v[0].WriteString(s)
		}
		v[1].WriteString(strings.Join(c.mine, ""))
		v[2].WriteString(strings.Join(c.base, ""))
		v[3].WriteString(strings.Join(c.theirs, ""))
	}
	return versions{v[0].String(), v[1].String(), v[2].String(), v[3].String()}
}

// Report shows a hunk in its three versions, with a little of what is around it where they agree.
func Report(h plan.Hunk) string {
	const around = 3
	chunks := diff3(plainText(string(h.Base)), plainText(string(h.Mine)), plainText(string(h.Theirs)))
	if conflicts(chunks) == 0 {
		chunks = []chunk{{conflict: true, base: lines(h.Base), mine: lines(h.Mine), theirs: lines(h.Theirs)}}
	}
	for i := range chunks {
		c := &chunks[i]
		if n := len(c.taken); n > 2*around {
			var short []string
			if i > 0 {
				short = append(short, c.taken[:around]...)
			}
			short = append(short, "...\n")
			if i+1 < len(chunks) {
				short = append(short, c.taken[n-around:]...)
			}
			c.taken = short
		}
	}
	return resolve(chunks, labels{Mine: "yours", Base: "base", Theirs: "new"}).marked
}
