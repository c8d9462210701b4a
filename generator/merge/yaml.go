package merge

import (
	"regexp"
	"strings"
)

var yamlKey = regexp.MustCompile(`^( *)([A-Za-z0-9_."'/-]+):(\s|$)`)

// cutYAML cuts a document at its outermost keys, with the comments right above them. One with several documents,
// or whose outermost part is no mapping in block style, stays whole.
func cutYAML(path string, content []byte) (*source, error) {
	s := &source{path: path, content: content}
	head, keys, ok := cutKeys(lines(content), 0)
	if !ok {
		return cutPlain(path, content)
	}
	s.head = len(head)
	s.begin = s.head
	at := s.head
	for _, k := range keys {
		at += len(k.gap)
		s.add(&unit{names: []string{"key " + k.name}, words: []string{k.name}, start: at, end: at + len(k.text)}, trimmed)
		at += len(k.text)
	}
	return s, nil
}

// yamlPart is one key of a mapping with all below it. The gap is the blank lines before it.
type yamlPart struct{ name, gap, text string }

// cutKeys cuts lines at the keys that are indented by so many spaces. The head is what comes before the first, the
// blank lines at the end of it left out.
func cutKeys(all []string, indent int) (head string, keys []yamlPart, ok bool) {
	var starts []int
	var names []string
	for i, l := range all {
		if strings.HasPrefix(l, "---") || strings.HasPrefix(l, "...") || strings.ContainsRune(l[:len(l)-len(strings.TrimLeft(l, " \t"))], '\t') {
			return "", nil, false
		}
		m := yamlKey.FindStringSubmatch(l)
		switch {
		case m != nil && len(m[1]) == indent:
			start := i
			for start > 0 && strings.HasPrefix(strings.TrimLeft(all[start-1], " "), "#") && (len(starts) == 0 || start-1 > starts[len(starts)-1]) {
				start--
			}
			starts, names = append(starts, start), append(names, m[2])
		case strings.TrimSpace(l) == "" || strings.HasPrefix(strings.TrimSpace(l), "#"):
		case len(l)-len(strings.TrimLeft(l, " ")) <= indent:
			if indent == 0 && strings.HasPrefix(l, "- ") && len(starts) > 0 {
				continue // a list below a key may stand at its margin
			}
			return "", nil, false
		}
	}
	if len(starts) == 0 {
		return "", nil, false
	}
	seen := map[string]bool{}
	head = strings.Join(all[:lastLine(all, 0, starts[0])], "")
	gap := strings.Join(all[lastLine(all, 0, starts[0]):starts[0]], "")
	for i, start := range starts {
		if seen[names[i]] {
			return "", nil, false
		}
		seen[names[i]] = true
		end := len(all)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		last := lastLine(all, start, end)
		keys = append(keys, yamlPart{names[i], gap, strings.Join(all[start:last], "")})
		gap = strings.Join(all[last:end], "")
	}
	return head, keys, true
}

// mergeYAML merges one key by the keys below it.
func mergeYAML(base, mine, theirs string) (string, bool) {
	var parts [3][]string
	for i, s := range []string{base, mine, theirs} {
		all := lines([]byte(s))
		first := 0
		for first < len(all) && !yamlKey.MatchString(all[first]) {
			first++
		}
		if first == len(all) {
			return "", false
		}
		parts[i] = []string{strings.Join(all[:first+1], ""), strings.Join(all[first+1:], "")}
	}
	if trimmed(parts[0][0]) != trimmed(parts[1][0]) || trimmed(parts[0][0]) != trimmed(parts[2][0]) {
		return "", false
	}
	var m [3]memberList
	for i := range parts {
		below := lines([]byte(parts[i][1]))
		indent := -1
		for _, l := range below {
			if k := yamlKey.FindStringSubmatch(l); k != nil {
				indent = len(k[1])
				break
			}
		}
		if indent <= 0 {
			return "", false
		}
		head, keys, ok := cutKeys(below, indent)
		if !ok {
			return "", false
		}
		m[i].prefix = parts[i][0] + head
		for _, k := range keys {
			m[i].members = append(m[i].members, member{key: k.name, text: k.gap + k.text, tokens: trimmed(k.gap + k.text)})
		}
	}
	return mergeLists(m[0], m[1], m[2], trimmed, mergeYAML)
}
