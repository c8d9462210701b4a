//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	smallTable  = 10_000
	knownTokens = 1000
	// settleTouched is longer than a touched token waits for its write: the write counts for the turn that caused it.
	settleTouched = 1200 * time.Millisecond
	settle        = 100 * time.Millisecond
)

// The server is compiled in a project that custos generated. Its files end in .txt because they do not compile here.
var (
	//go:embed server/main.go.txt
	serverMain []byte
	//go:embed server/sessions.go.txt
	serverSessions []byte
	//go:embed server/token_auth.go.txt
	serverTokenAuth []byte
	//go:embed server/sqlite.go.txt
	serverSQLite []byte
	//go:embed server/postgres.go.txt
	serverPostgres []byte
)

func (b *bench) sqlite(ctx context.Context) error {
	return b.overHTTP(ctx, &backend{engine: "sqlite", title: "SQLite", source: serverSQLite, name: func(size string) string {
		return filepath.Join(b.tmp, size+".db")
	}})
}

func (b *bench) postgres(ctx context.Context) error {
	run := strings.ToLower(rand.Text()[:10])
	return b.overHTTP(ctx, &backend{engine: "postgres", title: "PostgreSQL", source: serverPostgres, counted: true, name: func(size string) string {
		return "bench_" + size + "_" + run
	}})
}

// backend is a database to measure with.
type backend struct {
	engine, title string
	source        []byte
	counted       bool // its processes are its own, and their CPU time is counted
	name          func(size string) string

	binary string
	env    []string
}

// server is a running server with a database of its own.
type server struct {
	addr, name string
	cmd        *exec.Cmd

	floor, guarded               [][]byte // requests with API tokens
	sessionFloor, sessionGuarded [][]byte // requests with sessions
	tokenFloor, tokenFixed       [][]byte // requests with tokens of token_auth
	followers                    []*follower
}

// samples are the measurements of one path, one for each round.
type samples struct{ cpu, perSec, p50, p99 []float64 }

func (b *bench) overHTTP(ctx context.Context, be *backend) (err error) {
	if err := b.build(ctx, be); err != nil {
		return err
	}
	if _, err := b.command(ctx, b.tmp, be.env, be.binary, "probe"); err != nil {
		if ctx.Err() != nil {
			return err
		}
		progress("%s: skipped, no server answers; set BENCH_POSTGRES\n%v", be.title, err)
		b.table.add(line{name: be.title, figure: "no server answers; set BENCH_POSTGRES", verdict: skipped})
		return nil
	}
	if be.counted {
		pids, err := postgresFor("")
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			progress("%s: skipped, its processes are not on this machine, so their CPU time cannot be counted", be.title)
			b.table.add(line{name: be.title, figure: "its CPU time cannot be counted from here", verdict: skipped})
			return nil
		}
	}
	var servers [2]*server
	for i, table := range []struct {
		name   string
		tokens int
	}{{"small", smallTable}, {"big", b.big}} {
		progress("%s: a table of %d tokens", be.title, table.tokens)
		s, stop, startErr := b.start(ctx, be, be.name(table.name), table.tokens)
		defer func() { err = errors.Join(err, stop()) }()
		if startErr != nil {
			return startErr
		}
		servers[i] = s
	}
	return b.compare(ctx, be, servers[0], servers[1])
}

// build generates a project, adds the server, and compiles it.
func (b *bench) build(ctx context.Context, be *backend) error {
	progress("%s: generating and building a project", be.title)
	dir, err := b.project("example.com/bench")
	if err != nil {
		return err
	}
	be.env = []string{"CUSTOS_KEYS=1:" + base64.RawURLEncoding.EncodeToString(randomKey()), "CUSTOS_URL=http://127.0.0.1"}
	for _, model := range [][]string{{"ApiClient", "api_tokens"}, {"User", "sessions"}, {"Member", "token_auth"}} {
		if _, err := b.command(ctx, dir, nil, b.custos, "gen", "model", model[0], model[1], "--engine", be.engine); err != nil {
			return err
		}
	}
	folder := filepath.Join(dir, "cmd", "bench")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"main.go": serverMain, "sessions.go": serverSessions, "token_auth.go": serverTokenAuth, "engine.go": be.source} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	be.binary = filepath.Join(dir, "bench")
	_, err = b.command(ctx, dir, nil, "go", "build", "-o", be.binary, "./cmd/bench")
	return err
}

func randomKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}

