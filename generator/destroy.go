package generator

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/render"
)

// Destroy is what a run takes away from its model.
type Destroy struct {
	Plugins   []string // none = the model with all its plugins
	DropTable bool     // the model's own table, too, when custos made it
}

// AskedError is a fault in what a run was asked for, rather than in the project.
type AskedError struct{ Err error }

func (e *AskedError) Error() string { return e.Err.Error() }
func (e *AskedError) Unwrap() error { return e.Err }

func asked(format string, args ...any) error { return &AskedError{fmt.Errorf(format, args...)} }

// configWithout is custos.yaml without what the run destroys. It finds out which plugins that takes away: those
// that were named, and those that only came along with them.
func (g *generation) configWithout() error {
	m, err := model.Parse(g.Model)
	if err != nil {
		return &AskedError{err}
	}
	var known []string
	for _, mc := range g.config.Models {
		known = append(known, mc.Name)
	}
	i := slices.Index(known, m.Name)
	if i < 0 {
		return &AskedError{&plugin.UnknownError{Kind: "model", Name: m.Name, Known: known}}
	}
	mc := g.config.Models[i]
	before, err := g.pluginsOf(mc)
	if err != nil {
		return err
	}
	if len(g.Destroy.Plugins) == 0 {
		g.config.Models = slices.Delete(g.config.Models, i, i+1)
		g.gone = before
		return g.checkTable(m, mc)
	}
	if g.Destroy.DropTable {
		return asked("destroy %s: its table goes only with the whole model; leave out the plugins or --drop-table", m.Name)
	}
	mc.Plugins = slices.Clone(mc.Plugins) // the list is shared with the configuration that was read
	for j, name := range g.Destroy.Plugins {
		if slices.Contains(g.Destroy.Plugins[:j], name) {
			return asked("plugin %s is given twice", name)
		}
		if !slices.Contains(before, name) {
			return &AskedError{&plugin.UnknownError{Kind: "plugin of " + m.Name, Name: name, Known: before}}
		}
		mc.Plugins = slices.DeleteFunc(mc.Plugins, func(pc project.PluginConfig) bool { return pc.Name == name })
	}
	after, err := g.pluginsOf(mc)
	if err != nil {
		return err
	}
	if err := g.checkRequired(m.Name, after); err != nil {
		return err
	}
	g.gone = slices.DeleteFunc(before, func(name string) bool { return slices.Contains(after, name) })
	g.config.Models[i] = mc
	return nil
}

// pluginsOf names the plugins of a model, also those that only came along; core is not among them.
func (g *generation) pluginsOf(mc project.ModelConfig) ([]string, error) {
	var selections []plugin.Selection
	for _, pc := range mc.Plugins {
		selections = append(selections, plugin.Selection{Name: pc.Name, Options: pc.Options})
	}
	resolved, err := g.library.Resolve(selections)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", mc.Name, err)
	}
	var names []string
	for _, s := range resolved {
		if s.Name != plugin.Core {
			names = append(names, s.Name)
		}
	}
	return names, nil
}

// checkRequired refuses to destroy what a plugin that stays cannot do without.
func (g *generation) checkRequired(model string, after []string) error {
	for _, name := range g.Destroy.Plugins {
		var by []string
		for _, other := range after {
			p, err := g.library.Get(other)
			if err != nil {
				return err
			}
			if slices.Contains(p.Manifest.Requires, name) {
				by = append(by, other)
			}
		}
		if len(by) > 0 {
			return asked("destroy %s of %s: required by %s; destroy them too: custos destroy model %s %s",
				name, model, strings.Join(by, ", "), model, strings.Join(slices.Concat(g.Destroy.Plugins, by), " "))
		}
	}
	return nil
}

// checkTable says what becomes of the model's own table.
func (g *generation) checkTable(m model.Model, mc project.ModelConfig) error {
	table := mc.Table
	if table == "" {
		table = m.Table
	}
	switch ours := len(g.project.Lock.Ledger(plan.LedgerID(m.Name))) > 0; {
	case !ours && g.Destroy.DropTable:
		return asked("destroy %s: custos did not make the table %s; drop it with a migration of yours", m.Name, table)
	case !ours:
		g.warn("the table %s is yours and stays", table)
	case !g.Destroy.DropTable:
		g.warn("the table %s stays, with its rows; --drop-table would drop it", table)
	}
	return nil
}

func (g *generation) warn(format string, args ...any) {
	g.warning = append(g.warning, fmt.Sprintf(format, args...))
}

