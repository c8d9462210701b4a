package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"hash/crc32"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestNewFormat(t *testing.T) {
	for _, p := range []string{"ab", "acme", "a1", "abcdefghij", "a234567890"} {
		f, err := NewFormat(p)
		if err != nil || f.Prefix() != p+"_pat_" {
			t.Errorf("NewFormat(%q) = %q, %v", p, f.Prefix(), err)
		}
	}
	for _, p := range []string{"a", "abcdefghijk", "1a", "Ab", "aB", "a_b", "a-b", "a.b", "a\\d", " ab", "ab ", "ab\n", "äb", "aß", "a\x00"} {
		if _, err := NewFormat(p); !errors.Is(err, ErrPrefix) {
			t.Errorf("NewFormat(%q): %v, want ErrPrefix", p, err)
		}
	}
	if f, err := NewFormat(""); err != nil || f != (Format{}) {
		t.Errorf("NewFormat(\"\") = %v, %v, want the zero Format", f, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("MustFormat accepted a bad prefix")
		}
	}()
	MustFormat("NO")
}

func TestMaxBody(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 256)
	n.Sub(n, big.NewInt(1))
	if got := base62Big(n); got != maxBody {
		t.Errorf("2^256-1 in base62 is %s, not %s", got, maxBody)
	}
}

// base62Big is an independent encoder: math/big's alphabet is 0-9a-zA-Z, so the cases are swapped.
func base62Big(n *big.Int) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, n.Text(62))
	return strings.Repeat("0", bodyLen-len(s)) + s
}

func TestEncodeAgainstBig(t *testing.T) {
	f := MustFormat("acme")
	check := func(random [entropyBytes]byte) {
		t.Helper()
		body := "acme_pat_" + base62Big(new(big.Int).SetBytes(random[:]))
		sum := base62Big(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))))[bodyLen-sumLen:]
		if got := f.encode(random); got != body+sum {
			t.Errorf("encode(%x) = %s, want %s", random, got, body+sum)
		}
	}
	var b [entropyBytes]byte
	check(b)
	b[31] = 1
	check(b)
	for i := range b {
		b[i] = 0xff
	}
	check(b)
	for range 1000 {
		_, _ = rand.Read(b[:])
		check(b)
	}
}

// The vectors pin the wire format: a release that changes them refuses every token in the field.
func TestVectors(t *testing.T) {
	var b [entropyBytes]byte
	for i := range b {
		b[i] = byte(i)
	}
	if got, want := (Format{}).encode(b), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := MustFormat("acme").encode(b), "acme_pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1KVxVi"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValid(t *testing.T) {
	acme := MustFormat("acme")
	good, plain := acme.Generate().Expose(), Format{}.Generate().Expose()
	// withSum makes the checksum right, so that only the fault under test is left.
	withSum := func(body string) string {
		return body + base62Big(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))))[bodyLen-sumLen:]
	}
	over := new(big.Int).Lsh(big.NewInt(1), 256)
	cases := []struct {
		name string
		f    Format
		s    string
		want bool
	}{
		{"issued", acme, good, true},
		{"largest", acme, withSum("acme_pat_" + maxBody), true},
		{"smallest", acme, withSum("acme_pat_" + strings.Repeat("0", 43)), true},
		{"2^256", acme, withSum("acme_pat_" + base62Big(over)), false},
		{"all z", acme, withSum("acme_pat_" + strings.Repeat("z", 43)), false},
		{"empty", acme, "", false},
		{"prefix only", acme, "acme_pat_", false},
		{"short", acme, good[:len(good)-1], false},
		{"long", acme, good + "0", false},
		{"very long", acme, good + strings.Repeat("A", 1<<16), false},
		{"space before", acme, " " + good, false},
		{"newline after", acme, good + "\n", false},
		{"other prefix", MustFormat("bcme"), good, false},
		{"other prefix, right sum", acme, withSum("bcme_pat_" + good[9:52]), false},
		{"other kind", acme, withSum("acme_ses_" + good[9:52]), false},
		{"upper-case prefix", acme, withSum("ACME_pat_" + good[9:52]), false},
		{"bad alphabet", acme, withSum("acme_pat_-" + good[10:52]), false},
		{"NUL", acme, withSum("acme_pat_\x00" + good[10:52]), false},
		{"look-alike", acme, withSum("acme_pat_а" + good[11:52]), false},
		{"sum with bad alphabet", acme, good[:52] + "-" + good[53:], false},
		{"plain in acme", acme, plain, false},
		{"plain", Format{}, plain, true},
		{"plain, empty", Format{}, "", false},
		{"plain, padded", Format{}, plain + "=", false},
		{"plain, short", Format{}, plain[:42], false},
		{"plain, std alphabet", Format{}, "+" + plain[1:], false},
		{"plain, slash", Format{}, "/" + plain[1:], false},
		{"plain, trailing bits", Format{}, plain[:42] + "B", false},
		{"acme in plain", Format{}, good, false},
	}
	for _, c := range cases {
		if got := c.f.Valid(c.s); got != c.want {
			t.Errorf("%s: Valid(%q) = %v, want %v", c.name, c.s, got, c.want)
		}
	}
}

