package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// PosError is a fault in a file that a person can edit, at a place that an editor can jump to.
type PosError struct {
	File string // relative to the root
	Line int    // from 1
	Col  int    // from 1, in characters
	Msg  string // what is wrong, and what to type instead

	Conflict bool // git left a conflict there
}

func (e *PosError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

const bom = "\ufeff"

type kind int

const (
	scalar kind = iota
	mapping
	null
)

// node is a YAML value that knows which bytes it came from. The yaml package knows where a value begins;
// where it ends is found here, which is why every scalar must stand on one line.
type node struct {
	kind     kind
	text     string // of a scalar
	flow     bool   // a mapping in braces
	pos, end int    // bytes in doc.src
	items    []item // of a mapping
}

// item is one key of a mapping with its value.
type item struct {
	key    string
	keyPos int
	colon  int // the byte after the colon
	val    *node
}

func (n *node) item(key string) (item, bool) {
	for _, it := range n.items {
		if it.key == key {
			return it, true
		}
	}
	return item{}, false
}

// doc is custos.yaml as text and tree.
type doc struct {
	file   string
	src    []byte // without the byte order mark
	bom    bool
	starts []int // the first byte of each line
	nl     string
	root   *node
}

// parseDoc reads the part of YAML that custos.yaml may use: mappings and scalars on one line, without
// anchors, aliases, tags and lists. Less would not be YAML, more could not be edited without losing a byte.
func parseDoc(file string, data []byte) (*doc, error) {
	d := &doc{file: file, nl: "\n", src: data}
	if bytes.HasPrefix(data, []byte(bom)) {
		d.bom, d.src = true, data[len(bom):]
	}
	d.starts = []int{0}
	for i, c := range d.src {
		if c == '\n' {
			d.starts = append(d.starts, i+1)
		}
	}
	if i := bytes.IndexByte(d.src, '\n'); i > 0 && d.src[i-1] == '\r' {
		d.nl = "\r\n"
	}
	if err := d.checkText(); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(d.src))
	var y, more yaml.Node
	switch err := dec.Decode(&y); {
	case errors.Is(err, io.EOF) || err == nil && (y.Kind != yaml.DocumentNode || len(y.Content) != 1):
		return nil, d.errorf(0, `the file is empty; write "version: 1", or delete the file and run: custos init`)
	case err != nil:
		return nil, d.yamlError(err)
	}
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, d.yamlError(err)
	default:
		return nil, d.errorf(d.offset(more.Line, more.Column), "a second YAML document begins here; keep one")
	}
	root, err := d.build(y.Content[0], 0)
	if err != nil {
		return nil, err
	}
	if root.kind != mapping {
		return nil, d.errorf(root.pos, `the file must hold keys and values, such as "version: 1"`)
	}
	d.root = root
	return d, nil
}

// checkText refuses what would make line numbers ambiguous, and files that git left in conflict.
func (d *doc) checkText() error {
	for i := 0; i < len(d.src); {
		r, size := utf8.DecodeRune(d.src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return d.errorf(i, "not valid UTF-8; save the file as UTF-8")
		case r == '\r' && (i+1 == len(d.src) || d.src[i+1] != '\n'),
			r == '\u0085', r == '\u2028', r == '\u2029', r == '\ufeff':
			return d.errorf(i, "the character U+%04X is not allowed here; end lines with a newline", r)
		}
		i += size
	}
	for i, start := range d.starts {
		line := d.src[start:]
		if i+1 < len(d.starts) {
			line = d.src[start:d.starts[i+1]]
		}
		if m := marker(strings.TrimRight(string(line), "\r\n")); m == '<' || m == '>' {
			return &PosError{File: d.file, Line: i + 1, Col: 1, Conflict: true, Msg: fmt.Sprintf(
				"git left a conflict here; keep the lines you want, delete the lines that begin with <<<<<<<, ======= and >>>>>>>, then run: git add %s", d.file)}
		}
	}
	return nil
}

// marker returns the character of a git conflict marker (one of <, |, =, >), or 0 for another line.
func marker(line string) byte {
	if len(line) < 7 {
		return 0
	}
	c := line[0]
	if !strings.ContainsRune("<|=>", rune(c)) || line[:7] != strings.Repeat(line[:1], 7) || len(line) > 7 && line[7] != ' ' {
		return 0
	}
	return c
}

