package totp

import (
	"bytes"
	"encoding/base32"
	"net/url"
	"testing"
	"time"
)

// rfcSecret is the secret of the test vectors of RFC 4226 and, for SHA-1, RFC 6238.
var rfcSecret = []byte("12345678901234567890")

// TestRFC6238 are the SHA-1 vectors of appendix B, of whose eight digits the last six remain.
func TestRFC6238(t *testing.T) {
	for _, c := range []struct {
		unix int64
		want string
	}{
		{59, "287082"},
		{1111111109, "081804"},
		{1111111111, "050471"},
		{1234567890, "005924"},
		{2000000000, "279037"},
		{20000000000, "353130"},
	} {
		at := time.Unix(c.unix, 0)
		if got := Code(rfcSecret, at); got != c.want {
			t.Errorf("%d: %s, want %s", c.unix, got, c.want)
		}
		if step, ok := Match(rfcSecret, c.want, at, 0); !ok || step != c.unix/30 {
			t.Errorf("%d: Match = %d, %v", c.unix, step, ok)
		}
	}
}

// TestRFC4226 are the vectors of appendix D: the counter is the step.
func TestRFC4226(t *testing.T) {
	for counter, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if got := codeAt(rfcSecret, int64(counter)); got != want {
			t.Errorf("%d: %s, want %s", counter, got, want)
		}
	}
}

func TestMatchWindow(t *testing.T) {
	const current = 1_000_000
	now := time.Unix(current*30, 0)
	for _, c := range []struct {
		step, after int64
		ok          bool
	}{
		{current - 2, 0, false},
		{current - 1, 0, true},
		{current, 0, true},
		{current + 1, 0, true},
		{current + 2, 0, false},
		{current, current - 1, true},
		{current, current, false}, // requirement F-01
		{current - 1, current, false},
		{current + 1, current, true},
		{current + 1, current + 1, false},
		{current, current + 1, false},
		{current - 1, -1, true},
	} {
		for _, second := range []time.Duration{0, 29 * time.Second} {
			step, ok := Match(rfcSecret, codeAt(rfcSecret, c.step), now.Add(second), c.after)
			if ok != c.ok || ok && step != c.step || !ok && step != 0 {
				t.Errorf("step %+d after %+d: %d, %v, want %v", c.step-current, c.after-current, step, ok, c.ok)
			}
		}
	}
}

// TestSameCodeOfTwoSteps: what was accepted once must not be accepted again for the other step.
func TestSameCodeOfTwoSteps(t *testing.T) {
	secret := rfcSecret
	for step := int64(1); ; step++ {
		code := codeAt(secret, step)
		if code != codeAt(secret, step+1) && code != codeAt(secret, step+2) {
			continue
		}
		now := time.Unix((step+1)*30, 0)
		got, ok := Match(secret, code, now, 0)
		if !ok || got <= step {
			t.Errorf("Match = %d, %v, want the later of two steps", got, ok)
		}
		if again, ok := Match(secret, code, now, got); ok {
			t.Errorf("accepted again, as step %d", again)
		}
		return
	}
}

// TestMalformedCode is requirement F-10.
func TestMalformedCode(t *testing.T) {
	now := time.Unix(59, 0) // 287082
	for _, code := range []string{
		"", "28708", "2870820", "0287082", " 287082", "287082 ", "287 082", "287-082", "+28708", "-28708", "28708a", "28708\x00", "287082\n",
		"２８７０８２", "٢٨٧٠٨٢", "28708２", "287082.0", "0x4616", "94287082",
	} {
		if step, ok := Match(rfcSecret, code, now, 0); ok || step != 0 {
			t.Errorf("Match(%q) = %d, %v", code, step, ok)
		}
	}
}

func TestEmptySecretMatchesNothing(t *testing.T) {
	now := time.Unix(59, 0)
	for _, secret := range [][]byte{nil, {}} {
		if _, ok := Match(secret, Code(secret, now), now, 0); ok {
			t.Error("a code of the empty secret is right")
		}
	}
}

// TestBeforeTheEpoch: a clock that is wrong must not let a code through.
func TestBeforeTheEpoch(t *testing.T) {
	for _, now := range []time.Time{{}, time.Unix(-1000, 0)} {
		if step, ok := Match(rfcSecret, Code(rfcSecret, now), now, -1<<63); ok {
			t.Errorf("%v: step %d", now, step)
		}
	}
}

func TestGenerateSecret(t *testing.T) {
	a, b := GenerateSecret(), GenerateSecret()
	if len(a) != 20 || bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 20)) {
		t.Errorf("secrets of %d bytes", len(a))
	}
}

func TestURI(t *testing.T) {
	if got, want := URI("Acme", "jane@example.com", rfcSecret),
		"otpauth://totp/Acme:jane%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&algorithm=SHA1&digits=6&period=30"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for _, c := range []struct{ issuer, account, label, gotIssuer string }{
		{"Acme & Söhne, Inc.", "jane doe+x@example.com", "Acme & Söhne, Inc.:jane doe+x@example.com", "Acme & Söhne, Inc."},
		{"", "jane", "jane", ""},
		{"a:b", "c:d", "ab:cd", "ab"},
		{"Evil?secret=AAAA&issuer=x#", "../&secret=BBBB", "Evil?secret=AAAA&issuer=x#:../&secret=BBBB", "Evil?secret=AAAA&issuer=x#"},
		{"100%", "%41", "100%:%41", "100%"},
	} {
		u, err := url.Parse(URI(c.issuer, c.account, rfcSecret))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		secret, err := base32.StdEncoding.DecodeString(q.Get("secret"))
		if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/"+c.label || q.Get("issuer") != c.gotIssuer ||
			err != nil || !bytes.Equal(secret, rfcSecret) || len(q["secret"]) != 1 {
			t.Errorf("URI(%q, %q) = %s", c.issuer, c.account, u)
		}
	}
}

// FuzzMatch holds that only the three codes match, as they are spelled.
func FuzzMatch(f *testing.F) {
	now := time.Unix(1234567890, 0)
	for step := range int64(5) {
		f.Add(codeAt(rfcSecret, stepAt(now)+step-2), int64(0))
	}
	f.Add("0", int64(-5))
	f.Fuzz(func(t *testing.T, code string, after int64) {
		step, ok := Match(rfcSecret, code, now, after)
		if ok && (step <= after || step < stepAt(now)-1 || step > stepAt(now)+1 || code != codeAt(rfcSecret, step)) {
			t.Fatalf("Match(%q, %d) = %d", code, after, step)
		}
	})
}
