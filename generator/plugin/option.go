package plugin

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value is one option's value, as templates use it.
type Value struct {
	Text     string        // as written, in its canonical spelling
	Bool     bool          // bool
	Duration time.Duration // duration; 0 = never
	Int      int64         // int
}

// Parse reads a value of the option's type.
func (o Option) Parse(s string) (Value, error) {
	switch o.Type {
	case "bool":
		b, err := strconv.ParseBool(s)
		if err != nil {
			return Value{}, fmt.Errorf("%q is neither true nor false", s)
		}
		return Value{Text: strconv.FormatBool(b), Bool: b}, nil
	case "duration":
		d, err := ParseDuration(s)
		if err != nil {
			return Value{}, err
		}
		if n, least, most := int64(d), o.bound(o.Min), o.bound(o.Max); n != 0 && n < least || most != 0 && (n == 0 || n > most) {
			return Value{}, fmt.Errorf("%q is not a duration%s", clip(s), o.span())
		}
		return Value{Text: s, Duration: d}, nil
	case "int":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != s || o.Min != "" && n < o.bound(o.Min) || o.Max != "" && n > o.bound(o.Max) {
			return Value{}, fmt.Errorf("%q is not a whole number%s", clip(s), o.span())
		}
		return Value{Text: s, Int: n}, nil
	case "enum":
		if !slices.Contains(o.Values, s) {
			return Value{}, fmt.Errorf("%q is not one of %s%s", s, strings.Join(o.Values, ", "), didYouMean(s, o.Values))
		}
		return Value{Text: s}, nil
	default:
		if !regexp.MustCompile(`^(?:` + o.Pattern + `)$`).MatchString(s) {
			return Value{}, fmt.Errorf("%q does not match %s", s, o.Pattern)
		}
		if err := o.checkWords(strings.Fields(s)); err != nil {
			return Value{}, err
		}
		return Value{Text: s}, nil
	}
}

// checkWords refuses words that are taken, or there already. Case makes no difference: it makes none in the name of a header.
func (o Option) checkWords(words []string) error {
	taken := regexp.MustCompile(`^(?:` + o.Except + `)$`)
	for i, w := range words {
		if taken.MatchString(strings.ToLower(w)) {
			return fmt.Errorf("word %d, %q, means something already; choose another", i+1, clip(w))
		}
		if !o.Distinct {
			continue
		}
		if first := slices.IndexFunc(words[:i], func(before string) bool { return strings.EqualFold(before, w) }); first >= 0 {
			return fmt.Errorf("word %d, %q, is the same as word %d; choose another", i+1, clip(w), first+1)
		}
	}
	return nil
}

// bound is min or max as a number; 0 for none, or for what ParseManifest has refused.
func (o Option) bound(s string) int64 {
	if o.Type == "duration" {
		d, _ := ParseDuration(s)
		return int64(d)
	}
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// checkBounds finds what is wrong with min and max.
func (o Option) checkBounds() error {
	if o.Type != "int" && o.Type != "duration" {
		if o.Min != "" || o.Max != "" {
			return errors.New("min and max are for the types int and duration")
		}
		return nil
	}
	for _, s := range []string{o.Min, o.Max} {
		if s == "" {
			continue
		}
		if _, err := (Option{Type: o.Type}).Parse(s); err != nil || s == "never" {
			return fmt.Errorf("bound %q is no %s", s, o.Type)
		}
	}
	if o.Min != "" && o.Max != "" && o.bound(o.Min) > o.bound(o.Max) {
		return fmt.Errorf("min %s is more than max %s", o.Min, o.Max)
	}
	return nil
}

// span is the range of an int or a duration, for messages: " from 1 to 100", or "" when it has no bounds.
func (o Option) span() string {
	switch {
	case o.Min != "" && o.Max != "":
		return fmt.Sprintf(" from %s to %s", o.Min, o.Max)
	case o.Min != "":
		return fmt.Sprintf(" of at least %s", o.Min)
	case o.Max != "":
		return fmt.Sprintf(" of at most %s", o.Max)
	}
	return ""
}

// Kind is what an option may be set to, for people: "int from 1 to 100", "s|l", "duration".
func (o Option) Kind() string {
	if len(o.Values) > 0 {
		return strings.Join(o.Values, "|")
	}
	return o.Type + o.span()
}

// longestDuration leaves room for generated code that reckons with it: three of them are a time.Duration still.
const longestDuration = 80 * 365 * 24 * time.Hour

// ParseDuration reads 90d, 2w, 36h, 15m, 30s and sums of them such as 1d12h. "never" is 0; a duration that is
// written down must be positive.
func ParseDuration(s string) (time.Duration, error) {
	if s == "never" {
		return 0, nil
	}
	bad := fmt.Errorf("%q is not a duration; write 90d, 12h, 15m, or never", s)
	var total time.Duration
	rest := s
	for rest != "" {
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 || i > 9 {
			return 0, bad
		}
		n, err := strconv.ParseInt(rest[:i], 10, 64)
		if err != nil {
			return 0, bad
		}
		var unit time.Duration
		switch rest[i] {
		case 'w':
			unit = 7 * 24 * time.Hour
		case 'd':
			unit = 24 * time.Hour
		case 'h':
			unit = time.Hour
		case 'm':
			unit = time.Minute
		case 's':
			unit = time.Second
		default:
			return 0, bad
		}
		if n > int64(longestDuration-total)/int64(unit) {
			return 0, fmt.Errorf("%q is longer than 80 years", s)
		}
		total += time.Duration(n) * unit
		rest = rest[i+1:]
	}
	if total <= 0 {
		return 0, bad
	}
	return total, nil
}

// Selection is a plugin as asked for: its name and the options that were given.
type Selection struct {
	Name    string
	Options map[string]string
}

// ParseArg reads the command line's PLUGIN[:option[=value],...]. An option without a value is true.
func ParseArg(arg string) (Selection, error) {
	name, rest, has := strings.Cut(arg, ":")
	if !isWord(name) {
		hint := ""
		switch {
		case strings.Contains(name, ","):
			hint = ", and several are written with spaces between them"
		case name != "" && 'A' <= name[0] && name[0] <= 'Z':
			hint = ", and another model has a command of its own"
		}
		return Selection{}, fmt.Errorf("parse plugin %q: a plugin's name is lower_snake_case%s; `custos plugins` lists them", clip(arg), hint)
	}
	s := Selection{Name: name, Options: map[string]string{}}
	if !has {
		return s, nil
	}
	at := len(name) + 1
	for _, part := range strings.Split(rest, ",") {
		key, value, given := strings.Cut(part, "=")
		if !isWord(key) {
			return Selection{}, fmt.Errorf("parse plugin %q: at character %d: expected option=value", clip(arg), at+1)
		}
		if !given {
			value = "true"
		}
		if _, twice := s.Options[key]; twice {
			return Selection{}, fmt.Errorf("parse plugin %q: at character %d: option %s is given twice", clip(arg), at+1, key)
		}
		s.Options[key] = value
		at += len(part) + 1
	}
	return s, nil
}

// String is the selection as [ParseArg] reads it.
func (s Selection) String() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(s.Options)) {
		parts = append(parts, k+"="+s.Options[k])
	}
	if len(parts) == 0 {
		return s.Name
	}
	return s.Name + ":" + strings.Join(parts, ",")
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
