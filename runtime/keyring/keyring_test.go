package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretN is a valid 32-byte key whose bytes depend on n.
func secretN(n int) []byte {
	b := make([]byte, MinKeyBytes)
	for i := range b {
		b[i] = byte(i*7 + n*13 + 200)
	}
	return b
}

func entry(id int, secret []byte) string {
	return fmt.Sprintf("%d:%s", id, base64.StdEncoding.EncodeToString(secret))
}

func mustParse(t testing.TB, s string) *Keyring {
	t.Helper()
	k, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParse(t *testing.T) {
	a, b := secretN(1), secretN(2)
	long := append(secretN(3), secretN(4)...)
	same := bytes.Repeat([]byte{7}, 32)
	five := strings.Join([]string{entry(1, secretN(1)), entry(2, secretN(2)), entry(3, secretN(3)), entry(4, secretN(4)), entry(5, secretN(5))}, ",")
	_, sample, _ := strings.Cut(SampleKeys, ":")
	cases := []struct {
		name string
		in   string
		ids  []int
		err  error
	}{
		{"one", entry(1, a), []int{1}, nil},
		{"current first", entry(2, b) + "," + entry(1, a), []int{2, 1}, nil},
		{"white space", "\n " + entry(2, b) + " , " + entry(1, a) + "\n", []int{2, 1}, nil},
		{"long key", entry(1, long), []int{1}, nil},
		{"greatest id", entry(32767, a), []int{32767}, nil},
		{"raw base64", "1:" + base64.RawStdEncoding.EncodeToString(a), []int{1}, nil},
		{"url base64", "1:" + base64.URLEncoding.EncodeToString(a), []int{1}, nil},
		{"raw url base64", "1:" + base64.RawURLEncoding.EncodeToString(a), []int{1}, nil},
		{"generated", Generate(2) + "," + Generate(1), []int{2, 1}, nil},

		{"empty", "", nil, ErrMissing},
		{"blank", " \n\t", nil, ErrMissing},
		{"no id", base64.StdEncoding.EncodeToString(a), nil, ErrMalformed},
		{"id 0", entry(0, a), nil, ErrMalformed},
		{"id 32768", entry(32768, a), nil, ErrMalformed},
		{"negative id", entry(-1, a), nil, ErrMalformed},
		{"leading zero", "0" + entry(1, a), nil, ErrMalformed},
		{"plus", "+" + entry(1, a), nil, ErrMalformed},
		{"space after colon", strings.Replace(entry(1, a), ":", ": ", 1), nil, ErrMalformed},
		{"not base64", "1:" + strings.Repeat("!", 44), nil, ErrMalformed},
		{"line break inside", strings.Replace(entry(1, a), ":", ":\n", 1), nil, ErrMalformed},
		{"trailing bits", "1:" + base64.RawStdEncoding.EncodeToString(a)[:42] + "/", nil, ErrMalformed},
		{"trailing comma", entry(1, a) + ",", nil, ErrMalformed},
		{"only commas", ",", nil, ErrMalformed},
		{"second bad", entry(2, b) + ",x", nil, ErrMalformed},
		{"no key", "1:", nil, ErrTooShort},
		{"31 bytes", entry(1, a[:31]), nil, ErrTooShort},
		{"one character", "1:x", nil, ErrMalformed},
		{"same id", entry(1, a) + "," + entry(1, b), nil, ErrDuplicate},
		{"same key", entry(2, a) + "," + entry(1, a), nil, ErrDuplicate},
		{"one byte", entry(1, same), nil, ErrWeak},
		{"zeros", entry(1, make([]byte, 64)), nil, ErrWeak},
		{"weak old key", entry(2, a) + "," + entry(1, same), nil, ErrWeak},
		{"sample", SampleKeys, nil, ErrSample},
		{"sample, other id", "9:" + sample, nil, ErrSample},
		{"sample, other spelling", "1:" + strings.TrimRight(sample, "="), nil, ErrSample},
		{"sample as old key", entry(2, a) + "," + SampleKeys, nil, ErrSample},
		{"five", five, nil, ErrTooMany},
		{"many", strings.Repeat("1:x,", 1<<16), nil, ErrTooMany},
	}
	for _, c := range cases {
		k, err := Parse(c.in)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err != nil {
			if k != nil {
				t.Errorf("%s: a keyring beside the error", c.name)
			}
			if c.err != ErrTooMany && !strings.Contains(err.Error(), "custos secret") {
				t.Errorf("%s: the error does not say what to type: %v", c.name, err)
			}
			checkNoLeak(t, c.in, err)
			continue
		}
		if !slices.Equal(k.IDs(), c.ids) {
			t.Errorf("%s: ids %v, want %v", c.name, k.IDs(), c.ids)
		}
	}
}

var errorText = regexp.MustCompile("^parse CUSTOS_KEYS: (entry [1-4]: )?(.*); (run `custos secret` to make (one|a new key)|remove the oldest)$")

// checkNoLeak holds that an error is made of nothing but fixed text and an entry's position.
func checkNoLeak(t testing.TB, in string, err error) {
	t.Helper()
	m := errorText.FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("unexpected error text %q for %q", err, in)
	}
	for _, fixed := range []error{ErrMissing, ErrMalformed, ErrTooShort, ErrTooMany, ErrDuplicate, ErrWeak, ErrSample} {
		if m[2] == fixed.Error() {
			return
		}
	}
	t.Fatalf("error %q for %q has text that is not fixed", err, in)
}

