package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour paints text for a terminal whose user has not opted out (https://no-color.org).
type colour bool

func (a *app) colour() colour {
	return colour(a.env("NO_COLOR") == "" && a.env("TERM") != "dumb" && isTerminal(a.out))
}

const (
	green  = "32"
	yellow = "33"
	red    = "31"
	cyan   = "36"
	bold   = "1"
)

func (c colour) paint(code, s string) string {
	if !c || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// slow is how long a step takes before it is worth a word.
const slow = time.Second

// progress names the step under way once it has taken a while: one line, or on a terminal an animation that
// wipes itself. Fast runs print nothing.
type progress struct {
	out     io.Writer
	animate bool

	mu   sync.Mutex
	stop chan struct{} // ends the step that is under way
	gone sync.WaitGroup
}

func (a *app) progress() *progress { return &progress{out: a.err, animate: isTerminal(a.err)} }

// step ends the step before and begins another.
func (p *progress) step(name string) {
	p.done()
	p.mu.Lock()
	defer p.mu.Unlock()
	stop := make(chan struct{})
	p.stop = stop
	p.gone.Go(func() { p.watch(name, stop) })
}

// done ends the last step. When it returns, nothing more is printed.
func (p *progress) done() {
	p.mu.Lock()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
	p.mu.Unlock()
	p.gone.Wait()
}

func (p *progress) watch(name string, stop <-chan struct{}) {
	select {
	case <-stop:
		return
	case <-time.After(slow):
	}
	if !p.animate {
		_, _ = fmt.Fprintf(p.out, "custos: %s ...\n", name)
		return
	}
	tick := time.NewTicker(120 * time.Millisecond)
	defer tick.Stop()
	for frame := 0; ; frame++ {
		_, _ = fmt.Fprintf(p.out, "\r%c %s", []rune("|/-\\")[frame%4], name)
		select {
		case <-stop:
			_, _ = fmt.Fprint(p.out, "\r\x1b[K")
			return
		case <-tick.C:
		}
	}
}