// undone is the migrations that undo what the destroyed plugins' did, the newest first. A plugin that another model
// has keeps its tables.
func (g *generation) undone() ([]render.Migration, error) {
	if g.Destroy == nil {
		return nil, nil
	}
	var origins []string
	for _, name := range g.gone {
		if !slices.ContainsFunc(g.plan.Plugins(), func(s plugin.Selected) bool { return s.Name == name }) {
			origins = append(origins, name)
			continue
		}
		if err := g.warnOfRows(name); err != nil {
			return nil, err
		}
	}
	var ids []string
	version := map[string]int64{}
	for _, e := range g.project.Lock.Entries {
		table := g.Destroy.DropTable && e.ID == plan.LedgerID(g.modelName())
		if e.Owner != project.OwnerLedger || strings.HasPrefix(e.ID, project.Undo("")) || !table && !slices.Contains(origins, e.Origin) {
			continue
		}
		if force := g.project.Lock.Ledger(e.ID); len(force) > 0 && !slices.Contains(ids, e.ID) {
			ids, version[e.ID] = append(ids, e.ID), force[0].Version()
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(version[b], version[a]) })
	var out []render.Migration
	for _, id := range ids {
		m, found, err := g.undo(id)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, m)
		}
	}
	return out, nil
}

func (g *generation) modelName() string {
	m, err := model.Parse(g.Model)
	if err != nil {
		return "" // configWithout has parsed it
	}
	return m.Name
}

// undo is one migration the other way round. It reads what was written, which is what was run, and not the
// template of today. One that is no longer there cannot be undone: the user has put its tables elsewhere.
func (g *generation) undo(id string) (m render.Migration, found bool, err error) {
	var up, down string
	entries := g.project.Lock.Ledger(id)
	for _, e := range entries {
		content, exists, err := g.writtenMigration(e)
		if err != nil {
			return m, false, err
		}
		switch {
		case !exists:
			g.warn("%s is gone, so nothing is written that undoes it; drop what it made with a migration of yours", e.Path)
			return m, false, nil
		case len(entries) == 1:
			up, down, _ = project.SplitMigration(content)
		case project.IsDown(e.Path):
			down = strings.TrimSpace(string(content))
		default:
			up = strings.TrimSpace(string(content))
		}
	}
	if up == "" || down == "" {
		return m, false, fmt.Errorf("destroy %s: %s has no down part, so custos does not know how to undo it; write it there", g.Model, entries[0].Path)
	}
	name := project.MigrationTitle(entries[0].Path)
	if rest, ok := strings.CutPrefix(name, "create_"); ok {
		name = "drop_" + rest
	} else {
		name = "undo_" + name
	}
	return render.Migration{ID: project.Undo(id), Name: name, Up: down, Down: up, Origin: entries[0].Origin}, true, nil
}

// writtenMigration reads a migration, also when the user has given it another number.
func (g *generation) writtenMigration(e project.Entry) (content []byte, exists bool, err error) {
	if content, exists, err = g.project.Read(e.Path); err != nil || exists {
		return content, exists, err
	}
	for _, f := range g.project.Migrations.Files {
		_, known := g.project.Lock.Find(f.Path)
		if !known && project.IsDown(f.Path) == project.IsDown(e.Path) && project.MigrationTitle(f.Path) == project.MigrationTitle(e.Path) {
			return f.Content, true, nil
		}
	}
	return nil, false, nil
}

var dropsTable = regexp.MustCompile(`(?i)\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?["\x60]?(\w+)`)

// warnOfLoss says what is lost when a migration is run.
func (g *generation) warnOfLoss(file, sql string) {
	var tables []string
	for _, m := range dropsTable.FindAllStringSubmatch(sql, -1) {
		tables = append(tables, m[1])
	}
	switch last := len(tables) - 1; last {
	case -1:
		g.warn("running %s deletes what it undoes, with its data", path.Base(file))
	case 0:
		g.warn("running %s deletes the table %s with all its rows", path.Base(file), tables[0])
	default:
		g.warn("running %s deletes the tables %s and %s with all their rows", path.Base(file), strings.Join(tables[:last], ", "), tables[last])
	}
}

// warnOfRows says what stays behind in tables that another model uses, too.
func (g *generation) warnOfRows(name string) error {
	p, err := g.library.Get(name)
	if err != nil {
		return err
	}
	for _, t := range p.Manifest.Tables {
		g.warn("the table %s stays, because another model uses it; what it has of %s comes back to life with the plugin, unless you run: DELETE FROM %s WHERE authenticatable_type = '%s'",
			t, g.modelName(), t, g.modelName())
	}
	return nil
}
