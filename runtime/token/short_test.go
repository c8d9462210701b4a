package token

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestBackup(t *testing.T) {
	layout := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$`)
	seen := map[string]bool{}
	counts := map[rune]int{}
	const n = 4000
	for range n {
		tok := Backup()
		s := tok.Expose()
		if !layout.MatchString(s) {
			t.Fatalf("layout of %q", s)
		}
		if seen[s] {
			t.Fatalf("%q twice", s)
		}
		seen[s] = true
		if got, ok := NormalizeBackup(s); got != s || !ok {
			t.Fatalf("NormalizeBackup(%q) = %q, %v", s, got, ok)
		}
		for _, c := range strings.ReplaceAll(s, "-", "") {
			counts[c]++
		}
	}
	// χ² with 31 degrees of freedom is above 90 once in ten million runs.
	expected := float64(n*backupLen) / 32
	chi := 0.0
	for _, c := range crockford {
		d := float64(counts[c]) - expected
		chi += d * d / expected
	}
	if chi > 90 {
		t.Errorf("χ² = %.1f: the characters are not equally likely", chi)
	}
	if tok := Backup(); fmt.Sprint(tok) != redacted {
		t.Error("a backup code prints")
	}
}

func TestNormalizeBackup(t *testing.T) {
	const want = "01AB-CDEF-GHJK-MNPQ-RSTV-WXYZ"
	for _, s := range []string{
		want, "01ABCDEFGHJKMNPQRSTVWXYZ", "01abcdefghjkmnpqrstvwxyz", "01ab cdef ghjk mnpq rstv wxyz", " 01AB-CDEF-GHJK-MNPQ-RSTV-WXYZ ",
		"OIABCDEFGHJKMNPQRSTVWXYZ", "oiab-cdef-ghjk-mnpq-rstv-wxyz", "0LAB-cdef-GHJK-mnpq-RSTV-wxyz", "olab--cdefghjkmnpqrs tvwxyz",
		"0-1-A-B-C-D-E-F-G-H-J-K-M-N-P-Q-R-S-T-V-W-X-Y-Z",
	} {
		if got, ok := NormalizeBackup(s); got != want || !ok {
			t.Errorf("NormalizeBackup(%q) = %q, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "-", "01AB", "01ABCDEFGHJKMNPQRSTVWXY", "01ABCDEFGHJKMNPQRSTVWXYZ0", want + "-0", "U1ABCDEFGHJKMNPQRSTVWXYZ", "u1ABCDEFGHJKMNPQRSTVWXYZ",
		"01AB_CDEF_GHJK_MNPQ_RSTV_WXYZ", "01AB\nCDEFGHJKMNPQRSTVWXYZ", "01AB\x00CDEFGHJKMNPQRSTVWXYZ", "０1ABCDEFGHJKMNPQRSTVWXYZ", "01AB–CDEF–GHJK–MNPQ–RSTV–WXYZ",
		"01ABCDEFGHJKMNPQRSTVWXY*", strings.Repeat("-", 100) + want, strings.Repeat("0", 1<<20), "ſ1ABCDEFGHJKMNPQRSTVWXYZ",
	} {
		if got, ok := NormalizeBackup(s); got != "" || ok {
			t.Errorf("NormalizeBackup(%.40q) = %q, %v", s, got, ok)
		}
	}
}

func TestCode(t *testing.T) {
	layout := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`)
	seen := map[string]bool{}
	for range 4000 {
		s := Code().Expose()
		if got, ok := NormalizeCode(s); !layout.MatchString(s) || got != s || !ok || seen[s] {
			t.Fatalf("code %q, normalized %q, %v; seen before: %v", s, got, ok, seen[s])
		}
		seen[s] = true
	}
	for _, s := range []string{"7QJ40F2M", "7qj4 of2m", "7QJ4-0F2M", " 7-Q-J-4-O-F-2-M "} {
		if got, ok := NormalizeCode(s); got != "7QJ4-0F2M" || !ok {
			t.Errorf("NormalizeCode(%q) = %q, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "7QJ4-0F2", "7QJ4-0F2M-7QJ4", "7QJ4-0F2U", "7QJ4\n0F2M", strings.Repeat(" ", 40) + "7QJ40F2M", Backup().Expose()} {
		if got, ok := NormalizeCode(s); got != "" || ok {
			t.Errorf("NormalizeCode(%q) = %q, %v", s, got, ok)
		}
	}
}

func TestDigits(t *testing.T) {
	for n := 1; n <= maxDigits; n++ {
		if s := Digits(n); len(s) != n || strings.Trim(s, "0123456789") != "" {
			t.Errorf("Digits(%d) = %q", n, s)
		}
	}
	for _, n := range []int{-1, 0, maxDigits + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Digits(%d) does not panic", n)
				}
			}()
			Digits(n)
		}()
	}
}

// TestDigitsAreEven goes through all bytes: each digit comes from as many of them.
func TestDigitsAreEven(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	out := string(appendDigits(nil, all, 256))
	for d := '0'; d <= '9'; d++ {
		if n := strings.Count(out, string(d)); n != 25 {
			t.Errorf("%c comes from %d bytes, want 25", d, n)
		}
	}
}

// FuzzNormalizeBackup holds that what comes out has one spelling.
func FuzzNormalizeBackup(f *testing.F) {
	f.Add(Backup().Expose())
	f.Add("oiab-cdef ghjk-mnpq rstv-wxyz")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := NormalizeBackup(s)
		if !ok {
			return
		}
		if again, ok := NormalizeBackup(got); again != got || !ok || len(got) != 29 {
			t.Fatalf("NormalizeBackup(%q) = %q, whose own is %q", s, got, again)
		}
	})
}
