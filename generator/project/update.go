package project

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// UpdateConfig changes a custos.yaml so that it says c, and changes nothing else: comments, blank lines,
// order, quotes and line ends stay, and a file that says c already comes back as it is. An empty engine,
// driver, folder or migration setting in c means "as the file has it", and one that is the default is not
// written into a file that leaves it out.
//
// A file that cannot be edited line by line is left to its owner: the error prints what to type.
func UpdateConfig(old []byte, c Config) ([]byte, error) {
	text, edited := old, false
	// One change at a time, and the file is read anew after each: no position is ever stale.
	for range 2_000 {
		have, d, err := parseConfig(text)
		if err != nil {
			if edited {
				err = byHand(c, err)
			}
			return nil, err
		}
		s, more, err := d.step(have, c)
		if err != nil {
			return nil, byHand(c, err)
		}
		if !more && !says(have, c) {
			return nil, byHand(c, errors.New("the file does not say what it should"))
		}
		if !more {
			return text, nil
		}
		text, edited = d.splice(s), true
	}
	return nil, byHand(c, errors.New("the changes do not come to an end"))
}

func byHand(c Config, err error) error {
	return fmt.Errorf("update %s: %w; edit it by hand so that it says:\n\n%s", ConfigFile, err, RenderConfig(c))
}

// splice is new text for a run of bytes.
type splice struct {
	pos, end int
	text     string
}

func (d *doc) splice(s splice) []byte {
	var b []byte
	if d.bom {
		b = append(b, bom...)
	}
	b = append(b, d.src[:s.pos]...)
	b = append(b, s.text...)
	return append(b, d.src[s.end:]...)
}

// step finds the first difference between what the file says and what it should say, and how to remove it.
func (d *doc) step(have, want Config) (s splice, more bool, err error) {
	root := item{val: d.root}
	for _, k := range []struct{ key, have, want, standard string }{
		{"engine", have.Engine, want.Engine, ""},
		{"driver", have.Driver, want.Driver, ""},
		{"package", have.Package, want.Package, DefaultPackage},
		{"queries", have.Queries, want.Queries, DefaultQueries},
		{"authctl", have.Authctl, want.Authctl, DefaultAuthctl},
	} {
		if k.want != "" && k.have != k.want && (k.have != "" || k.want != k.standard) {
			return d.set(root, k.key, k.want, rootKeys())
		}
	}
	for _, k := range []struct{ key, have, want string }{
		{"dir", have.Migrations.Dir, want.Migrations.Dir},
		{"tool", have.Migrations.Tool, want.Migrations.Tool},
		{"numbering", have.Migrations.Numbering, want.Migrations.Numbering},
	} {
		if k.want == "" || k.have == k.want {
			continue
		}
		m, ok := d.root.item("migrations")
		if !ok {
			return d.insert(root, pair{"migrations", tree{block: true, items: []pair{{k.key, word(k.want)}}}}, rootKeys())
		}
		return d.set(m, k.key, k.want, migrationKeys())
	}
	models, ok := d.root.item("models")
	if !ok && len(want.Models) > 0 {
		m := want.Models[0]
		return d.insert(root, pair{"models", tree{block: true, items: []pair{{m.Name, m.tree()}}}}, rootKeys())
	}
	for _, m := range want.Models {
		it, ok := models.val.item(m.Name)
		if !ok {
			return d.insert(models, pair{m.Name, m.tree()}, nil)
		}
		old, _ := have.Model(m.Name)
		if s, more, err := d.stepModel(it, old, m); more || err != nil {
			return s, more, err
		}
	}
	for _, m := range have.Models {
		if _, ok := want.Model(m.Name); !ok {
			return d.remove(models, m.Name)
		}
	}
	return splice{}, false, nil
}

func (d *doc) stepModel(it item, have, want ModelConfig) (splice, bool, error) {
	for _, k := range []struct{ key, have, want string }{
		{"table", have.Table, want.Table},
		{"key", string(have.Key), string(want.Key)},
		{"path", have.Path, want.Path},
	} {
		switch {
		case k.have == k.want:
		case k.want == "":
			return d.remove(it, k.key)
		default:
			return d.set(it, k.key, k.want, modelKeys())
		}
	}
	plugins, ok := it.val.item("plugins")
	if !ok && len(want.Plugins) > 0 {
		p := want.Plugins[0]
		return d.insert(it, pair{"plugins", tree{block: true, items: []pair{{p.Name, p.tree()}}}}, modelKeys())
	}
	for _, p := range want.Plugins {
		it, ok := plugins.val.item(p.Name)
		if !ok {
			return d.insert(plugins, pair{p.Name, p.tree()}, nil)
		}
		i := slices.IndexFunc(have.Plugins, func(h PluginConfig) bool { return h.Name == p.Name })
		old := have.Plugins[i].Options
		for _, o := range slices.Sorted(maps.Keys(p.Options)) {
			if v, ok := old[o]; !ok || v != p.Options[o] {
				return d.set(it, o, p.Options[o], nil)
			}
		}
		for _, o := range slices.Sorted(maps.Keys(old)) {
			if _, ok := p.Options[o]; !ok {
				return d.remove(it, o)
			}
		}
	}
	for _, h := range have.Plugins {
		if !slices.ContainsFunc(want.Plugins, func(p PluginConfig) bool { return p.Name == h.Name }) {
			return d.remove(plugins, h.Name)
		}
	}
	return splice{}, false, nil
}

// set gives a key of a mapping a scalar value.
func (d *doc) set(in item, key, value string, order []string) (splice, bool, error) {
	it, ok := in.val.item(key)
	if !ok {
		return d.insert(in, pair{key, word(value)}, order)
	}
	if it.val.pos == it.colon { // nothing, or JSON's "key":value
		return splice{it.val.pos, it.val.end, " " + quoteYAML(value)}, true, nil
	}
	return splice{it.val.pos, it.val.end, quoteYAML(value)}, true, nil
}

