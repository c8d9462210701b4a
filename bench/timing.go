//go:build linux

package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What a clock could tell an attacker: of each pair of requests, neither must take longer than the other.

//go:embed server/timing.go.txt
var serverTiming []byte

const (
	timedRequests = 400  // of each class
	timedWarmUp   = 50   // of both
	timedSlowest  = 0.05 // are left out: somebody else had the processor
	timedTries    = 2    // of a pair that fails
	mostT         = 4.5  // Welch's t, which is exceeded by chance once in some hundred thousand pairs
	mostDelta     = time.Millisecond
	mostShare     = 0.03
	// timedAccounts is how many accounts a class takes turns with. Few enough tries each that none is locked.
	timedAccounts = 150
	memberPools   = 8 // of pairs with accounts that are as they should be
)

// timedPlugins are the ways in. The hash is a small one, so that a difference is not lost in it.
var timedPlugins = []string{
	"sessions", "password:memory=8192,iterations=3", "lockout:max_attempts=100", "email_confirmation", "magic_link", "mfa",
	"registration", "password_reset", "api_tokens:prefix=acme",
}

// class makes the requests of one class.
type class func(i int) []byte

// timing runs every pair. A busy machine makes noise; it is meant for an idle one.
func (b *bench) timing(ctx context.Context) error {
	addr, tokens, stop, err := b.timed(ctx)
	if err != nil {
		return err
	}
	defer stop()
	used := map[string]int{}
	// pool is the next accounts of a kind that no pair has tried yet.
	pool := func(kind string, size int) func(i int) string {
		first := used[kind]
		used[kind] += size
		return func(i int) string { return fmt.Sprintf("%s-%d@example.com", kind, first+i%size) }
	}
	signIn := func(kind, password string) class {
		who := pool(kind, timedAccounts)
		return func(i int) []byte {
			return post("session", fmt.Sprintf(`{"email":%q,"password":%q}`, who(i), password))
		}
	}
	ask := func(route, kind string) class {
		who := pool(kind, timedAccounts)
		return func(i int) []byte { return post(route, fmt.Sprintf(`{"email":%q}`, who(i))) }
	}
	register := func(kind string, size int) class {
		who := pool(kind, size)
		return func(i int) []byte {
			return post("registration", fmt.Sprintf(`{"email":%q,"password":"violet harbour %d"}`, who(i), 1000+i))
		}
	}
	bearer := func(which int) class {
		return func(i int) []byte {
			return request("/guarded", "Authorization: Bearer "+tokens[i%len(tokens)][which])
		}
	}
	const wrong = "not the password"
	long := strings.Repeat("longer. ", 75)
	for _, p := range []struct {
		name   string
		status int
		make   func() (class, class) // with accounts that are new to the server
	}{
		{"sign-in: unknown / wrong password", http.StatusUnauthorized, func() (class, class) { return signIn("unknown", wrong), signIn("member", wrong) }},
		{"sign-in: locked / wrong password", http.StatusUnauthorized, func() (class, class) { return signIn("locked", wrong), signIn("member", wrong) }},
		{"sign-in: no password / wrong password", http.StatusUnauthorized, func() (class, class) { return signIn("bare", wrong), signIn("member", wrong) }},
		{"sign-in: unconfirmed / confirmed, wrong password", http.StatusUnauthorized, func() (class, class) { return signIn("unconfirmed", wrong), signIn("member", wrong) }},
		{"sign-in: 600 bytes, unknown / known", http.StatusUnauthorized, func() (class, class) { return signIn("unknown", long), signIn("member", long) }},
		{"password reset: unknown / known", http.StatusAccepted, func() (class, class) { return ask("password_reset", "unknown"), ask("password_reset", "member") }},
		{"magic link: unknown / known", http.StatusAccepted, func() (class, class) { return ask("magic_link", "unknown"), ask("magic_link", "member") }},
		{"registration: taken / new", http.StatusAccepted, func() (class, class) {
			return register("member", timedAccounts), register("new", timedRequests+timedWarmUp)
		}},
		{"API token: right / wrong checksum", http.StatusUnauthorized, func() (class, class) { return bearer(0), bearer(1) }},
	} {
		var v timedVerdict
		for try := range timedTries {
			progress("timing: %s, try %d", p.name, try+1)
			first, second := p.make()
			if v, err = timePair(ctx, addr, p.status, [2]class{first, second}); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if v.ok() {
				break
			}
		}
		l := line{
			name: p.name, figure: fmt.Sprintf("t %+.1f, %+.3f ms", v.t, v.delta), floor: fmt.Sprintf("%.3f ms", v.median),
			target: fmt.Sprintf("|t| <= %.1f or <= %.2f ms", mostT, v.limit()), verdict: pass,
		}
		if !v.ok() {
			l.verdict = over
		}
		b.table.add(l)
	}
	return nil
}

