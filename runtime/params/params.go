// Package params reads the parameters of a request as protocols of other frameworks send them: in the query, as a form, or
// as the members of a JSON object. It is for protocols that came from there; a handler of one's own takes package jsonbody,
// which is strict.
//
// Lenient is what a parameter may be, not how it is read: a body is one JSON object or one form, a name that comes twice in
// a body is refused (D-04), bodies have a limit (D-09), and whatever is no text says so. A list in the place of a password
// is then a wrong password, and no crash.
package params

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// MaxBytes is the size of the largest accepted body (D-09).
	MaxBytes = 64 << 10

	maxNames = 100 // names in one body
)

// ErrMalformed is a body that is not one JSON object or form, or has a name twice. Answer it with 400. ErrTooLarge is one of
// more than [MaxBytes]: 413. Neither contains any part of the body.
var (
	ErrMalformed = errors.New("read parameters: the body is not one JSON object or form")
	ErrTooLarge  = errors.New("read parameters: the body is too large")
)

// Kind is what a parameter was.
type Kind int8

// The kinds. Missing is that of a name that was not sent, Other that of lists and objects.
const (
	Missing Kind = iota
	Null
	Text
	Number
	Bool
	Other
)

// Value is one parameter. Text is its text: of a number and of a boolean as it was written, of other kinds "".
type Value struct {
	Kind Kind
	Text string
}

// Given reports whether the parameter was sent, as anything but null.
func (v Value) Given() bool { return v.Kind > Null }

// String is the text of a parameter that is one, and otherwise "".
func (v Value) String() string {
	if v.Kind == Text {
		return v.Text
	}
	return ""
}

// Values are the parameters of a request by name.
type Values map[string]Value

// Read returns the parameters of a request. What is in the body comes before what is in the query. A body that is declared
// to be neither JSON nor a form is not read. The error is [ErrMalformed], [ErrTooLarge], or that of the connection.
//
// A form may name a member of an object, as in user[email]; the whole is the name then. Members of a JSON object that are
// objects are Other, but for the one that nested names: its members count as if they were outside.
func Read(w http.ResponseWriter, r *http.Request, nested string) (Values, error) {
	all := Values{}
	fromQuery(all, r.URL.RawQuery)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return all, nil
	}
	if !utf8.Valid(body) {
		return nil, ErrMalformed
	}
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case mediaType == "application/x-www-form-urlencoded":
		return all, fromForm(all, string(body), nested)
	case mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
		return all, fromJSON(all, body, nested)
	}
	return all, nil
}

// FromQuery returns the parameters of a query alone; they are not to be written to. It reads no body, so the next handler can.
func FromQuery(query string) Values {
	if query == "" {
		return nil
	}
	all := Values{}
	fromQuery(all, query)
	return all
}

// fromQuery takes the first of several equal names.
func fromQuery(all Values, query string) {
	if query == "" || len(query) > MaxBytes {
		return
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, set := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || name == "" || len(all) >= maxNames {
			continue
		}
		if _, twice := all[name]; twice {
			continue
		}
		switch {
		case !set:
			all[name] = Value{Kind: Null}
		case !clean(value):
			all[name] = Value{Kind: Other}
		default:
			all[name] = Value{Kind: Text, Text: value}
		}
	}
}

func fromForm(all Values, body, nested string) error {
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(strings.TrimSpace(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if inner, ok := strings.CutPrefix(name, nested+"["); ok && nested != "" {
			if inner, ok = strings.CutSuffix(inner, "]"); ok {
				name = inner
			}
		}
		if errName != nil || errValue != nil || seen[name] || len(seen) >= maxNames {
			return ErrMalformed
		}
		seen[name] = true
		all[name] = Value{Kind: Text, Text: value}
		if !clean(value) {
			all[name] = Value{Kind: Other}
		}
	}
	return nil
}

func fromJSON(all Values, body []byte, nested string) error {
	if !json.Valid(body) {
		return ErrMalformed
	}
	return members(all, body, nested, map[string]bool{})
}

// members adds those of an object. The text is valid JSON.
func members(all Values, body []byte, nested string, seen map[string]bool) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		if err == nil {
			return nil // JSON, and no object: it names nothing
		}
		return ErrMalformed
	}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok || seen[name] || len(seen) >= maxNames {
			return ErrMalformed
		}
		seen[name] = true
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return ErrMalformed
		}
		if nested != "" && name == nested && raw[0] == '{' {
			if err := members(all, raw, "", seen); err != nil {
				return err
			}
			continue
		}
		all[name] = valueOf(raw)
	}
	return nil
}

func valueOf(raw json.RawMessage) Value {
	switch raw[0] {
	case 'n':
		return Value{Kind: Null}
	case 't', 'f':
		return Value{Kind: Bool, Text: string(raw)}
	case '[', '{':
		return Value{Kind: Other}
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil || !clean(text) || strings.ContainsRune(text, utf8.RuneError) {
			return Value{Kind: Other} // half a surrogate pair is no text
		}
		return Value{Kind: Text, Text: text}
	}
	return Value{Kind: Number, Text: string(raw)}
}

// clean reports whether every database can store a text.
func clean(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