func TestValidRefusesEveryChangedCharacter(t *testing.T) {
	f := MustFormat("acme")
	s := f.Generate().Expose()
	for i := range len(s) {
		for _, c := range []byte(alphabet) {
			if c == s[i] {
				continue
			}
			if changed := s[:i] + string(c) + s[i+1:]; f.Valid(changed) {
				t.Errorf("Valid(%q), one character away from %q", changed, s)
			}
		}
	}
}

func TestValidBase64IsCanonical(t *testing.T) {
	strict := base64.RawURLEncoding.Strict()
	body := Format{}.Generate().Expose()[:42]
	for c := range 256 {
		s := body + string([]byte{byte(c)})
		_, err := strict.DecodeString(s)
		if want := err == nil && c != '\n' && c != '\r'; (Format{}).Valid(s) != want {
			t.Errorf("Valid with last byte %q = %v, want %v", c, !want, want)
		}
	}
}

func TestValidDoesNotAllocate(t *testing.T) {
	for _, f := range []Format{{}, MustFormat("acme")} {
		s := f.Generate().Expose()
		if n := testing.AllocsPerRun(1000, func() {
			if !f.Valid(s) {
				t.Fatal("refused")
			}
		}); n != 0 {
			t.Errorf("Valid allocates %v times", n)
		}
	}
}

// TestDistribution is requirement T-01: 1e5 tokens, no duplicate, and each character as frequent as
// a uniform 256-bit number makes it.
func TestDistribution(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	const b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for name, c := range map[string]struct {
		f       Format
		letters string
		base    int64
		shift   uint // padding bits at the low end
	}{
		"base64url": {Format{}, b64, 64, 2},
		"base62":    {MustFormat("acme"), alphabet, 62, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var counts [bodyLen][256]int
			seen := make(map[string]bool, n)
			for range n {
				s := c.f.Generate().Expose()
				if seen[s] {
					t.Fatal("the same token twice")
				}
				seen[s] = true
				if !c.f.Valid(s) {
					t.Fatalf("issued token is not Valid: %s", s)
				}
				body := s[len(c.f.Prefix()):][:bodyLen]
				for i := range bodyLen {
					counts[i][body[i]]++
				}
			}
			for i := range bodyLen {
				var chi float64
				cells, total := 0, 0
				for d := range c.base {
					got := counts[i][c.letters[d]]
					total += got
					p := digitProbability(c.base, bodyLen-1-i, d, c.shift)
					if p == 0 {
						if got != 0 {
							t.Errorf("position %d: %q cannot occur and did", i, c.letters[d])
						}
						continue
					}
					cells++
					want := p * float64(n)
					chi += (float64(got) - want) * (float64(got) - want) / want
				}
				if total != n {
					t.Errorf("position %d: %d characters outside the alphabet", i, n-total)
				}
				// Six and a half sigma by Wilson-Hilferty: 86 positions fail by chance less than
				// once in 10^8 runs.
				df := float64(cells - 1)
				limit := df * math.Pow(1-2/(9*df)+6.5*math.Sqrt(2/(9*df)), 3)
				if chi > limit {
					t.Errorf("position %d: chi-square %.1f with %v degrees of freedom, limit %.1f", i, chi, df, limit)
				}
			}
		})
	}
}

// digitProbability is the exact share of the numbers x<<shift, x < 2^256, whose digit at base^place
// is d. It is not 1/base everywhere: 2^256 is not a power of 62.
func digitProbability(base int64, place int, d int64, shift uint) float64 {
	count := func(limit *big.Int) *big.Int { // numbers below limit with that digit
		unit := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(place)), nil)
		cycle := new(big.Int).Mul(unit, big.NewInt(base))
		full, rest := new(big.Int).QuoRem(limit, cycle, new(big.Int))
		rest.Sub(rest, new(big.Int).Mul(unit, big.NewInt(d)))
		if rest.Sign() < 0 {
			rest.SetInt64(0)
		}
		if rest.Cmp(unit) > 0 {
			rest = unit
		}
		return new(big.Int).Add(full.Mul(full, unit), rest)
	}
	if shift > 0 && place == 0 { // the padded digit: multiples of 1<<shift, evenly
		if d%(1<<shift) != 0 {
			return 0
		}
		return float64(int64(1)<<shift) / float64(base)
	}
	total := new(big.Int).Lsh(big.NewInt(1), 256+shift)
	p, _ := new(big.Rat).SetFrac(count(total), total).Float64()
	return p
}

