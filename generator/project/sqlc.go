package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/custos-auth/custos/generator/engine"
)

// sqlcConfigs is what the user's own sqlc configuration tells.
type sqlcConfigs struct {
	files   []string // the configuration files
	engines []string // as custos spells them, without repetition
	schema  []string // files and folders, relative to the root
	err     error    // a configuration that could not be read
}

// sqlcFile is the part of an sqlc configuration, in version 1 or 2, that custos reads.
type sqlcFile struct {
	Version  string      `yaml:"version"`
	Packages []sqlcEntry `yaml:"packages"` // version 1
	SQL      []sqlcEntry `yaml:"sql"`      // version 2
}

type sqlcEntry struct {
	Engine string    `yaml:"engine"`
	Schema yaml.Node `yaml:"schema"` // a path or a list of paths
}

// findSQLC looks for the user's sqlc configuration in the root, else one folder below, else two. custos' own
// is not the user's.
func (p *Project) findSQLC() (sqlcConfigs, error) {
	var found sqlcConfigs
	level := []string{""}
	for depth := 0; depth <= 2 && len(level) > 0 && len(found.files) == 0; depth++ {
		var below []string
		for _, dir := range level {
			entries, err := p.folder(dir)
			if errors.Is(err, fs.ErrPermission) && dir != "" {
				continue // not ours to read, hence not the place of the project's configuration
			}
			if err != nil {
				return found, err
			}
			for _, e := range entries {
				name := path.Join(dir, e.Name())
				switch {
				case e.IsDir():
					if !skipped(e.Name()) && name != p.Config.Queries {
						below = append(below, name)
					}
				case slices.Contains([]string{"sqlc.yaml", "sqlc.yml", "sqlc.json"}, e.Name()):
					found.add(p, name)
				}
			}
		}
		level = below
	}
	return found, nil
}

// folder lists a folder, or the root, unless it is another module's.
func (p *Project) folder(dir string) ([]fs.DirEntry, error) {
	if dir == "" {
		return readRoot(p.Root)
	}
	entries, err := p.list(dir)
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "go.mod" }) {
		return nil, err
	}
	return entries, nil
}

func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") ||
		slices.Contains([]string{"vendor", "node_modules", "testdata"}, name)
}

func (s *sqlcConfigs) add(p *Project, file string) {
	s.files = append(s.files, file)
	fail := func(err error) {
		s.err = err
		p.found("sqlc: %v; it was not used", err)
	}
	content, _, err := p.Read(file)
	if err != nil {
		fail(err)
		return
	}
	var f sqlcFile
	if err := yaml.Unmarshal(content, &f); err != nil { // JSON is YAML
		fail(fmt.Errorf("read %s: %s", file, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", "")))
		return
	}
	entries := f.SQL
	if f.Version == "1" {
		entries = f.Packages
	}
	for _, e := range entries {
		if e.Engine == "" {
			e.Engine = "postgresql" // sqlc's own default
		}
		known, err := engine.ByName(e.Engine)
		if err != nil {
			fail(fmt.Errorf("read %s: %w", file, err))
			continue
		}
		if !slices.Contains(s.engines, known.Name) {
			s.engines = append(s.engines, known.Name)
		}
		for _, schema := range append([]*yaml.Node{&e.Schema}, e.Schema.Content...) {
			if schema.Kind == yaml.ScalarNode {
				s.addSchema(path.Join(path.Dir(file), schema.Value))
			}
		}
	}
}

// addSchema remembers a path that sqlc reads tables from. Of a pattern the folder is kept, and a path out of
// the project is somebody else's.
func (s *sqlcConfigs) addSchema(name string) {
	for strings.ContainsAny(name, "*?[") {
		name = path.Dir(name)
	}
	if local(name) && !slices.Contains(s.schema, name) {
		s.schema = append(s.schema, name)
	}
}

// readSchema reads the SQL that sqlc knows tables from, apart from the migrations.
func (p *Project) readSchema(found sqlcConfigs) error {
	for _, name := range found.schema {
		if name == p.Config.Migrations.Dir || name == p.Config.Queries {
			continue
		}
		_, info, err := p.stat(name)
		if err != nil {
			p.found("sqlc: %v", err)
			continue
		}
		switch {
		case info == nil:
		case info.IsDir():
			f, err := p.readFolder(name)
			if err != nil {
				return err
			}
			p.Schema = append(p.Schema, f.files...)
		case path.Dir(name) != p.Config.Migrations.Dir:
			content, _, err := p.Read(name)
			if err != nil {
				return err
			}
			p.Schema = append(p.Schema, MigrationFile{Path: name, Content: content})
		}
	}
	if len(p.Schema) > 0 {
		p.found("schema: %s, beside the migrations (%s)", p.Schema[0].Path, found.files[0])
	}
	return nil
}
