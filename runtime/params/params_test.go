package params

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func request(target, contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestRead(t *testing.T) {
	const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, target, contentType, body string
		want                            Value // of email
		err                             error
	}{
		{"nothing", "/", "", "", Value{}, nil},
		{"query", "/?email=a%40b.c&email=x", "", "", Value{Text, "a@b.c"}, nil},
		{"query without a value", "/?email", "", "", Value{Kind: Null}, nil},
		{"query with an empty value", "/?email=", "", "", Value{Text, ""}, nil},
		{"form", "/", asForm, "email=a%2Bb%40c.d&x=1", Value{Text, "a+b@c.d"}, nil},
		{"form before query", "/?email=q", asForm, "email=f", Value{Text, "f"}, nil},
		{"form twice", "/", asForm, "email=a&email=b", Value{}, ErrMalformed},
		{"form, nested", "/", asForm, "user[email]=a", Value{Text, "a"}, nil},
		{"form, broken", "/", asForm, "email=%zz", Value{}, ErrMalformed},
		{"JSON", "/", asJSON + "; charset=utf-8", `{"email":"a"}`, Value{Text, "a"}, nil},
		{"JSON before query", "/?email=q", asJSON, `{"email":"j"}`, Value{Text, "j"}, nil},
		{"JSON null", "/", asJSON, `{"email":null}`, Value{Kind: Null}, nil},
		{"JSON number", "/", asJSON, `{"email":1.50}`, Value{Number, "1.50"}, nil},
		{"JSON bool", "/", asJSON, `{"email":true}`, Value{Bool, "true"}, nil},
		{"JSON list", "/", asJSON, `{"email":["a"]}`, Value{Kind: Other}, nil},
		{"JSON object", "/", asJSON, `{"email":{"a":1}}`, Value{Kind: Other}, nil},
		{"JSON, nested", "/", asJSON, `{"user":{"email":"a"}}`, Value{Text, "a"}, nil},
		{"JSON, nested elsewhere", "/", asJSON, `{"registration":{"email":"a"}}`, Value{}, nil},
		{"JSON twice", "/", asJSON, `{"email":"a","email":"b"}`, Value{}, ErrMalformed},
		{"JSON twice, once nested", "/", asJSON, `{"email":"a","user":{"email":"b"}}`, Value{}, ErrMalformed},
		{"JSON twice, escaped", "/", asJSON, `{"email":"a","\u0065mail":"b"}`, Value{}, ErrMalformed},
		{"JSON list at the top", "/", asJSON, `[]`, Value{}, nil},
		{"JSON, half", "/", asJSON, `{"email":`, Value{}, ErrMalformed},
		{"JSON, two", "/", asJSON, `{}{}`, Value{}, ErrMalformed},
		{"half a surrogate pair", "/", asJSON, `{"email":"\ud800"}`, Value{Kind: Other}, nil},
		{"a NUL", "/", asJSON, `{"email":"a\u0000"}`, Value{Kind: Other}, nil},
		{"no UTF-8", "/", asJSON, "\xff", Value{}, ErrMalformed},
		{"something else", "/", "text/plain", "email=a", Value{}, nil},
		{"too large", "/", asJSON, `{"email":"` + strings.Repeat("x", MaxBytes) + `"}`, Value{}, ErrTooLarge},
		{"too many", "/", asForm, manyNames(), Value{}, ErrMalformed},
		{"deep", "/", asJSON, strings.Repeat("[", 20000), Value{}, ErrMalformed},
	} {
		got, err := Read(httptest.NewRecorder(), request(c.target, c.contentType, c.body), "user")
		if !errors.Is(err, c.err) || err == nil && got["email"] != c.want {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.name, got["email"], err, c.want, c.err)
		}
	}
}

func manyNames() string {
	var b strings.Builder
	for i := range 200 {
		b.WriteString("&n" + strings.Repeat("x", i) + "=1")
	}
	return b.String()[1:]
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		v     Value
		given bool
		text  string
	}{{Value{}, false, ""}, {Value{Kind: Null}, false, ""}, {Value{Text, "x"}, true, "x"}, {Value{Number, "1"}, true, ""}, {Value{Kind: Other}, true, ""}} {
		if c.v.Given() != c.given || c.v.String() != c.text {
			t.Errorf("%+v: %v %q", c.v, c.v.Given(), c.v.String())
		}
	}
	if got := FromQuery("a=1&b"); got["a"] != (Value{Text, "1"}) || got["b"].Kind != Null {
		t.Errorf("%+v", got)
	}
}

// Whatever comes: no panic, and every text can be stored.
func FuzzRead(f *testing.F) {
	f.Add("a=b", "application/json", `{"email":"a","user":{"x":null}}`)
	f.Add("", "application/x-www-form-urlencoded", "a=b&user[c]=d")
	f.Fuzz(func(t *testing.T, query, contentType, body string) {
		r := request("/", contentType, body)
		r.URL.RawQuery = query
		all, err := Read(httptest.NewRecorder(), r, "user")
		if err != nil {
			return
		}
		for name, v := range all {
			if !clean(v.Text) || v.Kind != Text && v.String() != "" {
				t.Errorf("%q is %+v", name, v)
			}
		}
	})
}