// TestPattern is requirement T-07: all issued tokens match, no random text does.
func TestPattern(t *testing.T) {
	f := MustFormat("acme")
	if got, want := f.Pattern(), `\bacme_pat_[0-9A-Za-z]{49}\b`; got != want {
		t.Fatalf("Pattern() = %s, want %s", got, want)
	}
	if got := (Format{}).Pattern(); got != "" {
		t.Errorf("Pattern of the zero Format = %q, want none", got)
	}
	re := regexp.MustCompile(f.Pattern())
	issued, random := 100_000, 1_000_000
	if testing.Short() || raceEnabled { // there is nothing to race here, and it takes ten times as long
		issued, random = 2_000, 20_000
	}
	for range issued {
		s := f.Generate().Expose()
		if re.FindString(`{"token":"`+s+`"}`) != s {
			t.Fatalf("the pattern does not find %s", s)
		}
	}
	const length = len("acme_pat_") + bodyLen + sumLen
	batch := make([]byte, 1000*length) // reading for each string apart takes a third of the time
	for n := range random {
		at := n % 1000 * length
		if at == 0 {
			_, _ = rand.Read(batch)
		}
		raw := batch[at : at+length]
		for i, c := range raw {
			raw[i] = alphabet[int(c)%62] // uneven, which does not matter here
		}
		if re.Match(raw) {
			t.Fatalf("the pattern matches random text %s", raw)
		}
	}
	for _, s := range []string{f.Generate().Expose() + "x", "x" + f.Generate().Expose()} {
		if re.MatchString(s) {
			t.Errorf("the pattern matches inside a longer word: %s", s)
		}
	}
}

// decode is the inverse of encode for valid strings, written with math/big.
func decode(f Format, s string) (random [entropyBytes]byte, ok bool) {
	if f == (Format{}) {
		b, err := base64.RawURLEncoding.DecodeString(s)
		return [entropyBytes]byte(b), err == nil && len(b) == entropyBytes
	}
	n := new(big.Int)
	for _, c := range []byte(s[len(f.prefix):][:bodyLen]) {
		n.Mul(n, big.NewInt(62)).Add(n, big.NewInt(int64(strings.IndexByte(alphabet, c))))
	}
	if n.BitLen() > 256 {
		return random, false
	}
	n.FillBytes(random[:])
	return random, true
}

// FuzzValid holds that decoding and encoding a valid token gives the same string back: no second
// spelling of a token is accepted.
func FuzzValid(f *testing.F) {
	acme := MustFormat("acme")
	for range 3 {
		f.Add(acme.Generate().Expose())
		f.Add(Format{}.Generate().Expose())
	}
	f.Add("")
	f.Add("acme_pat_" + strings.Repeat("z", 49))
	f.Add(strings.Repeat("_", 43))
	re := regexp.MustCompile(acme.Pattern())
	f.Fuzz(func(t *testing.T, s string) {
		// Random input never has the right sum, so the fuzzer also gets to choose only the body.
		withSum := s
		if len(s) == bodyLen {
			sum := crc32.ChecksumIEEE([]byte("acme_pat_" + s))
			withSum = "acme_pat_" + s + base62Big(big.NewInt(int64(sum)))[bodyLen-sumLen:]
		}
		for _, in := range []string{s, withSum} {
			for _, format := range []Format{{}, acme} {
				if !format.Valid(in) {
					continue
				}
				random, ok := decode(format, in)
				if !ok {
					t.Fatalf("Valid(%q) but it does not decode", in)
				}
				if again := format.encode(random); again != in {
					t.Fatalf("Valid(%q) but it encodes as %q", in, again)
				}
				if format == acme && re.FindString(in) != in {
					t.Fatalf("Valid(%q) but the pattern does not find it", in)
				}
			}
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	f := MustFormat("acme")
	b.ReportAllocs()
	for b.Loop() {
		f.Generate()
	}
}

func BenchmarkValid(b *testing.B) {
	for name, f := range map[string]Format{"plain": {}, "prefixed": MustFormat("acme")} {
		s := f.Generate().Expose()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Valid(s)
			}
		})
	}
}
