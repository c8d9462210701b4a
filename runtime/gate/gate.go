package gate

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The two verdicts of [Try]. Test for them with [errors.Is], answer both alike, and treat every other
// error as "nobody could tell".
var (
	// ErrMismatch says that the secret was wrong or nobody was found.
	ErrMismatch = errors.New("secret does not match")
	// ErrRefused says that a guard refused. A guard refuses with an error that wraps it.
	ErrRefused = errors.New("attempt refused")
)

// failedTimeout is how long Failed may take. It outlives the request (see [Try]), so it needs an end of
// its own.
const failedTimeout = 10 * time.Second

// Attempt is one attempt to show that one is the owner of an account. Everything but OwnerID, Second,
// Decoy and Now must be set.
type Attempt struct {
	Model   string // the model of the account, such as "User"
	OwnerID string // who the secret is said to belong to; "" if nobody was found
	Factor  string // what the secret is, such as "password" or "totp"
	Second  bool   // whether it is a second factor

	// Guard asks all who may refuse. nil lets the attempt go on, an error that wraps [ErrRefused] refuses
	// it, any other error ends it.
	Guard func(context.Context) error
	// Verify checks the secret: nil if it is right, [ErrMismatch] if it is wrong, any other error if
	// nobody could tell.
	Verify func(context.Context) error
	// Decoy does the work of Verify for an attempt that must not be verified. It is nil where Verify
	// costs no time that could be measured from outside.
	Decoy func(context.Context) error
	// Failed tells those who hear of a wrong or refused attempt.
	Failed func(context.Context) error
	// Passed tells those who hear of a right one.
	Passed func(context.Context) error

	// Epoch tells the version of the account's credentials that Verify has worked with. It is asked when the attempt has
	// passed, and the [Proof] carries it, so that whoever opens a session can see that a credential was changed since. nil
	// is 0.
	Epoch func() int64

	// Now is the time of the attempt by the caller's clock. A proof that was made without it is older
	// than any limit.
	Now time.Time
}

// Try runs an attempt and returns a valid [Proof] if, and only if, the error is nil.
//
//	Guard       Verify        then             result
//	refuses     not called    Decoy, Failed    ErrRefused, wrapping the guard's error
//	fails       not called    -                the guard's error as it is
//	passes      not called    Decoy, Failed    ErrMismatch, when nobody was found
//	passes      ErrMismatch   Failed           ErrMismatch
//	passes      other error   -                that error, wrapped
//	passes      nil           Passed           a Proof
//
// The guard is asked first, also for nobody, and an attempt that is not verified still pays for Decoy:
// so that the time of the answer does not tell which accounts exist or are locked (ASVS 6.3.8).
//
// It fails closed. When Failed, Decoy or Passed return an error, nobody knows whether the attempt was
// counted or heard of: the result wraps that error, is neither ErrMismatch nor ErrRefused, and there is
// no proof. An attempt with a missing part is an error, and so is a cancelled context.
//
// Failed gets a context that is not cancelled with ctx and ends after ten seconds: who hangs up before the
// answer has still made an attempt, and it must count (requirement L-01).
//
// Try keeps no state and may be called concurrently if the functions of the attempt may.
func Try(ctx context.Context, a Attempt) (Proof, error) {
	if err := a.check(); err != nil {
		return Proof{}, err
	}
	if err := ctx.Err(); err != nil {
		return Proof{}, fmt.Errorf("try attempt: %w", err)
	}
	switch err := a.Guard(ctx); {
	case errors.Is(err, ErrRefused):
		return Proof{}, a.turnAway(ctx, fmt.Errorf("try attempt: %w", err))
	case errors.Is(err, ErrMismatch): // not a guard's to say, and Failed was not told
		return Proof{}, undecided("ask guards", err)
	case err != nil:
		return Proof{}, err
	}
	if a.OwnerID == "" {
		return Proof{}, a.turnAway(ctx, ErrMismatch)
	}
	switch err := a.Verify(ctx); {
	case errors.Is(err, ErrMismatch):
		return Proof{}, a.fail(ctx, ErrMismatch)
	case err != nil:
		return Proof{}, undecided("verify secret", err)
	}
	if err := ctx.Err(); err != nil {
		return Proof{}, fmt.Errorf("try attempt: %w", err)
	}
	if err := a.Passed(ctx); err != nil {
		return Proof{}, undecided("tell of success", err)
	}
	if err := ctx.Err(); err != nil {
		return Proof{}, fmt.Errorf("try attempt: %w", err)
	}
	p := Proof{model: a.Model, ownerID: a.OwnerID, factor: a.Factor, second: a.Second, at: a.Now, ok: true}
	if a.Epoch != nil {
		p.epoch = a.Epoch()
	}
	return p, nil
}

// check reports the first part that is missing. It runs before anything else, so that a plugin with a
// hole fails in its first test and not on the first wrong password.
func (a Attempt) check() error {
	for _, part := range [...]struct {
		name string
		set  bool
	}{
		{"Model", a.Model != ""},
		{"Factor", a.Factor != ""},
		{"Guard", a.Guard != nil},
		{"Verify", a.Verify != nil},
		{"Failed", a.Failed != nil},
		{"Passed", a.Passed != nil},
	} {
		if !part.set {
			return fmt.Errorf("try attempt: %s is not set", part.name)
		}
	}
	return nil
}

// turnAway ends an attempt whose secret is not looked at, after as much work as if it were.
func (a Attempt) turnAway(ctx context.Context, verdict error) error {
	if a.Decoy != nil {
		if err := a.Decoy(ctx); err != nil {
			return undecided("do decoy work", err)
		}
	}
	return a.fail(ctx, verdict)
}

// fail tells of a failure and returns the verdict, or that telling failed.
func (a Attempt) fail(ctx context.Context, verdict error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failedTimeout)
	defer cancel()
	if err := a.Failed(ctx); err != nil {
		// The verdict goes in as text only: a failure that was not counted must not look like one that was.
		return errors.Join(errors.New(verdict.Error()), undecided("tell of failure", err))
	}
	return verdict
}

// undecided wraps an error that is no verdict. If the error claims to be one, only its text is kept.
func undecided(step string, err error) error {
	if errors.Is(err, ErrMismatch) || errors.Is(err, ErrRefused) {
		return fmt.Errorf("try attempt: %s: %v", step, err)
	}
	return fmt.Errorf("try attempt: %s: %w", step, err)
}