// start makes a database with tokens and a server for it. stop, which is never nil, ends and drops them.
func (b *bench) start(ctx context.Context, be *backend, name string, tokens int) (s *server, stop func() error, err error) {
	s = &server{name: name}
	stop = func() error {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		var errs []error
		if s.cmd != nil {
			errs = append(errs, s.stop())
		}
		_, err := b.command(ending, b.tmp, be.env, be.binary, "drop", name)
		return errors.Join(append(errs, err)...)
	}
	file := filepath.Join(b.tmp, "known-"+filepath.Base(name))
	for _, args := range [][]string{
		{"create", name},
		{"migrate", name, filepath.Join(filepath.Dir(be.binary), "db", "migrations")},
		{"seed", name, fmt.Sprint(tokens), fmt.Sprint(knownTokens), file},
	} {
		if _, err := b.command(ctx, b.tmp, be.env, be.binary, args...); err != nil {
			return s, stop, err
		}
	}
	err = errors.Join(
		readKnown(file, func(words []string) {
			token, digest := words[0], words[1]
			s.guarded = append(s.guarded, request("/guarded", "Authorization: Bearer "+token))
			s.floor = append(s.floor, request("/floor", "Authorization: Bearer "+digest))
		}),
		readKnown(file+".sessions", func(words []string) {
			token, digest := words[0], words[1]
			s.sessionGuarded = append(s.sessionGuarded, request("/guarded-session", "Cookie: user_session="+token))
			s.sessionFloor = append(s.sessionFloor, request("/floor-session", "Authorization: Bearer "+digest))
		}),
		readKnown(file+".token_auth", func(words []string) {
			f := &follower{path: "/guarded-rotating", id: words[0], token: []byte(words[1]), uid: words[2]}
			if len(s.followers) < connections {
				s.followers = append(s.followers, f)
				return
			}
			fixed := *f
			fixed.path = "/guarded-fixed"
			s.tokenFixed = append(s.tokenFixed, fixed.next())
			floor := fixed // the same request: what is sent is the client's doing
			floor.path = "/floor-token-auth"
			s.tokenFloor = append(s.tokenFloor, floor.next())
		}))
	if err != nil {
		return s, stop, err
	}
	return s, stop, s.start(ctx, be)
}

// readKnown reads what a server has seeded: in each line a token, with what belongs to it.
func readKnown(file string, use func(words []string)) error {
	known, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(known)) {
		use(strings.Fields(line))
	}
	return nil
}

func request(path, credential string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n" + credential + "\r\n\r\n")
}