func post(route, body string) []byte {
	return fmt.Appendf(nil, "POST /users/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		route, len(body), body)
}

// timed generates, builds and starts the server. tokens are pairs of API tokens that nobody has.
func (b *bench) timed(ctx context.Context) (addr string, tokens [][2]string, stop func(), err error) {
	progress("timing: generating and building a project")
	dir, err := b.project("example.com/bench")
	if err != nil {
		return "", nil, nil, err
	}
	if _, err := b.command(ctx, dir, nil, b.custos, slices.Concat([]string{"gen", "model", "User"}, timedPlugins, []string{"--engine", "sqlite"})...); err != nil {
		return "", nil, nil, err
	}
	folder, binary, list := filepath.Join(dir, "cmd", "timing"), filepath.Join(dir, "timing"), filepath.Join(dir, "tokens")
	err = errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "main.go"), serverTiming, 0o600))
	if err != nil {
		return "", nil, nil, err
	}
	if _, err := b.command(ctx, dir, nil, "go", "build", "-o", binary, "./cmd/timing"); err != nil {
		return "", nil, nil, err
	}
	progress("timing: making accounts")
	cmd := exec.CommandContext(ctx, binary, filepath.Join(dir, "timing.db"), filepath.Join(dir, "db", "migrations"),
		fmt.Sprint(timedAccounts*timedTries*memberPools), fmt.Sprint(timedAccounts*timedTries), fmt.Sprint(timedRequests+timedWarmUp), list)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "CUSTOS_KEYS=1:"+base64.RawURLEncoding.EncodeToString(randomKey()), "CUSTOS_URL=http://127.0.0.1",
		"CUSTOS_MAIL=file:"+filepath.Join(dir, "mail"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	addr, err = bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = readKnown(list, func(words []string) { tokens = append(tokens, [2]string{words[0], words[1]}) })
	}
	if err != nil {
		stop()
		return "", nil, nil, err
	}
	return strings.TrimSpace(addr), tokens, stop, nil
}

// timePair sends the requests of both classes over one connection, in a random order. It is an error when their answers
// differ, or have another status.
func timePair(ctx context.Context, addr string, status int, classes [2]class) (timedVerdict, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return timedVerdict{}, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	order := append(shuffled(timedWarmUp/2), shuffled(timedRequests)...)
	r := bufio.NewReader(conn)
	var took [2][]float64
	var sent [2]int
	var answers [2]string
	for turn, c := range order {
		request := classes[c](sent[c])
		sent[c]++
		start := time.Now()
		if _, err := conn.Write(request); err != nil {
			return timedVerdict{}, err
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return timedVerdict{}, err
		}
		body, err := io.ReadAll(response.Body)
		elapsed := time.Since(start)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			return timedVerdict{}, err
		}
		answer := response.Status + " " + string(body)
		if answers[c] == "" {
			answers[c] = answer
		}
		if response.StatusCode != status {
			return timedVerdict{}, fmt.Errorf("the answer is %q", answer)
		}
		if other := answers[1-c]; other != "" && answer != other || answer != answers[c] {
			return timedVerdict{}, fmt.Errorf("answers differ: %q and %q", answer, other)
		}
		if turn >= timedWarmUp {
			took[c] = append(took[c], elapsed.Seconds()*1000)
		}
	}
	return judge(took), nil
}

// shuffled is n of each class, in a random order.
func shuffled(n int) []int {
	order := make([]int, 2*n)
	for i := range order {
		order[i] = i % 2
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// timedVerdict says how the first class differs from the second, in milliseconds.
type timedVerdict struct {
	t      float64 // of Welch's test
	delta  float64 // between the medians
	median float64 // of the second class
}

func (v timedVerdict) limit() float64 {
	return max(mostDelta.Seconds()*1000, mostShare*v.median)
}

// ok reports whether the difference is chance, or too small to be seen through a network.
func (v timedVerdict) ok() bool { return math.Abs(v.t) <= mostT || math.Abs(v.delta) <= v.limit() }

func judge(took [2][]float64) timedVerdict {
	var mean, square, mid [2]float64 // square is that of the error of the mean
	for i, values := range took {
		values = slices.Sorted(slices.Values(values))
		values = values[:len(values)-int(timedSlowest*float64(len(values)))]
		n := float64(len(values))
		for _, v := range values {
			mean[i] += v / n
		}
		for _, v := range values {
			square[i] += (v - mean[i]) * (v - mean[i]) / (n - 1) / n
		}
		mid[i] = median(values)
	}
	return timedVerdict{t: (mean[0] - mean[1]) / math.Sqrt(square[0]+square[1]), delta: mid[0] - mid[1], median: mid[1]}
}