func (d *doc) yamlError(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if _, scan := fmt.Sscanf(msg, "line %d:", &line); scan == nil {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	line = min(max(line, 1), len(d.starts))
	return &PosError{File: d.file, Line: line, Col: 1, Msg: "not valid YAML: " + msg}
}

func (d *doc) errorf(pos int, format string, args ...any) error {
	line, col := d.place(pos)
	return &PosError{File: d.file, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
}

// place turns a byte into a line and a column.
func (d *doc) place(pos int) (line, col int) {
	for line < len(d.starts) && d.starts[line] <= pos {
		line++
	}
	return line, utf8.RuneCount(d.src[d.starts[line-1]:pos]) + 1
}

// offset turns a line and a column into a byte.
func (d *doc) offset(line, col int) int {
	if line < 1 || line > len(d.starts) {
		return len(d.src)
	}
	pos := d.starts[line-1]
	for ; col > 1 && pos < len(d.src); col-- {
		_, size := utf8.DecodeRune(d.src[pos:])
		pos += size
	}
	return pos
}

// lineStart and lineEnd give the bytes of the line that holds pos; the end is behind its newline.
func (d *doc) lineStart(pos int) int { return bytes.LastIndexByte(d.src[:pos], '\n') + 1 }

func (d *doc) lineEnd(pos int) int {
	if i := bytes.IndexByte(d.src[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(d.src)
}

// build finds the bytes of a value; after is where an absent one would stand.
func (d *doc) build(y *yaml.Node, after int) (*node, error) {
	pos := d.offset(y.Line, y.Column)
	switch {
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		return nil, d.errorf(pos, "anchors and aliases are not supported here; write the value out")
	case y.Style&yaml.TaggedStyle != 0:
		return nil, d.errorf(pos, "YAML tags are not supported here; leave %s out", y.Tag)
	case y.Kind == yaml.SequenceNode:
		return nil, d.errorf(pos, "a list does not belong here; write key: value")
	case y.Kind == yaml.ScalarNode:
		return d.scalar(y, pos, after)
	}
	n := &node{kind: mapping, flow: y.Style&yaml.FlowStyle != 0, pos: pos, end: pos}
	if n.flow {
		if pos >= len(d.src) || d.src[pos] != '{' {
			return nil, d.errorf(min(pos, len(d.src)), "write key: value")
		}
		n.end = pos + 1
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		it, err := d.item(y.Content[i], y.Content[i+1])
		if err != nil {
			return nil, err
		}
		if it.keyPos < n.end {
			return nil, d.errorf(it.keyPos, "write key: value")
		}
		n.items = append(n.items, it)
		n.end = it.val.end
	}
	if n.flow {
		end, ok := d.closing(n.end)
		if !ok {
			return nil, d.errorf(n.pos, "the braces are too intricate; write one key: value on each line instead")
		}
		n.end = end
	}
	return n, nil
}

func (d *doc) item(k, v *yaml.Node) (item, error) {
	if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
		return item{}, d.errorf(d.offset(k.Line, k.Column), "this is no key; write key: value")
	}
	key, err := d.build(k, 0)
	if err != nil {
		return item{}, err
	}
	colon := key.end
	for colon < len(d.src) && (d.src[colon] == ' ' || d.src[colon] == '\t') {
		colon++
	}
	if key.end == 0 || colon >= len(d.src) || d.src[colon] != ':' {
		return item{}, d.errorf(key.pos, "write key: value")
	}
	val, err := d.build(v, colon+1)
	if err != nil {
		return item{}, err
	}
	if val.pos <= colon {
		return item{}, d.errorf(key.pos, "write key: value")
	}
	return item{key: k.Value, keyPos: key.pos, colon: colon + 1, val: val}, nil
}

func (d *doc) scalar(y *yaml.Node, pos, after int) (*node, error) {
	n := &node{kind: scalar, text: y.Value, pos: pos}
	rest := string(d.src[pos:])
	switch {
	case y.Tag == "!!null" && y.Value == "":
		return &node{kind: null, pos: after, end: after}, nil
	case y.Style&yaml.DoubleQuotedStyle != 0:
		n.end = pos + quoted(rest, '"')
	case y.Style&yaml.SingleQuotedStyle != 0:
		n.end = pos + quoted(rest, '\'')
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && strings.HasPrefix(rest, y.Value) && !strings.Contains(y.Value, "\n"):
		n.end = pos + len(y.Value)
	}
	if n.end <= pos {
		return nil, d.errorf(pos, "write the value on one line")
	}
	if y.Tag == "!!null" {
		n.kind = null
	}
	return n, nil
}

// quoted returns the length of the quoted scalar that s begins with, or 0 when it does not end on its line.
func quoted(s string, q byte) int {
	if s == "" || s[0] != q {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\n':
			return 0
		case s[i] == '\\' && q == '"':
			i++
		case s[i] == q && q == '\'' && strings.HasPrefix(s[i+1:], "'"):
			i++
		case s[i] == q:
			return i + 1
		}
	}
	return 0
}

// closing finds the byte behind the brace that closes a mapping whose last value ends at pos.
func (d *doc) closing(pos int) (int, bool) {
	for pos < len(d.src) {
		switch d.src[pos] {
		case ' ', '\t', '\r', '\n', ',':
			pos++
		case '#':
			pos = d.lineEnd(pos)
		case '}':
			return pos + 1, true
		default:
			return 0, false
		}
	}
	return 0, false
}