func (s *server) start(ctx context.Context, be *backend) error {
	cmd := exec.CommandContext(ctx, be.binary, "serve", s.name)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	cmd.Env, cmd.Stderr = append(os.Environ(), be.env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	s.addr, err = bufio.NewReader(out).ReadString('\n')
	s.addr = strings.TrimSpace(s.addr)
	return err
}

func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// compare measures each floor and what is guarded, and the guarded paths on the big table, in turns.
func (b *bench) compare(ctx context.Context, be *backend, small, big *server) error {
	var floor, crowdedFloor, guarded, crowded, sessionFloor, sessionGuarded, tokenFloor, tokenFixed, tokenCrowded, tokenRotating samples
	turns := []turn{ // what is compared comes one after the other
		{small, crowdOf(small.floor), settle, &floor},
		{small, crowdOf(small.guarded), settleTouched, &guarded},
		{big, crowdOf(big.floor), settle, &crowdedFloor},
		{big, crowdOf(big.guarded), settleTouched, &crowded},
		{small, crowdOf(small.sessionFloor), settle, &sessionFloor},
		{small, crowdOf(small.sessionGuarded), settle, &sessionGuarded},
		{small, crowdOf(small.tokenFloor), settle, &tokenFloor},
		{small, crowdOf(small.tokenFixed), settle, &tokenFixed},
		{big, crowdOf(big.tokenFixed), settle, &tokenCrowded},
		{small, func(i int) client { return small.followers[i] }, settle, &tokenRotating},
	}
	progress("%s: warming up", be.title)
	for _, t := range turns {
		t.to = new(samples)
		if err := b.measure(ctx, be, t); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		progress("%s: round %d of %d", be.title, round+1, b.rounds)
		for _, t := range turns {
			if err := b.measure(ctx, be, t); err != nil {
				return err
			}
		}
		slices.Reverse(turns) // no path is always the first
	}
	for _, s := range []*server{small, big} {
		if err := b.checkTouched(ctx, be, s); err != nil {
			return err
		}
	}
	if b.profile != "" {
		for name, p := range map[string]struct {
			server  *server
			clients crowd
		}{
			"guarded": {small, crowdOf(small.guarded)}, "guarded-big": {big, crowdOf(big.guarded)}, "floor": {small, crowdOf(small.floor)},
			"token-floor": {small, crowdOf(small.tokenFloor)}, "token-fixed": {small, crowdOf(small.tokenFixed)},
			"token-rotating": {small, func(i int) client { return small.followers[i] }},
		} {
			if err := b.profileOf(ctx, p.server, p.clients, be.engine+"-"+name); err != nil {
				return err
			}
		}
	}
	b.report(be, "API token", floor, guarded, 1.10)
	b.compareRow(be, fmt.Sprintf("API token: CPU per request, %d tokens", b.big), "%.1f us", crowded.cpu, crowdedFloor.cpu, 0)
	// A database that grows answers each question more slowly; what is custos' own doing is what it grows by beyond that.
	b.compareRow(be, fmt.Sprintf("API token: CPU, %d tokens against %d", b.big, smallTable), "x %.3f",
		ratios(crowded.cpu, guarded.cpu), ratios(crowdedFloor.cpu, floor.cpu), 1.15)
	b.report(be, "cookie session", sessionFloor, sessionGuarded, 1.10)
	b.report(be, "token_auth, fixed", tokenFloor, tokenFixed, 1.10)
	b.compareRow(be, fmt.Sprintf("token_auth, fixed: CPU, %d sessions against %d", b.big, smallTable), "%.1f us", tokenCrowded.cpu, tokenFixed.cpu, 1.15)
	b.report(be, "token_auth, rotating", tokenFloor, tokenRotating, 3)
	return nil
}

// turn is one measurement of one path. Many short ones tell more than a few long ones: what else goes on in the machine
// changes within seconds, and a figure's floor is measured beside it.
type turn struct {
	server  *server
	clients crowd
	settle  time.Duration // until what it has caused is done
	to      *samples
}

func (b *bench) measure(ctx context.Context, be *backend, t turn) error {
	before, err := t.server.cpu(be)
	if err != nil {
		return err
	}
	l, err := drive(ctx, t.server.addr, t.clients, b.round)
	if err != nil {
		return err
	}
	select {
	case <-time.After(t.settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := t.server.cpu(be)
	if err != nil {
		return err
	}
	total := 0.0
	for pid, used := range after {
		total += used - before[pid] // a process that is new began at 0
	}
	t.to.cpu = append(t.to.cpu, total/float64(l.requests))
	t.to.perSec = append(t.to.perSec, l.perSec)
	t.to.p50 = append(t.to.p50, l.p50)
	t.to.p99 = append(t.to.p99, l.p99)
	return nil
}

// cpu is the CPU time used so far by the server's process and by those of its database.
func (s *server) cpu(be *backend) (map[int]float64, error) {
	pids := []int{s.cmd.Process.Pid}
	if be.counted {
		more, err := postgresFor(s.name)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, errors.New("the database's processes are not on this machine; their CPU time cannot be counted")
		}
		pids = append(pids, more...)
	}
	used := map[int]float64{}
	for _, pid := range pids {
		cpu, err := cpuOf(pid)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		used[pid] = cpu
	}
	return used, nil
}

// checkTouched makes sure that the work was done: every known token has its last_used_at.
func (b *bench) checkTouched(ctx context.Context, be *backend, s *server) error {
	out, err := b.command(ctx, b.tmp, be.env, be.binary, "touched", s.name)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(out); got != fmt.Sprint(len(s.guarded)) {
		return fmt.Errorf("last_used_at is kept for %s tokens of %d", got, len(s.guarded))
	}
	return nil
}

// report adds what was seen of a credential. Beyond limit its CPU time is too much.
func (b *bench) report(be *backend, credential string, floor, guarded samples, limit float64) {
	cpu := credential + ": CPU per request"
	if be.counted {
		cpu += ", with the database"
	}
	p99 := 1.5
	if limit > p99 {
		p99 = 0 // each request is a write, and they wait for each other
	}
	b.compareRow(be, cpu, "%.1f us", guarded.cpu, floor.cpu, limit)
	b.compareRow(be, credential+": requests per second", "%.0f", guarded.perSec, floor.perSec, 0)
	b.compareRow(be, credential+": p50", "%.0f us", guarded.p50, floor.p50, 0)
	b.compareRow(be, credential+": p99", "%.0f us", guarded.p99, floor.p99, p99)
}

// compareRow adds a figure beside its floor; a limit of 0 is none.
func (b *bench) compareRow(be *backend, name, format string, figure, floor []float64, limit float64) {
	l := line{name: be.title + ": " + name, figure: fmt.Sprintf(format, median(figure)), floor: fmt.Sprintf(format, median(floor)), ratios: ratios(figure, floor)}
	if limit > 0 {
		l.target, l.verdict = fmt.Sprintf("<= %.2f", limit), within(median(l.ratios), limit)
	}
	b.table.add(l)
}

// profileOf loads a path once more while the server writes a CPU profile.
func (b *bench) profileOf(ctx context.Context, s *server, clients crowd, name string) error {
	if err := os.MkdirAll(b.profile, 0o750); err != nil {
		return err
	}
	const seconds = 5
	loaded := make(chan error, 1)
	go func() {
		_, err := drive(ctx, s.addr, clients, (seconds+1)*time.Second)
		loaded <- err
	}()
	err := download(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.addr, seconds), filepath.Join(b.profile, name+".pprof"))
	return errors.Join(err, <-loaded)
}

func download(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
