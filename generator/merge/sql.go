package merge

import (
	"regexp"
	"strings"
)

var queryName = regexp.MustCompile(`^--\s*name:\s*(\S+)`)

// cutSQL cuts a file of queries at sqlc's names. The comment right above a name is the query's.
func cutSQL(path string, content []byte) (*source, error) {
	s := &source{path: path, content: content}
	all := lines(content)
	offset := make([]int, len(all)+1)
	var starts, marks []int
	for i, l := range all {
		offset[i+1] = offset[i] + len(l)
		if !queryName.MatchString(l) {
			continue
		}
		start := i
		for start > 0 && strings.HasPrefix(all[start-1], "--") && (len(marks) == 0 || start-1 > marks[len(marks)-1]) {
			start--
		}
		starts, marks = append(starts, start), append(marks, i)
	}
	end := len(all)
	if len(starts) > 0 {
		end = starts[0]
	}
	s.head = offset[lastLine(all, 0, end)]
	s.begin = s.head
	for i, start := range starts {
		end := len(all)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		name := queryName.FindStringSubmatch(all[marks[i]])[1]
		s.add(&unit{names: []string{"query " + name}, words: []string{name}, start: offset[start], end: offset[lastLine(all, start, end)]}, trimmed)
	}
	return s, nil
}

// lastLine is the end of the last line in [start, end) that is not blank.
func lastLine(all []string, start, end int) int {
	for end > start && strings.TrimSpace(all[end-1]) == "" {
		end--
	}
	return end
}
