package jsonbody

import (
	"bytes"
	"encoding"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// A walker compares a JSON text, known to be well formed, with the type it is meant for, token by token.
type walker struct{ dec *json.Decoder }

func newWalker(body []byte) walker {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // a float64 would hide the digits
	return walker{dec}
}

// value checks the next value against t. path is that of the value, empty for the whole body.
func (w walker) value(t reflect.Type, path string) *Error {
	t = deref(t)
	tok, err := w.dec.Token()
	if err != nil {
		return invalid(path) // cannot be: checkText has passed
	}
	switch tok := tok.(type) {
	case json.Delim:
		switch {
		case tok == '{' && t.Kind() == reflect.Struct && !fromString(t):
			return w.object(t, path)
		case tok == '[' && t.Kind() == reflect.Slice && !fromString(t):
			return w.array(t.Elem(), path)
		}
	case string:
		if strings.ContainsRune(tok, 0) {
			return invalid(path)
		}
		switch {
		case fromString(t):
			quoted, err := json.Marshal(tok)
			if err == nil && json.Unmarshal(quoted, reflect.New(t).Interface()) == nil {
				return nil
			}
		case t.Kind() == reflect.String:
			return nil
		}
	case json.Number:
		// Package json knows the ranges, and that 1.5 is no int.
		if isNumber(t) && !fromString(t) && json.Unmarshal([]byte(tok), reflect.New(t).Interface()) == nil {
			return nil
		}
	case bool:
		if t.Kind() == reflect.Bool && !fromString(t) {
			return nil
		}
	case nil: // null; package json would skip it for any type
	}
	return invalid(path)
}

func (w walker) object(t reflect.Type, path string) *Error {
	names := fields(t)
	seen := make(map[string]bool, len(names))
	for w.dec.More() {
		tok, err := w.dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok {
			return invalid(path) // cannot be
		}
		field, known := names[name]
		if !known {
			return &Error{http.StatusBadRequest, CodeUnknownField, join(path, printable(name)), "The field is not known here. Names are case-sensitive."}
		}
		if seen[name] {
			return &Error{http.StatusBadRequest, CodeDuplicateField, join(path, name), "The field appears more than once."}
		}
		seen[name] = true
		if err := w.value(field, join(path, name)); err != nil {
			return err
		}
	}
	_, _ = w.dec.Token() // the closing brace
	return nil
}

func (w walker) array(elem reflect.Type, path string) *Error {
	for i := 0; w.dec.More(); i++ {
		if err := w.value(elem, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	_, _ = w.dec.Token() // the closing bracket
	return nil
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

// printable returns name if it looks like a field's name, or "". The limit is below the length of every
// token, so that none is sent back or logged because it stood in the wrong place.
func printable(name string) string {
	if len(name) > 32 {
		return ""
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return ""
		}
	}
	return name
}

// fields returns the types of t's fields by their JSON names. Structs of request bodies are small: a
// cache would be shared state for less than a microsecond.
func fields(t reflect.Type) map[string]reflect.Type {
	names := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
			names[jsonName(f)] = f.Type
		}
	}
	return names
}

func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fromString reports whether t unmarshals itself, which it is then only allowed to do from a string.
func fromString(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func isNumber(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr
}

// checkStruct panics unless every field of t has a supported type. done stops it at recursive types.
func checkStruct(t reflect.Type, done map[reflect.Type]bool) {
	if done[t] {
		return
	}
	done[t] = true
	names := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		bad := func(why string) { panic("jsonbody: Decode: field " + t.String() + "." + f.Name + ": " + why) }
		if f.Anonymous {
			bad("embedded fields are not supported; write its fields out")
		}
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if strings.Contains(options, "string") {
			bad("the option \"string\" is not supported")
		}
		// Package json ignores such a name and takes the Go name instead.
		if name != printable(name) {
			bad("use letters, digits, _ and -, at most 32, for the JSON name")
		}
		if names[jsonName(f)] {
			bad("its JSON name is taken by another field")
		}
		names[jsonName(f)] = true
		if why := checkType(f.Type, done); why != "" {
			bad(why)
		}
	}
}

// checkType returns what is wrong with t, or "".
func checkType(t reflect.Type, done map[reflect.Type]bool) string {
	t = deref(t)
	switch {
	case t == reflect.TypeFor[json.Number](), t == reflect.TypeFor[json.RawMessage]():
		return "type " + t.String() + " is not supported; it accepts more than one kind of value"
	case fromString(t):
	case t.Kind() == reflect.String, t.Kind() == reflect.Bool, isNumber(t):
	case t.Kind() == reflect.Struct:
		checkStruct(t, done)
	case t.Kind() == reflect.Slice && deref(t.Elem()).Kind() != reflect.Uint8:
		if !done[t] { // type T []T
			done[t] = true
			return checkType(t.Elem(), done)
		}
	default:
		return "type " + t.String() + " is not supported; use strings, booleans, numbers, structs, and slices and pointers of these"
	}
	return ""
}
