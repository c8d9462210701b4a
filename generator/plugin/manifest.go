package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/module"
)

// ManifestFile is the name of a plugin's manifest in its folder.
const ManifestFile = "plugin.yaml"

// Manifest is plugin.yaml. It states relations only; what files a plugin writes follows from their names, and
// there are no conditions. Unknown keys are errors.
//
// MODEL in a hook's method, in a route's handler and require, and in a command's func stands for the model's Go
// name, as in file names: RequireMODEL is RequireUser in the model User. See [Bind].
type Manifest struct {
	Summary   string              `yaml:"summary"`   // one sentence, for `custos plugins`
	Requires  []string            `yaml:"requires"`  // plugins that come along
	Conflicts []string            `yaml:"conflicts"` // plugins that cannot be in the same model
	Tables    []string            `yaml:"tables"`    // tables that the plugin owns
	Modules   map[string]string   `yaml:"modules"`   // Go modules that its templates import -> the version written into a go.mod that has none or an older one
	State     string              `yaml:"state"`     // what the plugin keeps in Service: a field and its type, with open(*Service) and close(context.Context) error
	Seams     map[string]Seam     `yaml:"seams"`     // what it lets others join
	Hooks     map[string][]string `yaml:"hooks"`     // seam -> methods of Service that join it; "*" is every observe seam of the model
	Routes    []Route             `yaml:"routes"`
	Mounts    []Mount             `yaml:"mounts"`   // routes that the application mounts at a path of its own
	Commands  map[string]Command  `yaml:"commands"` // words of authctl
	Env       map[string]Variable `yaml:"env"`      // what it wants in the environment
	Adopt     Adoption            `yaml:"adopt"`    // what is left to do for a model whose table was there already
	Options   map[string]Option   `yaml:"options"`
}

// Variable is an environment variable that a plugin's code reads through the configuration.
type Variable struct {
	Development string `yaml:"development"` // its value on a developer's machine
	Summary     string `yaml:"summary"`
	Check       string `yaml:"check"` // function of the shared package: func(Config) error, which says what is wrong with the value; "" = nothing can be
}

// Adoption is what a plugin cannot know about a table that is the user's own. MODEL, TABLE and PACKAGE stand for the model's.
type Adoption struct {
	Summary string `yaml:"summary"`
	Code    string `yaml:"code"`
}

// Seam is a point that other plugins may join. A guard may refuse by returning an error; an observer only
// hears, and all observers hear even when one fails.
type Seam struct {
	Kind    string `yaml:"kind"`    // guard or observe
	Method  string `yaml:"method"`  // the method of Service that fires it
	Summary string `yaml:"summary"` // becomes its doc comment, after the method's name
}

// Route is one HTTP endpoint, below the model's path.
type Route struct {
	Method  string `yaml:"method"`
	Path    string `yaml:"path"`
	Handler string `yaml:"handler"` // method of Service: func(http.ResponseWriter, *http.Request)
	Require string `yaml:"require"` // method of Service: func(http.Handler) http.Handler; "" = public
	Summary string `yaml:"summary"`
}

// Mount is routes of a plugin that the application mounts where it wants them, because clients know the path.
type Mount struct {
	Method  string  `yaml:"method"` // method of Service: func(Mux, string), with the path
	Path    string  `yaml:"path"`   // where they are when nobody wants them elsewhere
	Summary string  `yaml:"summary"`
	Routes  []Route `yaml:"routes"` // what the method mounts below the path, for `custos routes`; a handler is the method's business
}

// Command is a word of the generated administration program, run by `custos WORD`.
type Command struct {
	Func    string `yaml:"func"` // function in cmd/authctl
	Summary string `yaml:"summary"`
	Example string `yaml:"example"` // what to type first, behind `custos`; MODEL and ID stand for a model and a key
}

// Option is something a user may set: PLUGIN:option=value.
type Option struct {
	Type     string   `yaml:"type"`     // duration, bool, enum, int, word
	Default  string   `yaml:"default"`  // as it would be written
	Values   []string `yaml:"values"`   // enum only
	Pattern  string   `yaml:"pattern"`  // word only: an anchored regular expression
	Distinct bool     `yaml:"distinct"` // word only: no two of its words, with spaces between them, are the same in any case
	Except   string   `yaml:"except"`   // word only: an anchored regular expression of words, in lower case, that it cannot have
	Min      string   `yaml:"min"`      // int and duration: the least and the greatest value; none = no bound
	Max      string   `yaml:"max"`      // a duration with a max cannot be never
	Help     string   `yaml:"help"`
}

// The kinds of a seam.
const (
	Guard   = "guard"
	Observe = "observe"
)

// Plugin is one plugin folder.
type Plugin struct {
	Name     string
	Origin   string // "built in" or the folder it was found in
	Manifest Manifest
	FS       fs.FS // the folder, with the user's overrides in it

	Original  fs.FS      // the folder without them
	Overrides []Override // sorted by path
	Shadows   *Plugin    // the one of the same name that a user's own plugin stands before, or nil

	misses error // the seams that it joins, and that only a plugin that is shadowed has
}

// ManifestError is a fault in a plugin.yaml.
type ManifestError struct {
	Plugin string
	Err    error
}