// insert adds a key to a mapping: behind the keys that come before it in order, or last.
func (d *doc) insert(in item, p pair, order []string) (splice, bool, error) {
	m := in.val
	braces := m.flow || d.inFlow(in)
	switch {
	case m.kind == null && braces:
		return splice{in.colon, m.end, " {" + p.inline() + "}"}, true, nil
	case len(m.items) == 0 && (m.kind == null || !strings.Contains(string(d.src[m.pos:m.end]), "#")) && !d.inFlow(in):
		eol := d.lineEnd(m.end)
		rest, nl := cutNewline(string(d.src[m.end:eol]))
		lines := p.lines(d.indent(in.keyPos)+d.stepWidth(), d.stepWidth(), d.nl)
		if nl == "" {
			lines = strings.TrimSuffix(lines, d.nl)
		}
		return splice{in.colon, eol, rest + d.nl + lines}, true, nil
	case braces && len(m.items) == 0:
		return splice{m.pos + 1, m.pos + 1, p.inline()}, true, nil
	case braces:
		last := m.items[len(m.items)-1].val.end
		return splice{last, last, ", " + p.inline()}, true, nil
	}
	indent := d.indent(m.items[0].keyPos)
	at := len(m.items) - 1
	if rank := slices.Index(order, p.key); rank >= 0 {
		for at >= 0 && slices.Index(order, m.items[at].key) > rank {
			at--
		}
	}
	lines := p.lines(indent, d.stepWidth(), d.nl)
	if at < 0 {
		pos := d.lineStart(m.items[0].keyPos)
		return splice{pos, pos, lines}, true, nil
	}
	eol := d.lineEnd(m.items[at].val.end)
	if eol == len(d.src) && !strings.HasSuffix(string(d.src), "\n") {
		return splice{eol, eol, d.nl + strings.TrimSuffix(lines, d.nl)}, true, nil
	}
	return splice{eol, eol, lines}, true, nil
}

// remove takes a key out of a mapping, with the lines it stands on.
func (d *doc) remove(in item, key string) (splice, bool, error) {
	m := in.val
	i := slices.IndexFunc(m.items, func(it item) bool { return it.key == key })
	it := m.items[i]
	switch {
	case m.flow && i+1 < len(m.items):
		return splice{it.keyPos, m.items[i+1].keyPos, ""}, true, nil
	case m.flow && i > 0:
		return splice{m.items[i-1].val.end, it.val.end, ""}, true, nil
	case m.flow:
		// A comma behind the only item would be left alone, so everything between the braces goes.
		return splice{m.pos, m.end, "{}"}, true, nil
	}
	start, eol := d.lineStart(it.keyPos), d.lineEnd(it.val.end)
	if len(m.items) == 1 {
		return splice{in.colon, eol, " {}" + string(d.src[in.colon:start])}, true, nil
	}
	return splice{start, eol, ""}, true, nil
}

// inFlow reports whether a key stands between braces, where line breaks mean nothing.
func (d *doc) inFlow(in item) bool {
	return in.colon > 0 && braced(d.root, in.keyPos)
}

func braced(n *node, pos int) bool {
	if n.kind != mapping || pos < n.pos || pos >= n.end {
		return false
	}
	if n.flow {
		return true
	}
	return slices.ContainsFunc(n.items, func(it item) bool { return braced(it.val, pos) })
}

// indent is the number of columns before a key.
func (d *doc) indent(pos int) int {
	_, col := d.place(pos)
	return col - 1
}

// stepWidth is how far the file indents.
func (d *doc) stepWidth() int {
	for _, it := range d.root.items {
		if v := it.val; v.kind == mapping && !v.flow && len(v.items) > 0 {
			return max(1, d.indent(v.items[0].keyPos)-d.indent(it.keyPos))
		}
	}
	return 2
}

func cutNewline(line string) (text, nl string) {
	text = strings.TrimRight(line, "\r\n")
	return text, line[len(text):]
}

// says reports whether a file that was read as have says what want wants; see [UpdateConfig].
func says(have, want Config) bool {
	filled := want
	or := func(have string, want *string, standard string) {
		if *want == "" || have == "" && *want == standard {
			*want = have
		}
	}
	or(have.Engine, &filled.Engine, "")
	or(have.Driver, &filled.Driver, "")
	or(have.Package, &filled.Package, DefaultPackage)
	or(have.Queries, &filled.Queries, DefaultQueries)
	or(have.Authctl, &filled.Authctl, DefaultAuthctl)
	or(have.Migrations.Dir, &filled.Migrations.Dir, "")
	or(have.Migrations.Tool, &filled.Migrations.Tool, "")
	or(have.Migrations.Numbering, &filled.Migrations.Numbering, "")
	return equal(have, filled)
}

// equal compares two configurations; the order of models and plugins has no meaning.
func equal(a, b Config) bool {
	if len(a.Models) != len(b.Models) {
		return false
	}
	for _, m := range a.Models {
		n, ok := b.Model(m.Name)
		if !ok || m.Table != n.Table || m.Key != n.Key || m.Path != n.Path || !maps.EqualFunc(options(m), options(n), maps.Equal) {
			return false
		}
	}
	a.Models, b.Models = nil, nil
	return a.Engine == b.Engine && a.Driver == b.Driver && a.Package == b.Package && a.Queries == b.Queries &&
		a.Authctl == b.Authctl && a.Migrations == b.Migrations
}

func options(m ModelConfig) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, p := range m.Plugins {
		out[p.Name] = p.Options
	}
	return out
}
