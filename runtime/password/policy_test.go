package password

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPolicy(t *testing.T) {
	all := Policy{RequireUppercase: true, RequireDigit: true, RequireSpecial: true}
	eight := Policy{MinLength: 8}
	about := []string{"Acme Rocket Shop", "jane.hopper@example.com"}
	for _, c := range []struct {
		policy Policy
		plain  string
		about  []string
		code   string
	}{
		{Policy{}, "violet tram under nine", nil, ""},
		{Policy{}, "kTz7qwV2mXp9", nil, ""},
		{Policy{}, "kTz7qwV2mXp", nil, TooShort},
		{Policy{}, "", nil, TooShort},
		{Policy{}, "żółtaśćgęślą", nil, ""}, // 12 code points, more bytes
		{Policy{}, "żółtaśćgęśl", nil, TooShort},
		{Policy{}, " kTz7qwV2mX ", nil, ""}, // nothing is trimmed
		{Policy{}, strings.Repeat("kTz7qwV2", 16), nil, ""},
		{Policy{}, strings.Repeat("kTz7qwV2", 16) + "x", nil, TooLong},
		{Policy{}, strings.Repeat("🐎🔋📎🌂", 32), nil, TooCommon}, // 512 bytes, but four characters for ever
		{Policy{MaxLength: 1000}, strings.Repeat("kTz7qwV2", 64), nil, ""},
		{Policy{MaxLength: 1000}, strings.Repeat("kTz7qwV2", 64) + "x", nil, TooLong},
		{Policy{}, strings.Repeat("\xff", 600), nil, TooLong},
		{Policy{MinLength: 15}, "kTz7qwV2mXp9ab", nil, TooShort},
		{Policy{MinLength: 15}, "kTz7qwV2mXp9abc", nil, ""},
		{Policy{}, "kTz7qwV2mXp9\xff", nil, Invalid},
		{Policy{}, "kTz7qwV2\x00mXp9", nil, Invalid},

		{all, "ktz7qwv2mxp9!", nil, NeedsUppercase},
		{all, "kTzqqwVwmXpo!", nil, NeedsDigit},
		{all, "kTz7qwV2mXp9", nil, NeedsSpecial},
		{all, "kTz7qwV2mXp9!", nil, ""},
		{all, "kTz7 qwV2 mXp9", nil, ""},
		{all, "ŻTz7-qwv2mxp9", nil, ""},

		{eight, "password", nil, TooCommon},
		{eight, "PassWord", nil, TooCommon},
		{eight, "12345678", nil, TooCommon},
		{eight, "qwertyuiop", nil, TooCommon},
		{eight, "Summer2024!", nil, TooCommon},
		{eight, "p@ssw0rd", nil, TooCommon},
		{eight, "zxcvbnm123", nil, TooCommon},
		{Policy{}, "password1234", nil, TooCommon},
		{Policy{}, "Butterfly2031!", nil, TooCommon},
		{Policy{}, "!!butterfly!!", nil, TooCommon},
		{Policy{}, "8u773rf1y2031", nil, ""}, // no usual disguise
		{Policy{}, "correcthorsebatterystaple", nil, TooCommon},
		{Policy{}, "Correct Horse Battery Staple", nil, TooCommon},
		{Policy{}, "butterfly 93 violins", nil, ""},
		{Policy{}, "aaaaaaaaaaaaaaaaaaaaa", nil, TooCommon},
		{Policy{}, "xyzxyzxyzxyzxyz", nil, TooCommon},
		{Policy{}, "wxyzwxyzwxyzwx", nil, TooCommon},
		{Policy{}, "password1234\nbutterfly", nil, ""}, // no line of the list

		{Policy{}, "acmerocketshop", about, TooCommon},
		{Policy{}, "AcmeRocketShop2026", about, TooCommon},
		{Policy{}, "jane.hopper!1", about, TooCommon},
		{Policy{}, "h0pp3rh0pp3r1", about, TooCommon},
		{Policy{}, "hopper-9xQ2kLp", about, ""},
		{Policy{}, "hopper-9xQ2kL", about, TooCommon},
		{Policy{}, "hopper-9xQ2kL", nil, ""},
		{Policy{}, "example.example", about, TooCommon},
		{Policy{}, "violet tram under nine", []string{"tram", "nine", "", "-", "@"}, ""},
		{Policy{}, "com com kTz7qw", []string{"com"}, ""}, // too short a word
		{Policy{}, "josé josé 1234", []string{"José"}, TooCommon},
	} {
		err := c.policy.Check(c.plain, c.about...)
		var pe *PolicyError
		switch {
		case c.code == "" && err != nil:
			t.Errorf("Check(%.30q) = %v", c.plain, err)
		case c.code != "" && (!errors.As(err, &pe) || pe.Code != c.code):
			t.Errorf("Check(%.30q) = %v, want %s", c.plain, err, c.code)
		case pe != nil && (pe.Message == "" || len(c.plain) > 0 && strings.Contains(pe.Message, c.plain)):
			t.Errorf("Check(%.30q) says %q", c.plain, pe.Message)
		}
	}
}

// TestList is requirement P-07.
func TestList(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(common, "\n"), "\n")
	if !slices.IsSorted(lines) {
		t.Error("the list is not sorted")
	}
	if n := len(slices.Compact(slices.Clone(lines))); n != len(lines) {
		t.Errorf("%d lines appear twice", len(lines)-n)
	}
	twelve := 0
	for _, s := range lines {
		n := utf8.RuneCountInString(s)
		if n < 8 || n > 64 || s != strings.ToLower(s) || strings.TrimSpace(s) != s || !utf8.ValidString(s) {
			t.Errorf("line %q", s)
		}
		if n >= DefaultMinLength {
			twelve++
		}
	}
	if len(lines) < 3000 || twelve < 3000 {
		t.Errorf("%d entries, of which %d have 12 characters, want 3000 of each", len(lines), twelve)
	}
	for i, s := range lines {
		if i%50 != 0 && i != len(lines)-1 {
			continue // looking for all of them takes a second
		}
		for _, s := range []string{s, strings.ToUpper(s)} {
			var pe *PolicyError
			if err := (Policy{MinLength: 8}).Check(s); !errors.As(err, &pe) || pe.Code != TooCommon {
				t.Errorf("Check(%q) = %v", s, err)
			}
		}
	}
}

// FuzzCheck holds that nothing crashes, and that an accepted password is one that Hash takes.
func FuzzCheck(f *testing.F) {
	f.Add("violet tram under nine", "jane@example.com")
	f.Add("\xff\x00", "")
	f.Add("İİİİİİİİİİİİİ", "İİİİ")
	f.Fuzz(func(t *testing.T, plain, about string) {
		err := Policy{MinLength: 1, MaxLength: 10000}.Check(plain, about)
		if err == nil && (plain == "" || len(plain) > MaxBytes || !utf8.ValidString(plain)) {
			t.Fatalf("accepted %q", plain)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		if err := (Policy{}).Check("violet tram under nine", "jane.hopper@example.com"); err != nil {
			b.Fatal(err)
		}
	}
}
