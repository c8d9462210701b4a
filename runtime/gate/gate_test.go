package gate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	now       = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	errDB     = errors.New("database is down")
	errTwo    = errors.New("second error")
	errLocked = fmt.Errorf("account is locked: %w", ErrRefused)
)

// recorder makes attempts whose functions note that they were called and return given errors.
type recorder struct{ calls []string }

func (r *recorder) step(name string, err error) func(context.Context) error {
	return func(context.Context) error {
		r.calls = append(r.calls, name)
		return err
	}
}

func (r *recorder) attempt() Attempt {
	return Attempt{
		Model: "User", OwnerID: "42", Factor: "password", Now: now,
		Guard:  r.step("guard", nil),
		Verify: r.step("verify", nil),
		Decoy:  r.step("decoy", nil),
		Failed: r.step("failed", nil),
		Passed: r.step("passed", nil),
	}
}

func TestTry(t *testing.T) {
	cases := []struct {
		name                                 string
		nobody, noDecoy                      bool
		guard, verify, decoy, failed, passed error
		calls                                string
		is, isNot                            []error
	}{
		{name: "right", calls: "guard verify passed"},
		{name: "right without decoy", noDecoy: true, calls: "guard verify passed"},
		{name: "wrong", verify: ErrMismatch, calls: "guard verify failed", is: []error{ErrMismatch}, isNot: []error{ErrRefused}},
		{name: "wrong, wrapped", verify: fmt.Errorf("totp: %w", ErrMismatch), calls: "guard verify failed", is: []error{ErrMismatch}},
		{name: "wrong and joined", verify: errors.Join(ErrMismatch, errDB), calls: "guard verify failed", is: []error{ErrMismatch}, isNot: []error{errDB}},
		{name: "wrong, untold", verify: ErrMismatch, failed: errDB, calls: "guard verify failed", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "wrong, telling claims a verdict", verify: ErrMismatch, failed: ErrMismatch, calls: "guard verify failed", isNot: []error{ErrMismatch, ErrRefused}},
		{name: "nobody could tell", verify: errDB, calls: "guard verify", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "verification refuses", verify: ErrRefused, calls: "guard verify", isNot: []error{ErrMismatch, ErrRefused}},
		{name: "success untold", passed: errDB, calls: "guard verify passed", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "success told with a verdict", passed: ErrMismatch, calls: "guard verify passed", isNot: []error{ErrMismatch, ErrRefused}},

		{name: "nobody", nobody: true, calls: "guard decoy failed", is: []error{ErrMismatch}, isNot: []error{ErrRefused}},
		{name: "nobody without decoy", nobody: true, noDecoy: true, calls: "guard failed", is: []error{ErrMismatch}},
		{name: "nobody, overloaded", nobody: true, decoy: errDB, calls: "guard decoy", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "nobody, decoy claims a verdict", nobody: true, decoy: ErrMismatch, calls: "guard decoy", isNot: []error{ErrMismatch, ErrRefused}},
		{name: "nobody, untold", nobody: true, failed: errDB, calls: "guard decoy failed", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},

		{name: "refused", guard: errLocked, calls: "guard decoy failed", is: []error{ErrRefused, errLocked}, isNot: []error{ErrMismatch}},
		{name: "refused without decoy", guard: errLocked, noDecoy: true, calls: "guard failed", is: []error{ErrRefused}},
		{name: "refused nobody", nobody: true, guard: errLocked, calls: "guard decoy failed", is: []error{ErrRefused}, isNot: []error{ErrMismatch}},
		{name: "refused, overloaded", guard: errLocked, decoy: errDB, calls: "guard decoy", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "refused, untold", guard: errLocked, failed: errDB, calls: "guard decoy failed", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "guard fails", guard: errDB, calls: "guard", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "guard fails for nobody", nobody: true, guard: errDB, calls: "guard", is: []error{errDB}, isNot: []error{ErrMismatch, ErrRefused}},
		{name: "guard says mismatch", guard: ErrMismatch, calls: "guard", isNot: []error{ErrMismatch, ErrRefused}},
	}
	for _, c := range cases {
		for _, second := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/second=%v", c.name, second), func(t *testing.T) {
				r := &recorder{}
				a := Attempt{
					Model: "User", OwnerID: "42", Factor: "password", Second: second, Now: now,
					Guard:  r.step("guard", c.guard),
					Verify: r.step("verify", c.verify),
					Decoy:  r.step("decoy", c.decoy),
					Failed: r.step("failed", c.failed),
					Passed: r.step("passed", c.passed),
				}
				if c.nobody {
					a.OwnerID = ""
				}
				if c.noDecoy {
					a.Decoy = nil
				}
				p, err := Try(t.Context(), a)
				if got := strings.Join(r.calls, " "); got != c.calls {
					t.Errorf("calls = %s, want %s", got, c.calls)
				}
				wantErr := len(c.is)+len(c.isNot) > 0
				if (err != nil) != wantErr {
					t.Fatalf("error = %v, want one: %v", err, wantErr)
				}
				for _, target := range c.is {
					if !errors.Is(err, target) {
						t.Errorf("error %q is not %q", err, target)
					}
				}
				for _, target := range c.isNot {
					if errors.Is(err, target) {
						t.Errorf("error %q is %q", err, target)
					}
				}
				want := Proof{}
				if !wantErr {
					want = Proof{model: "User", ownerID: "42", factor: "password", second: second, at: now, ok: true}
				}
				if p != want {
					t.Errorf("proof = %+v, want %+v", p.ownerID, want.ownerID)
				}
			})
		}
	}
}

