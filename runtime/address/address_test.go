package address_test

import (
	"errors"
	"net/mail"
	"strings"
	"testing"

	"github.com/custos-auth/custos/runtime/address"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"ann@example.com":                      "ann@example.com",
		"Ann.Lee+shop@Example.COM":             "ann.lee+shop@example.com",
		"o'neil@xn--bcher-kva.example":         "o'neil@xn--bcher-kva.example",
		"a@b.co":                               "a@b.co",
		strings.Repeat("l", 64) + "@x.example": strings.Repeat("l", 64) + "@x.example",
	} {
		if got, err := address.Normalize(in); got != want || err != nil {
			t.Errorf("Normalize(%q) = %q, %v", in, got, err)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	for _, in := range []string{
		"", "@", "ann", "ann@", "@example.com", "ann@localhost", "ann@192.0.2.1", "ann@[192.0.2.1]",
		"a@b.example,c@d.example", "a@b.example;c@d.example", "a@b@c.example", "a@b.example ", " a@b.example",
		"Ann <ann@example.com>", "<ann@example.com>", "ann@example.com\r\nBcc: x@y.example", "ann\n@example.com",
		`"ann lee"@example.com`, "ann..lee@example.com", ".ann@example.com", "ann.@example.com", "ann@example..com",
		"ann@-example.com", "ann@example-.com", "ann@exa_mple.com", "ann@example.com.", "mike@example.org\x00", "ann@exämple.com",
		"änn@example.com", "ann@example.com(comment)", "ann%00@exa mple.com",
		strings.Repeat("l", 65) + "@x.example", "a@" + strings.Repeat("d.", 130) + "com", "\u212Aann@example.com", // KELVIN SIGN folds to k
	} {
		if got, err := address.Normalize(in); !errors.Is(err, address.ErrInvalid) || got != "" {
			t.Errorf("Normalize(%q) = %q, %v, want ErrInvalid", in, got, err)
		}
	}
}

// Whatever is accepted is one address for the mail system too, and its own normal form.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"ann@example.com", "a@b.co", "Ann <a@b.co>", "a@b.co,c@d.co", "a@b.co\r\nTo: x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := address.Normalize(in)
		if err != nil {
			return
		}
		if again, err := address.Normalize(got); again != got || err != nil {
			t.Errorf("Normalize(%q) = %q, %v", got, again, err)
		}
		parsed, err := mail.ParseAddress(got)
		if err != nil || parsed.Address != got || parsed.Name != "" {
			t.Errorf("net/mail reads %q as %v, %v", got, parsed, err)
		}
		if strings.ContainsAny(got, "\r\n,; <>\x00") || len(got) > 254 {
			t.Errorf("Normalize(%q) = %q", in, got)
		}
	})
}
