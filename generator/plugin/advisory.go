package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// AdvisoriesFile is the name of the file with a plugin's advisories. Few plugins have one.
const AdvisoriesFile = "advisories.yaml"

// Advisory says that a template of the plugin's was flawed, and how to know what was generated from it: by the flawed
// declarations themselves. They are written down as the template had them, because their text depends on the model,
// and are compared by their tokens, so that a project's copy is found after a move, a renaming and a reformatting.
type Advisory struct {
	ID       string   `yaml:"id"`       // CUSTOS-2027-001
	Summary  string   `yaml:"summary"`  // what could happen, in one sentence
	Severity string   `yaml:"severity"` // low, moderate, high, critical
	Fixed    string   `yaml:"fixed"`    // the version of custos, or of the plugin, whose templates have the fix
	Flawed   []string `yaml:"flawed"`   // templates, each of one Go declaration or one query, as they were
}

// AdvisoryError is a fault in an advisories.yaml.
type AdvisoryError struct {
	Plugin string
	Err    error
}

func (e *AdvisoryError) Error() string {
	return fmt.Sprintf("read plugin %s: %s: %v", e.Plugin, AdvisoriesFile, e.Err)
}
func (e *AdvisoryError) Unwrap() error { return e.Err }

var advisoryID = regexp.MustCompile(`^[A-Z][A-Z0-9]*-[0-9]{4}-[0-9]{3,}$`)

// Severities are those that an advisory may have, the gravest last.
func Severities() []string { return []string{"low", "moderate", "high", "critical"} }

// Advisories reads those of the plugin's own folder: an override does not silence them. The error is an *AdvisoryError
// that joins every fault.
func (p *Plugin) Advisories() ([]Advisory, error) {
	data, err := fs.ReadFile(p.Original, AdvisoriesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &AdvisoryError{Plugin: p.Name, Err: err}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var all []Advisory
	if err := dec.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return nil, &AdvisoryError{Plugin: p.Name, Err: err}
	}
	var errs []error
	seen := map[string]bool{}
	for _, a := range all {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s: "+format, append([]any{clip(a.ID)}, args...)...))
		}
		if !advisoryID.MatchString(a.ID) {
			bad("the id is not like CUSTOS-2027-001")
		}
		if seen[a.ID] {
			bad("the id is there twice")
		}
		seen[a.ID] = true
		if a.Summary == "" {
			bad("summary is missing")
		}
		if !slices.Contains(Severities(), a.Severity) {
			bad("unknown severity %q; known: %s", clip(a.Severity), strings.Join(Severities(), ", "))
		}
		if a.Fixed == "" {
			bad("fixed is missing: the version that has the fix")
		}
		if len(a.Flawed) == 0 {
			bad("flawed is missing: the declarations as they were")
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, &AdvisoryError{Plugin: p.Name, Err: err}
	}
	return all, nil
}