// TestGuardErrorIsReturnedAsItIs: callers turn a guard's own error into an answer, such as 429.
func TestGuardErrorIsReturnedAsItIs(t *testing.T) {
	r := &recorder{}
	a := r.attempt()
	a.Guard = r.step("guard", errDB)
	if _, err := Try(t.Context(), a); err != errDB {
		t.Errorf("error = %v, want the guard's very error", err)
	}
}

// TestUntoldFailureKeepsBothTexts: the log must say what the attempt was and what went wrong.
func TestUntoldFailureKeepsBothTexts(t *testing.T) {
	r := &recorder{}
	a := r.attempt()
	a.Verify, a.Failed = r.step("verify", ErrMismatch), r.step("failed", errors.Join(errDB, errTwo))
	_, err := Try(t.Context(), a)
	for _, want := range []string{ErrMismatch.Error(), errDB.Error(), errTwo.Error()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestMissingPartIsAnError(t *testing.T) {
	for name, remove := range map[string]func(*Attempt){
		"Model":  func(a *Attempt) { a.Model = "" },
		"Factor": func(a *Attempt) { a.Factor = "" },
		"Guard":  func(a *Attempt) { a.Guard = nil },
		"Verify": func(a *Attempt) { a.Verify = nil },
		"Failed": func(a *Attempt) { a.Failed = nil },
		"Passed": func(a *Attempt) { a.Passed = nil },
	} {
		r := &recorder{}
		a := r.attempt()
		remove(&a)
		p, err := Try(t.Context(), a)
		if err == nil || !strings.Contains(err.Error(), name) || errors.Is(err, ErrMismatch) || errors.Is(err, ErrRefused) {
			t.Errorf("without %s: error = %v, want one that names it and is no verdict", name, err)
		}
		if p != (Proof{}) || len(r.calls) != 0 {
			t.Errorf("without %s: valid = %v after calls %v, want nothing", name, p.Valid(), r.calls)
		}
	}
	if p, err := Try(t.Context(), Attempt{}); err == nil || p.Valid() {
		t.Error("the zero Attempt passes")
	}
}

func TestCancelledContextGivesNoProof(t *testing.T) {
	for _, at := range []string{"before", "guard", "verify", "passed"} {
		ctx, cancel := context.WithCancel(t.Context())
		r := &recorder{}
		a := r.attempt()
		cancelIn := func(name string, f func(context.Context) error) func(context.Context) error {
			return func(ctx context.Context) error {
				if name == at {
					cancel()
				}
				return f(ctx)
			}
		}
		a.Guard, a.Verify, a.Passed = cancelIn("guard", a.Guard), cancelIn("verify", a.Verify), cancelIn("passed", a.Passed)
		if at == "before" {
			cancel()
		}
		p, err := Try(ctx, a)
		if !errors.Is(err, context.Canceled) || p != (Proof{}) {
			t.Errorf("cancelled at %s: proof %v, error %v", at, p, err)
		}
		cancel()
	}
}

// TestHangingUpStillCounts: an attacker must not save a failure by closing the connection.
func TestHangingUpStillCounts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{}
	a := r.attempt()
	a.Verify = func(context.Context) error { cancel(); return ErrMismatch }
	counted := false
	a.Failed = func(ctx context.Context) error {
		counted = ctx.Err() == nil
		if _, ok := ctx.Deadline(); !ok {
			t.Error("Failed has no deadline")
		}
		return nil
	}
	if _, err := Try(ctx, a); !errors.Is(err, ErrMismatch) || !counted {
		t.Errorf("error = %v, counted = %v", err, counted)
	}
}

func TestProof(t *testing.T) {
	r := &recorder{}
	a := r.attempt()
	a.OwnerID, a.Second, a.Factor = "owner-4711", true, "totp"
	p, err := Try(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Valid() || p.Model() != "User" || p.OwnerID() != "owner-4711" || p.Factor() != "totp" || !p.Second() || !p.At().Equal(now) {
		t.Errorf("got %v %q %q %q %v %v", p.Valid(), p.Model(), p.OwnerID(), p.Factor(), p.Second(), p.At())
	}
	var zero Proof
	if zero.Valid() || zero.OwnerID() != "" || zero.Model() != "" || zero.Factor() != "" || zero.Second() || !zero.At().IsZero() {
		t.Error("the zero Proof says something")
	}
	for i := range reflect.TypeFor[Proof]().NumField() {
		f := reflect.TypeFor[Proof]().Field(i)
		if f.IsExported() {
			t.Errorf("field %s can be set from outside, by JSON for one", f.Name)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(verb, p); got != "gate.Proof(valid)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if p.String() != "gate.Proof(valid)" || p.GoString() != p.String() || zero.String() != "gate.Proof(invalid)" {
		t.Errorf("prints %s and %s", p, zero)
	}
}