func TestGenerate(t *testing.T) {
	if first, second := Generate(1), Generate(1); first == second {
		t.Error("the same key twice")
	}
	for _, id := range []int{0, -1, 32768} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Generate(%d) did not panic", id)
				}
			}()
			Generate(id)
		}()
	}
}

func TestKeyringIsRedacted(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	k := mustParse(t, entry(1, secret))
	d := k.Digester("p", "M")
	c := d.Candidates("token")
	digest := d.Digest("token")
	type holder struct{ k *Keyring }
	for name, v := range map[string]any{"pointer": k, "value": *k, "field": holder{k}, "field pointer": &holder{k}, "digester field": struct{ d *Digester }{d}, "slice": []*Keyring{k}, "digester": d, "candidates": c} {
		var out []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
		if !strings.HasPrefix(name, "digester") {
			j, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(j))
		}
		var logs bytes.Buffer
		slog.New(slog.NewTextHandler(&logs, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&logs, nil)).Info("m", "k", v)
		out = append(out, logs.String())
		for _, s := range out {
			for _, leak := range []string{
				"89abcdef", fmt.Sprintf("%x", "89abcdef"), "56 57 97 98", digest[:8],
				base64.StdEncoding.EncodeToString(secret)[12:20],
			} {
				if strings.Contains(s, leak) {
					t.Errorf("%s shows a secret: %s", name, s)
				}
			}
		}
	}
}

// FuzzParse holds that Parse never panics, never shows its input, and accepts only what parses the
// same again.
func FuzzParse(f *testing.F) {
	f.Add(SampleKeys)
	f.Add(entry(2, secretN(2)) + "," + entry(1, secretN(1)))
	f.Add(entry(1, secretN(1)[:31]))
	f.Add("1:" + base64.RawURLEncoding.EncodeToString(secretN(1)))
	f.Add(",,,,,")
	f.Add("1:\n")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := Parse(s)
		if err != nil {
			checkNoLeak(t, s, err)
			return
		}
		var canonical []string
		for _, key := range k.keys {
			if len(key.secret()) < MinKeyBytes || isOneByte(key.secret()) || isSample(key.secret()) {
				t.Fatalf("accepted a bad key: %q", s)
			}
			canonical = append(canonical, entry(key.id, key.secret()))
		}
		again, err := Parse(strings.Join(canonical, ","))
		if err != nil {
			t.Fatalf("%q parses, its canonical form does not: %v", s, err)
		}
		if !slices.EqualFunc(k.keys, again.keys, func(a, b key) bool { return a.id == b.id && bytes.Equal(a.secret(), b.secret()) }) {
			t.Fatalf("%q parses differently in canonical form", s)
		}
		ids := k.IDs()
		slices.Sort(ids)
		if len(ids) > MaxKeys || len(slices.Compact(ids)) != len(k.keys) {
			t.Fatalf("accepted ids %v", k.IDs())
		}
	})
}
