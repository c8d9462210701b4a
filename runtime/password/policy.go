package password

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Defaults of [Policy], in code points. ASVS 6.2.1 demands 8 and recommends 15; ASVS 6.2.9 demands that 64
// are allowed.
const (
	DefaultMinLength = 12
	DefaultMaxLength = 128
)

// The values of [PolicyError.Code].
const (
	TooShort       = "too_short"
	TooLong        = "too_long"
	TooCommon      = "too_common"
	NeedsUppercase = "needs_uppercase"
	NeedsDigit     = "needs_digit"
	NeedsSpecial   = "needs_special"
	Breached       = "breached" // not of [Policy.Check]: for whoever asks a list of stolen passwords
	Invalid        = "invalid"
)

const (
	// minWord is the length of the shortest context word that counts, in code points. Shorter ones are part
	// of too many other words.
	minWord = 4
	// minRest is what must be left of a password without the words that an attacker tries first, in characters:
	// the length that ASVS 6.2.1 asks of a whole password.
	minRest = 8
)

// Policy says which new passwords are accepted. It is for setting a password, not for signing in: a password
// that was accepted once stays right. The zero Policy is the recommended one. The fields that require kinds
// of characters exist for those who must have them; ASVS 6.2.5 advises against them, since they make
// passwords alike.
type Policy struct {
	MinLength, MaxLength                           int // code points; 12 and 128 if not positive
	RequireUppercase, RequireDigit, RequireSpecial bool
}

// PolicyError says why a password was not accepted. Neither field contains any part of the password.
type PolicyError struct {
	Code    string // for programs: [TooShort] and so on
	Message string // for people, to follow the name of the field: "must have at least 12 characters"
}

// Error implements error.
func (e *PolicyError) Error() string { return "check password: it " + e.Message }

// Check returns nil or a *[PolicyError] with the first reason not to accept a password. about are words
// that an attacker would try first: the name of the application, the address and name of the person. They are
// split at everything that is no letter or digit, and parts of less than four characters are ignored.
//
// It refuses what is on the list of common passwords, in any case, with 3 for e and the like, and with a few
// digits and signs around it; what repeats a few characters; and what is, without its context words, shorter
// than eight characters (ASVS 6.1.2, 6.2.4 and 6.2.11, requirement P-07).
func (p Policy) Check(plain string, about ...string) error {
	if e := p.check(plain, about); e != nil {
		return e
	}
	return nil
}

func (p Policy) check(plain string, about []string) *PolicyError {
	least, most := p.MinLength, p.MaxLength
	if least <= 0 {
		least = DefaultMinLength
	}
	if most <= 0 {
		most = DefaultMaxLength
	}
	tooLong := &PolicyError{TooLong, "must have at most " + strconv.Itoa(most) + " characters"}
	if len(plain) > MaxBytes { // before anything looks at all of it
		return tooLong
	}
	if !utf8.ValidString(plain) || strings.ContainsRune(plain, 0) {
		return &PolicyError{Invalid, "must be text"}
	}
	switch n := utf8.RuneCountInString(plain); {
	case n < least:
		return &PolicyError{TooShort, "must have at least " + strconv.Itoa(least) + " characters"}
	case n > most:
		return tooLong
	}
	switch {
	case p.RequireUppercase && !strings.ContainsFunc(plain, unicode.IsUpper):
		return &PolicyError{NeedsUppercase, "must have an upper-case letter"}
	case p.RequireDigit && !strings.ContainsFunc(plain, unicode.IsDigit):
		return &PolicyError{NeedsDigit, "must have a digit"}
	case p.RequireSpecial && !strings.ContainsFunc(plain, isSpecial):
		return &PolicyError{NeedsSpecial, "must have a character that is no letter and no digit"}
	}
	lower := strings.ToLower(plain)
	words := contextWords(about)
	for _, form := range [...]string{lower, undisguised(lower)} {
		if isCommon(form) || repeats(form) || isLittleMoreThan(form, words) {
			return &PolicyError{TooCommon, "is too easy to guess"}
		}
	}
	return nil
}

func isSpecial(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }

// common is the list of passwords that everybody tries first, in lower case, one per line, sorted. How it was
// made is said in common_gen.go.
//
//go:generate go run common_gen.go
//go:embed common.txt
var common string

// isCommon reports whether a password is on the list, as it is or with a few digits and signs around it:
// "butterfly2031!" is what policies make of "butterfly".
func isCommon(lower string) bool {
	core := strings.TrimFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	return isListed(lower) || len(lower)-len(core) < minRest && isListed(core)
}

// isListed searches all of the list, which takes a fiftieth of the time of a hash.
func isListed(lower string) bool {
	line := lower + "\n"
	return !strings.Contains(lower, "\n") && (strings.HasPrefix(common, line) || strings.Contains(common, "\n"+line))
}

// undisguised undoes the usual disguises of letters.
func undisguised(s string) string {
	return strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "5", "s", "$", "s", "7", "t").Replace(s)
}

// repeats reports whether s is one to four characters, three times or more: "aaaaaaaaaaaa", "abcabcabcabc".
func repeats(s string) bool {
	r := []rune(s)
	for unit := 1; unit <= 4 && 3*unit <= len(r); unit++ {
		if slices.Equal(r[unit:], r[:len(r)-unit]) {
			return true
		}
	}
	return false
}

// contextWords returns the words to look for, also with their disguises undone, the longest first so that
// "example" does not break "examples".
func contextWords(about []string) []string {
	var words []string
	for _, c := range about {
		for _, w := range strings.FieldsFunc(strings.ToLower(c), isSpecial) {
			if utf8.RuneCountInString(w) >= minWord {
				words = append(words, w, undisguised(w))
			}
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}

func isLittleMoreThan(s string, words []string) bool {
	rest := s
	for _, w := range words {
		rest = strings.ReplaceAll(rest, w, "")
	}
	return len(rest) < len(s) && utf8.RuneCountInString(rest) < minRest
}
