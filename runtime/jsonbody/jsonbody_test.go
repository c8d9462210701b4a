package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type address struct {
	City string   `json:"city"`
	Next *address `json:"next"`
}

type request struct {
	Email   string     `json:"email"`
	Name    *string    `json:"name,omitempty"`
	Age     int8       `json:"age"`
	Limit   *uint16    `json:"limit"`
	Ratio   float32    `json:"ratio"`
	Admin   *bool      `json:"agree"`
	Scopes  []string   `json:"scopes"`
	Until   *time.Time `json:"until"`
	Address address    `json:"address"`
	Places  []address  `json:"places"`
	Plain   string
	Skipped string `json:"-"`
	hidden  string
}

func post(body string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func ptr[T any](v T) *T { return &v }

func TestDecodeAccepts(t *testing.T) {
	until := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	cases := map[string]request{
		`{}`:                                 {},
		" {\n} \r\n\t":                       {},
		`{"email":"a@b.c"}`:                  {Email: "a@b.c"},
		`{"em\u0061il":"a"}`:                 {Email: "a"},
		`{"name":""}`:                        {Name: ptr("")},
		`{"age":-128,"limit":65535}`:         {Age: -128, Limit: ptr(uint16(65535))},
		`{"ratio":1.5e3,"agree":false}`:      {Ratio: 1500, Admin: ptr(false)},
		`{"scopes":[]}`:                      {Scopes: []string{}},
		`{"scopes":["a","b"]}`:               {Scopes: []string{"a", "b"}},
		`{"until":"2030-01-02T03:04:05Z"}`:   {Until: &until},
		`{"address":{"city":"x","next":{}}}`: {Address: address{City: "x", Next: &address{}}},
		`{"places":[{"city":"x"},{}]}`:       {Places: []address{{City: "x"}, {}}},
		`{"Plain":"x"}`:                      {Plain: "x"},
		`{"email":"\"\\\/\b\n{[\u00e9\ud83d\ude00😀"}`:          {Email: "\"\\/\b\n{[é😀😀"},
		`{"email":"` + strings.Repeat("[{", 99) + `"}`:         {Email: strings.Repeat("[{", 99)},
		`{"email":"` + strings.Repeat("x", MaxBytes-12) + `"}`: {Email: strings.Repeat("x", MaxBytes-12)},
	}
	for body, want := range cases {
		for name, f := range map[string]func(http.ResponseWriter, *http.Request, any) error{"Decode": Decode, "DecodeOptional": DecodeOptional} {
			var got request
			if err := f(httptest.NewRecorder(), post(body), &got); err != nil {
				t.Errorf("%s(%.60s): %v", name, body, err)
			} else if !reflect.DeepEqual(got, want) {
				t.Errorf("%s(%.60s) = %+v, want %+v", name, body, got, want)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	token := "acme_pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1KVxVi"
	cases := []struct {
		body   string
		status int
		code   string
		field  string
	}{
		{``, 400, CodeInvalidJSON, ""},
		{` `, 400, CodeInvalidJSON, ""},
		{`{`, 400, CodeInvalidJSON, ""},
		{`{"email":"a"`, 400, CodeInvalidJSON, ""},
		{`{"email":"a",}`, 400, CodeInvalidJSON, ""},
		{`{'email':'a'}`, 400, CodeInvalidJSON, ""},
		{`{"email":"a"} x`, 400, CodeInvalidJSON, ""},
		{`{"email":"a"}{}`, 400, CodeInvalidJSON, ""},
		{`{"email":"a"}]`, 400, CodeInvalidJSON, ""},
		{`{"email":NaN}`, 400, CodeInvalidJSON, ""},
		{`{"age":01}`, 400, CodeInvalidJSON, ""},
		{"\ufeff{}", 400, CodeInvalidJSON, ""},
		{"{\"email\":\"a\xff\"}", 400, CodeInvalidJSON, ""},
		{"{\"email\":\"\xed\xa0\x80\"}", 400, CodeInvalidJSON, ""},
		{"{\"email\":\"a\x00\"}", 400, CodeInvalidJSON, ""},
		{`{"email":"\ud800"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\uDFFF"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\ud83dx"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\ude00\ude00"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\ud83d\n"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\ud83d\ud83d"}`, 400, CodeInvalidJSON, ""},
		{`{"email":"\ud83d\u0041"}`, 400, CodeInvalidJSON, ""},
		{`{"\ud800":1}`, 400, CodeInvalidJSON, ""},
		{`{"address":` + strings.Repeat(`{"next":`, MaxDepth) + `{}` + strings.Repeat("}", MaxDepth) + `}`, 400, CodeInvalidJSON, ""},
		{strings.Repeat("[", 20000) + strings.Repeat("]", 20000), 400, CodeInvalidJSON, ""},

		{`{"role":"admin"}`, 400, CodeUnknownField, "role"},
		{`{"email":"a","user_id":1}`, 400, CodeUnknownField, "user_id"},
		{`{"Email":"a"}`, 400, CodeUnknownField, "Email"},
		{`{"EMAIL":"a","email":"b"}`, 400, CodeUnknownField, "EMAIL"},
		{`{"plain":"a"}`, 400, CodeUnknownField, "plain"},
		{`{"Skipped":"a"}`, 400, CodeUnknownField, "Skipped"},
		{`{"hidden":"a"}`, 400, CodeUnknownField, "hidden"},
		{`{"-":"a"}`, 400, CodeUnknownField, "-"},
		{`{"":"a"}`, 400, CodeUnknownField, ""},
		{`{"scopeſ":[]}`, 400, CodeUnknownField, ""}, // folds to scopes
		{`{"` + token + `":1}`, 400, CodeUnknownField, ""},
		{`{"<b>":1}`, 400, CodeUnknownField, ""},
		{`{"address":{"role":1}}`, 400, CodeUnknownField, "address.role"},
		{`{"address":{"City":"x"}}`, 400, CodeUnknownField, "address.City"},
		{`{"address":{"` + token + `":1}}`, 400, CodeUnknownField, "address"},
		{`{"places":[{},{"x":1}]}`, 400, CodeUnknownField, "places[1].x"},

		{`{"email":"a","email":"a"}`, 400, CodeDuplicateField, "email"},
		{`{"email":"a","\u0065mail":"b"}`, 400, CodeDuplicateField, "email"},
		{`{"address":{},"address":{}}`, 400, CodeDuplicateField, "address"},
		{`{"address":{"next":{"city":"a","city":"b"}}}`, 400, CodeDuplicateField, "address.next.city"},

		{`null`, 422, CodeInvalid, ""},
		{`[]`, 422, CodeInvalid, ""},
		{`"x"`, 422, CodeInvalid, ""},
		{`1`, 422, CodeInvalid, ""},
		{`true`, 422, CodeInvalid, ""},
		{`[{"email":"a"}]`, 422, CodeInvalid, ""},
		{`{"email":1}`, 422, CodeInvalid, "email"},
		{`{"email":true}`, 422, CodeInvalid, "email"},
		{`{"email":null}`, 422, CodeInvalid, "email"},
		{`{"email":["a","b"]}`, 422, CodeInvalid, "email"},
		{`{"email":{"$ne":""}}`, 422, CodeInvalid, "email"},
		{`{"email":"a\u0000"}`, 422, CodeInvalid, "email"},
		{`{"name":null}`, 422, CodeInvalid, "name"},
		{`{"name":0}`, 422, CodeInvalid, "name"},
		{`{"age":"1"}`, 422, CodeInvalid, "age"},
		{`{"age":128}`, 422, CodeInvalid, "age"},
		{`{"age":1.5}`, 422, CodeInvalid, "age"},
		{`{"age":null}`, 422, CodeInvalid, "age"},
		{`{"limit":-1}`, 422, CodeInvalid, "limit"},
		{`{"ratio":1e99}`, 422, CodeInvalid, "ratio"},
		{`{"agree":"true"}`, 422, CodeInvalid, "agree"},
		{`{"agree":1}`, 422, CodeInvalid, "agree"},
		{`{"agree":null}`, 422, CodeInvalid, "agree"},
		{`{"scopes":"a"}`, 422, CodeInvalid, "scopes"},
		{`{"scopes":null}`, 422, CodeInvalid, "scopes"},
		{`{"scopes":["a",1]}`, 422, CodeInvalid, "scopes[1]"},
		{`{"scopes":["a",null]}`, 422, CodeInvalid, "scopes[1]"},
		{`{"scopes":[["a"]]}`, 422, CodeInvalid, "scopes[0]"},
		{`{"until":"tomorrow"}`, 422, CodeInvalid, "until"},
		{`{"until":5}`, 422, CodeInvalid, "until"},
		{`{"until":null}`, 422, CodeInvalid, "until"},
		{`{"until":{}}`, 422, CodeInvalid, "until"},
		{`{"address":"x"}`, 422, CodeInvalid, "address"},
		{`{"address":null}`, 422, CodeInvalid, "address"},
		{`{"address":{"next":null}}`, 422, CodeInvalid, "address.next"},
		{`{"places":[{"city":7}]}`, 422, CodeInvalid, "places[0].city"},

		{`{"email":"` + strings.Repeat("x", MaxBytes-11) + `"}`, 413, CodeTooLarge, ""},
		{strings.Repeat(" ", MaxBytes+1), 413, CodeTooLarge, ""},
	}
	for _, c := range cases {
		got := request{Email: "before"}
		err := Decode(httptest.NewRecorder(), post(c.body), &got)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Decode(%.60s): %v, want an *Error", c.body, err)
			continue
		}
		if e.Status != c.status || e.Code != c.code || e.Field != c.field || e.Message == "" {
			t.Errorf("Decode(%.60s): %+v, want %d %s %q", c.body, *e, c.status, c.code, c.field)
		}
		if !reflect.DeepEqual(got, request{}) {
			t.Errorf("Decode(%.60s) left %+v behind", c.body, got)
		}
		if !strings.HasPrefix(e.Error(), "decode request body: ") || strings.Contains(e.Error(), token) {
			t.Errorf("Decode(%.60s): text %q", c.body, e.Error())
		}
	}
}

func TestContentType(t *testing.T) {
	cases := []struct {
		values []string
		ok     bool
	}{
		{[]string{"application/json"}, true},
		{[]string{"application/json; charset=utf-8"}, true},
		{[]string{"Application/JSON"}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{"text/plain"}, false},
		{[]string{"application/x-www-form-urlencoded"}, false},
		{[]string{"multipart/form-data; boundary=x"}, false},
		{[]string{"application/json-patch+json"}, false},
		{[]string{"application/jsonx"}, false},
		{[]string{"application/json, text/plain"}, false},
		{[]string{"text/plain; application/json"}, false},
		{[]string{"application/json; charset"}, false},
		{[]string{"application/json", "application/json"}, false},
		{[]string{"application/json", "text/plain"}, false},
	}
	for _, c := range cases {
		for name, f := range map[string]func(http.ResponseWriter, *http.Request, any) error{"Decode": Decode, "DecodeOptional": DecodeOptional} {
			r := post(`{}`)
			r.Header["Content-Type"] = c.values
			var e *Error
			err := f(httptest.NewRecorder(), r, &request{})
			if c.ok != (err == nil) || !c.ok && (!errors.As(err, &e) || e.Status != 415 || e.Code != CodeUnsupportedMediaType) {
				t.Errorf("%s with %q: %v", name, c.values, err)
			}
		}
	}
}

func TestDecodeOptional(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"no body":          httptest.NewRequest("POST", "/", nil),
		"nil body":         {Header: http.Header{}},
		"empty":            httptest.NewRequest("POST", "/", strings.NewReader("")),
		"unknown length":   httptest.NewRequest("POST", "/", io.MultiReader()),
		"with JSON's type": post(""),
	} {
		got := request{Email: "default"}
		if err := DecodeOptional(httptest.NewRecorder(), r, &got); err != nil || got.Email != "default" {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
	for body, status := range map[string]int{" ": 400, "x": 400, "null": 422, `{"role":1}`: 400, strings.Repeat(" ", MaxBytes+1): 413} {
		var e *Error
		if err := DecodeOptional(httptest.NewRecorder(), post(body), &request{}); !errors.As(err, &e) || e.Status != status {
			t.Errorf("%.20q: %v, want %d", body, err, status)
		}
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	var e *Error
	if err := DecodeOptional(httptest.NewRecorder(), r, &request{}); !errors.As(err, &e) || e.Status != 415 {
		t.Errorf("a body without a type: %v", err)
	}
}

func TestBrokenBody(t *testing.T) {
	r := post("")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"email":"a"}`), iotest.ErrReader(errors.New("secret cause"))))
	var e *Error
	err := Decode(httptest.NewRecorder(), r, &request{})
	if !errors.As(err, &e) || e.Status != 400 || strings.Contains(err.Error(), "secret cause") {
		t.Errorf("got %v", err)
	}
}

// An unlimited body must not be read to its end.
func TestTooLargeStopsReading(t *testing.T) {
	var got error
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = Decode(w, r, &request{})
		w.WriteHeader(413)
	}))
	defer s.Close()
	res, err := http.Post(s.URL, "application/json", io.LimitReader(endless{}, 1<<20))
	if err == nil {
		_ = res.Body.Close()
		if !res.Close {
			t.Error("the connection is kept")
		}
	}
	s.Close()
	var e *Error
	if !errors.As(got, &e) || e.Status != 413 {
		t.Errorf("got %v", got)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestUnsupportedTypesPanic(t *testing.T) {
	type inner struct{ A string }
	type list []list
	for name, dst := range map[string]any{
		"nil":         nil,
		"struct":      request{},
		"nil pointer": (*request)(nil),
		"map":         &map[string]any{},
		"map field":   &struct{ A map[string]string }{},
		"any field":   &struct{ A any }{},
		"raw message": &struct{ A json.RawMessage }{},
		"number":      &struct{ A json.Number }{},
		"bytes":       &struct{ A []byte }{},
		"array":       &struct{ A [2]string }{},
		"embedded":    &struct{ inner }{},
		"string": &struct {
			A int `json:",string"`
		}{},
		"same name": &struct {
			A string `json:"B"`
			B string
		}{},
		"odd name": &struct {
			A string `json:"a.b"`
		}{},
		"nested":  &struct{ A []*struct{ B chan int } }{},
		"uintptr": &struct{ A uintptr }{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_ = Decode(httptest.NewRecorder(), post("{}"), dst)
		}()
	}
	if err := Decode(httptest.NewRecorder(), post(`{"A":[[],[[]]]}`), &struct{ A list }{}); err != nil {
		t.Error(err)
	}
}

// duplicates reports whether a JSON text has an object with the same key twice.
func duplicates(t *testing.T, raw json.RawMessage) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	tok, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec.More() {
		if tok == json.Delim('{') {
			key, err := dec.Token()
			if err != nil {
				t.Fatal(err)
			}
			if seen[key.(string)] {
				return true
			}
			seen[key.(string)] = true
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if duplicates(t, value) {
			return true
		}
	}
	return false
}

// FuzzDecode holds that Decode never panics, and that what it accepts has one reading: no key twice, no
// null, and package json reads the same from it.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `{"email":"a","email":"b"}`, `{"Email":"a"}`, `{"email":"\ud83d\ude00"}`, `{"email":"\ud83d"}`,
		`{"age":1,"limit":2,"ratio":0.5,"agree":true,"until":"2030-01-02T03:04:05Z"}`,
		`{"scopes":["a"],"address":{"city":"x","next":{"city":"y"}},"places":[{"city":"z"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var got request
		if err := Decode(httptest.NewRecorder(), r, &got); err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status < 400 || e.Status > 422 || e.Code == "" || e.Message == "" {
				t.Fatalf("Decode(%q): %#v", body, err)
			}
			return
		}
		if duplicates(t, body) {
			t.Fatalf("accepted a duplicate key: %s", body)
		}
		var lenient request
		if err := json.Unmarshal(body, &lenient); err != nil || !reflect.DeepEqual(got, lenient) {
			t.Fatalf("%s reads as %+v and as %+v, %v", body, got, lenient, err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got.Email, "\ufffd") && !strings.Contains(string(body), "\ufffd") && !strings.Contains(strings.ToLower(string(body)), `\ufffd`) {
			t.Fatalf("broken text was replaced: %q", body)
		}
		if got.Skipped != "" || got.hidden != "" {
			t.Fatalf("set a field that clients cannot set: %s", body)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	const body = `{"name":"deploy","scopes":["posts:read","posts:write"],"until":"2030-01-02T03:04:05Z"}`
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(httptest.NewRecorder(), post(body), &request{}); err != nil {
			b.Fatal(err)
		}
	}
}
