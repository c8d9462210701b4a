package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"unicode/utf8"
)

const (
	// MaxBytes is the size of the largest accepted body (D-09).
	MaxBytes = 64 << 10

	// MaxDepth is how deep objects and arrays may be nested, the outermost one included.
	MaxDepth = 16
)

// The values of [Error.Code].
const (
	CodeUnsupportedMediaType = "unsupported_media_type" // status 415
	CodeTooLarge             = "too_large"              // status 413
	CodeInvalidJSON          = "invalid_json"           // status 400
	CodeUnknownField         = "unknown_field"          // status 400
	CodeDuplicateField       = "duplicate_field"        // status 400
	CodeInvalid              = "invalid"                // status 422
)

// Error says why a body was refused. It never contains a value of the body and may be sent to the
// client whole.
type Error struct {
	Status  int    // HTTP status of the answer
	Code    string // one of the Code constants
	Field   string // path of the field, such as "user.scopes[2]"; empty if none is at fault, see [Decode]
	Message string // one English sentence
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field == "" {
		return "decode request body: " + e.Message
	}
	return "decode request body: field " + e.Field + ": " + e.Message
}

// Decode reads the body of r as one JSON object into the struct that dst points to. Its error is always
// an [*Error]; *dst is then the zero value. Fields whose keys are absent keep the value they had.
//
// It refuses, in this order:
//
//   - any Content-Type but one application/json, parameters allowed: 415
//   - more than [MaxBytes]: 413. The connection is closed then, for which w is needed
//   - text that is not one JSON value in UTF-8, with nothing after it and no more than [MaxDepth] levels,
//     or has escapes for half a surrogate pair: 400 invalid_json
//   - keys that are not exactly the name of a field (other case, unknown): 400 unknown_field
//   - keys that appear twice in one object, however escaped: 400 duplicate_field
//   - null, values of another type than the field's, numbers out of range, and U+0000 in text, which
//     not every database can store: 422 invalid
//
// The [Error.Field] of an unknown key is filled in only if it looks like a field's name; what a client put
// in the place of a key may be a secret.
//
// Decode keeps no state and may be called concurrently. It panics if dst is not a non-nil pointer to a
// supported struct; see the package comment.
func Decode(w http.ResponseWriter, r *http.Request, dst any) error {
	return decode(w, r, dst, false)
}

// DecodeOptional is like [Decode] for handlers whose body may be left out: a body of zero bytes, with
// any Content-Type or none, leaves *dst as it is and is no error.
func DecodeOptional(w http.ResponseWriter, r *http.Request, dst any) error {
	return decode(w, r, dst, true)
}

func decode(w http.ResponseWriter, r *http.Request, dst any, optional bool) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("jsonbody: Decode: dst is %T, want a non-nil pointer to a struct", dst))
	}
	v = v.Elem()
	checkStruct(v.Type(), map[reflect.Type]bool{})

	err := decodeInto(w, r, v, optional)
	if err != nil {
		v.SetZero()
		return err // not at the end: a nil *Error in an error is not nil
	}
	return nil
}

func decodeInto(w http.ResponseWriter, r *http.Request, v reflect.Value, optional bool) *Error {
	if !optional {
		// Before reading: nothing is spent on a body that cannot be right.
		if err := checkContentType(r.Header); err != nil {
			return err
		}
	}
	body, err := read(w, r)
	if err != nil {
		return err
	}
	if optional {
		if len(body) == 0 {
			return nil
		}
		if err := checkContentType(r.Header); err != nil {
			return err
		}
	}
	if err := checkText(body); err != nil {
		return err
	}
	if err := newWalker(body).value(v.Type(), ""); err != nil {
		return err
	}
	// The walk has seen every key and value. What is left to this decoder is to store them, and to
	// refuse again what the walk refuses should the two ever disagree.
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if dec.Decode(v.Addr().Interface()) != nil {
		return invalid("")
	}
	return nil
}

func checkContentType(h http.Header) *Error {
	if values := h["Content-Type"]; len(values) == 1 {
		if t, _, err := mime.ParseMediaType(values[0]); err == nil && t == "application/json" {
			return nil
		}
	}
	return &Error{http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "", "Send the body with Content-Type: application/json."}
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, *Error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, &Error{http.StatusRequestEntityTooLarge, CodeTooLarge, "", "The body is larger than 64 KiB."}
		}
		return nil, &Error{http.StatusBadRequest, CodeInvalidJSON, "", "The body ended early."}
	}
	return body, nil
}

// checkText refuses what is not one JSON value that every reader understands alike.
func checkText(body []byte) *Error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return &Error{http.StatusBadRequest, CodeInvalidJSON, "", "The body is not one JSON object in UTF-8."}
	}
	// From here on the syntax is right: quotes are balanced and escapes complete.
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			inString = !inString
		case c == '\\':
			i++
			if body[i] != 'u' {
				continue
			}
			unit := hex4(body[i+1:])
			i += 4
			if unit < 0xD800 || unit > 0xDFFF {
				continue
			}
			// Package json decodes every lone half to U+FFFD, so that different texts become equal.
			low := body[i+1:]
			if unit > 0xDBFF || low[0] != '\\' || low[1] != 'u' || hex4(low[2:]) < 0xDC00 || hex4(low[2:]) > 0xDFFF {
				return &Error{http.StatusBadRequest, CodeInvalidJSON, "", "The body has half a surrogate pair."}
			}
			i += 6
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return &Error{http.StatusBadRequest, CodeInvalidJSON, "", "The body is nested too deep."}
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// hex4 reads four hexadecimal digits that json.Valid has checked.
func hex4(b []byte) (n int) {
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c | 0x20 - 'a' + 10
		}
		n = n<<4 | int(c)
	}
	return n
}

func invalid(field string) *Error {
	return &Error{http.StatusUnprocessableEntity, CodeInvalid, field, "The value is not of the expected type or form."}
}