func (e *ManifestError) Error() string {
	return fmt.Sprintf("read plugin %s: %s: %v", e.Plugin, ManifestFile, e.Err)
}
func (e *ManifestError) Unwrap() error { return e.Err }

var errNoSummary = errors.New("summary is missing")

// ParseManifest reads and validates one plugin.yaml. The error is a *ManifestError that joins every fault.
func ParseManifest(name string, data []byte) (Manifest, error) {
	var m Manifest
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, &ManifestError{Plugin: name, Err: err}
	}
	if err := m.validate(name); err != nil {
		return m, &ManifestError{Plugin: name, Err: err}
	}
	return m, nil
}

func (m Manifest) validate(name string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !isWord(name) {
		bad("the folder's name %q is not lower_snake_case", name)
	}
	if strings.TrimSpace(m.Summary) == "" {
		errs = append(errs, errNoSummary)
	}
	for _, t := range m.Tables {
		if !strings.HasPrefix(t, "custos_") || !isWord(t) {
			bad("tables: %q: a plugin's table is named custos_...", t)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(m.Modules)) {
		if err := module.Check(p, m.Modules[p]); err != nil {
			bad("modules: %v", err)
		}
	}
	if m.State != "" && !isIdent(m.State) {
		bad("state: %q is not a Go identifier", m.State)
	}
	for _, s := range slices.Sorted(maps.Keys(m.Seams)) {
		seam := m.Seams[s]
		if s == EverySeam {
			bad("seams: %q stands for all seams, in hooks", s)
		}
		if seam.Kind != Guard && seam.Kind != Observe {
			bad("seams.%s: kind is %q; known: guard, observe", s, seam.Kind)
		}
		if !isIdent(seam.Method) {
			bad("seams.%s: method %q is not a Go identifier", s, seam.Method)
		}
	}
	if err := m.checkIdents(); err != nil {
		errs = append(errs, err)
	}
	for i, r := range m.Routes {
		if err := r.check(); err != nil {
			bad("routes[%d]: %w", i, err)
		}
	}
	for i, at := range m.Mounts {
		if at.Path == "" || !routePath.MatchString(at.Path) {
			bad("mounts[%d]: path %q", i, at.Path)
		}
		if !isIdent(at.Method) {
			bad("mounts[%d]: method %q is not a Go identifier", i, at.Method)
		}
		for j, r := range at.Routes {
			if err := r.check(); err != nil {
				bad("mounts[%d].routes[%d]: %w", i, j, err)
			}
			if r.Handler != "" {
				bad("mounts[%d].routes[%d]: handler: the method %s has them", i, j, at.Method)
			}
			if r.Require != "" && !isIdent(r.Require) {
				bad("mounts[%d].routes[%d]: require %q is not a Go identifier", i, j, r.Require)
			}
		}
	}
	for _, c := range slices.Sorted(maps.Keys(m.Commands)) {
		if !isWord(c) {
			bad("commands.%s: not lower_snake_case", c)
		}
	}
	for _, v := range slices.Sorted(maps.Keys(m.Env)) {
		if !variablePattern.MatchString(v) {
			bad("env.%s: not UPPER_SNAKE_CASE", v)
		}
		if e := m.Env[v]; e.Summary == "" || !plainValue.MatchString(e.Development) {
			bad("env.%s: it needs a summary, and a development value without spaces and quotes", v)
		} else if e.Check != "" && !isIdent(e.Check) {
			bad("env.%s: check %q is not a Go identifier", v, e.Check)
		}
	}
	for _, o := range slices.Sorted(maps.Keys(m.Options)) {
		opt := m.Options[o]
		if !isWord(o) {
			bad("options.%s: not lower_snake_case", o)
		}
		if opt.Help == "" {
			bad("options.%s: help is missing", o)
		}
		if err := opt.checkBounds(); err != nil {
			bad("options.%s: %v", o, err)
		}
		switch opt.Type {
		case "duration", "bool", "enum", "int":
		case "word":
			if _, err := regexp.Compile(opt.Pattern); err != nil || opt.Pattern == "" {
				bad("options.%s: pattern %q", o, opt.Pattern)
			}
			if _, err := regexp.Compile(opt.Except); err != nil {
				bad("options.%s: except %q", o, opt.Except)
			}
		default:
			bad("options.%s: type is %q; known: duration, bool, enum, int, word", o, opt.Type)
			continue
		}
		if opt.Type != "word" && (opt.Distinct || opt.Except != "") {
			bad("options.%s: distinct and except are for the type word", o)
		}
		if opt.Type != "word" || opt.Default != "" {
			if _, err := opt.Parse(opt.Default); err != nil {
				bad("options.%s: default: %v", o, err)
			}
		}
	}
	return errors.Join(errs...)
}

func (r Route) check() error {
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.Method) {
		return fmt.Errorf("method %q", r.Method)
	}
	if !routePath.MatchString(r.Path) {
		return fmt.Errorf("path %q", r.Path)
	}
	return nil
}

var (
	wordPattern     = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	variablePattern = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
	plainValue      = regexp.MustCompile(`^[!-~]+$`)
	identPattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)
	routePath       = regexp.MustCompile(`^(/([a-z0-9_-]+|\{[a-z_]+\}))*$`)
)

func isWord(s string) bool  { return wordPattern.MatchString(s) }
func isIdent(s string) bool { return identPattern.MatchString(s) }
