package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// What the runtime's keyring takes; see newKeys.
const (
	minKeyBytes = 32
	maxKeys     = 4
	maxKeyID    = 32767
)

// ring is the value of CUSTOS_KEYS, the current key first. Its text is never printed but to who asked for it.
type ring []ringKey

type ringKey struct {
	id   int
	text string // id:base64
}

// parseRing reads a value as the runtime does. An error names an entry by its place, never what it holds.
func parseRing(value string) (ring, error) {
	var r ring
	for i, entry := range strings.Split(value, ",") {
		entry = strings.TrimSpace(entry)
		id, encoded, _ := strings.Cut(entry, ":")
		n, err := strconv.Atoi(id)
		if err != nil || n < 1 || n > maxKeyID || strconv.Itoa(n) != id || keyBytes(encoded) < minKeyBytes {
			return nil, fmt.Errorf("read %s: entry %d is no key: want id:base64 with an id from 1 to %d and %d bytes or more", keysVariable, i+1, maxKeyID, minKeyBytes)
		}
		if r.find(n) >= 0 {
			return nil, fmt.Errorf("read %s: entry %d: the id %d is there twice", keysVariable, i+1, n)
		}
		r = append(r, ringKey{n, entry})
	}
	return r, nil
}

// keyBytes is the length of a key, -1 for what is no base64 in any of its four spellings.
func keyBytes(encoded string) int {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := enc.Strict().DecodeString(encoded); err == nil && !strings.ContainsAny(encoded, "\r\n") {
			return len(b)
		}
	}
	return -1
}

func (r ring) find(id int) int {
	return slices.IndexFunc(r, func(k ringKey) bool { return k.id == id })
}

// newest is the greatest id: custos counts up.
func (r ring) newest() int {
	n := 0
	for _, k := range r {
		n = max(n, k.id)
	}
	return n
}

// value is what CUSTOS_KEYS is set to.
func (r ring) value() string {
	var texts []string
	for _, k := range r {
		texts = append(texts, k.text)
	}
	return strings.Join(texts, ",")
}

// summary names the keys by their ids: "2 (current), 1".
func (r ring) summary() string {
	var ids []string
	for i, k := range r {
		id := strconv.Itoa(k.id)
		if i == 0 {
			id += " (current)"
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, ", ")
}

// add puts a new key behind the others: it verifies, and makes nothing yet.
func (r ring) add() (ring, error) {
	if len(r) >= maxKeys {
		return nil, fmt.Errorf("rotate keys: there are %d keys (%s), and no program takes more; first: custos secret rotate --retire N", len(r), r.summary())
	}
	id := r.newest() + 1
	if id > maxKeyID {
		return nil, fmt.Errorf("rotate keys: no id is left behind %d; give the keys smaller ids by hand, which changes no digest", maxKeyID)
	}
	text, err := newKey(id)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(r), ringKey{id, text}), nil
}

// promote makes the newest key the current one.
func (r ring) promote() (ring, error) {
	i := r.find(r.newest())
	if i == 0 {
		return nil, fmt.Errorf("rotate keys: key %d is the newest and in front already (%s); to add one: custos secret rotate", r[0].id, r.summary())
	}
	return slices.Concat(ring{r[i]}, r[:i], r[i+1:]), nil
}

// retire removes a key that is not the current one.
func (r ring) retire(id int) (ring, error) {
	switch i := r.find(id); {
	case i < 0:
		return nil, fmt.Errorf("rotate keys: there is no key %d; there are: %s", id, r.summary())
	case i == 0:
		return nil, fmt.Errorf("rotate keys: key %d is the current one (%s); first put another in front: custos secret rotate, then --promote", id, r.summary())
	default:
		return slices.Delete(slices.Clone(r), i, i+1), nil
	}
}

type rotateOptions struct {
	promote, stdin, dryRun, force bool
	retire                        int // 0 = none
}

func newRotateCmd(a *app) *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Change the key of CUSTOS_KEYS in three steps that turn nobody away",
		Long: "Works on .env, or with --stdin on a value that it reads. Finish each step on every server before the next:\n\n" +
			"  custos secret rotate              a new key, behind the others: every server learns it\n" +
			"  custos secret rotate --promote    the newest key in front: secrets move to it as they are used\n" +
			"  custos secret rotate --retire N   the old key goes, and what is still under it ends\n\n" +
			"Before a key is retired the project's own program counts what is sealed under it (custos keys N), in the database of\n" +
			"DATABASE_URL, and custos refuses while that is more than nothing. Digests of tokens, sessions, links and codes do not\n" +
			"say which key made them: what is still under it of those cannot be known.",
		Example: "  custos secret rotate --dry-run\n" +
			"  fetch-secret CUSTOS_KEYS | custos secret rotate --stdin | store-secret CUSTOS_KEYS",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			retire := cmd.Flags().Changed("retire")
			switch {
			case retire && o.promote:
				return usagef(cmd, "--promote and --retire are two steps; take one after the other")
			case retire && (o.retire < 1 || o.retire > maxKeyID):
				return usagef(cmd, "--retire %d: a key's id is from 1 to %d", o.retire, maxKeyID)
			case o.force && !retire:
				return usagef(cmd, "--force is for --retire N")
			case o.stdin && o.dryRun:
				return usagef(cmd, "--stdin writes nothing anywhere; leave out --dry-run")
			}
			return a.runRotate(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.promote, "promote", false, "put the newest key in front")
	cmd.Flags().IntVar(&o.retire, "retire", 0, "remove the key with this id")
	cmd.Flags().BoolVar(&o.force, "force", false, "retire a key although rows are sealed under it, or nobody can tell")
	cmd.Flags().BoolVar(&o.stdin, "stdin", false, "read the value from standard input, and print the new one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be done, and write nothing")
	return cmd
}

func (a *app) runRotate(_ context.Context, o rotateOptions) error {
	if o.stdin {
		return a.rotateStdin(o)
	}
	root := a.root()
	if root == "" {
		return errors.New("rotate keys: no go.mod here or above, so this is no project; --stdin takes the keys from elsewhere")
	}
	if err := a.recover(); err != nil {
		return err
	}
	old, _, err := readFile(root, ".env")
	if err != nil {
		return err
	}
	value, there, err := lookupDotEnv(old, keysVariable)
	if err != nil {
		return err
	}
	if !there || value == "" {
		return fmt.Errorf("rotate keys: .env has no %s; `custos secret --write` makes the first key, and --stdin takes keys from elsewhere", keysVariable)
	}
	before, after, err := o.rotate(value)
	if err != nil {
		return err
	}
	if o.retire != 0 && !o.force {
		if err := a.refuseNeeded(root, o.retire); err != nil {
			return err
		}
	}
	content, err := setDotEnv(old, keysVariable, after.value())
	if err != nil {
		return err
	}
	changes := []plan.Change{{Path: ".env", Op: plan.Replace, Owner: plan.User, Old: old, New: content, Private: true}}
	if err := a.writeDotEnv(root, changes, o.dryRun); err != nil {
		return err
	}
	if a.env(keysVariable) != "" {
		a.note("%s is set in this environment, too, and counts before .env", keysVariable)
	}
	return explainRotation(a.out, o, before, after)
}

// refuseNeeded refuses to retire a key while rows are sealed under it: nothing else opens them. The project's own program
// counts them, for it has the database; a project without one seals nothing.
func (a *app) refuseNeeded(root string, id int) error {
	proj, err := project.Load(a.dir, project.Options{})
	if err != nil {
		return err
	}
	if proj.ConfigFile == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(proj.Config.Authctl))); errors.Is(err, fs.ErrNotExist) {
		return nil // no plugin that keeps anything
	}
	unknown := func(err error) error {
		return fmt.Errorf("rotate keys: cannot tell what is sealed under key %d: %w; to retire it without knowing: --force", id, err)
	}
	exe, err := a.buildAuthctl(root, proj.Config.Authctl)
	if err != nil {
		return unknown(err)
	}
	var errs bytes.Buffer
	cmd := exec.Command(exe, "keys", strconv.Itoa(id), "--json")
	cmd.Dir, cmd.Stderr = root, &errs
	report, err := cmd.Output()
	if err != nil {
		return unknown(fmt.Errorf("%w: %s", err, strings.TrimSpace(errs.String())))
	}
	var count struct{ Sealed map[string]int64 }
	if err := json.Unmarshal(report, &count); err != nil {
		return unknown(err)
	}
	var needed []string
	for _, table := range slices.Sorted(maps.Keys(count.Sealed)) {
		if n := count.Sealed[table]; n > 0 {
			needed = append(needed, fmt.Sprintf("%s: %d", table, n))
		}
	}
	if len(needed) > 0 {
		return fmt.Errorf("rotate keys: rows are sealed under key %d and lost without it (%s); second factors move to the current key when they are used, mail when it is sent; to retire the key all the same: --force", id, strings.Join(needed, ", "))
	}
	return nil
}

// rotateStdin is for keys that are kept anywhere else. What is printed can be stored as it is.
func (a *app) rotateStdin(o rotateOptions) error {
	const most = 1 << 16
	input, err := io.ReadAll(io.LimitReader(a.in, most+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	text := strings.TrimSpace(string(bytes.TrimPrefix(input, []byte("\ufeff"))))
	value, named := strings.CutPrefix(text, keysVariable+"=")
	if value == "" || len(input) > most {
		return usagef(nil, "rotate keys: standard input has no value of %s", keysVariable)
	}
	before, after, err := o.rotate(value)
	if err != nil {
		return err
	}
	value = after.value()
	if named {
		value = keysVariable + "=" + value
	}
	if err := a.printf("%s\n", value); err != nil {
		return err
	}
	return explainRotation(a.err, o, before, after)
}

func (o rotateOptions) rotate(value string) (before, after ring, err error) {
	if before, err = parseRing(value); err != nil {
		return nil, nil, err
	}
	switch {
	case o.promote:
		after, err = before.promote()
	case o.retire != 0:
		after, err = before.retire(o.retire)
	default:
		after, err = before.add()
	}
	return before, after, err
}

// explainRotation says what there is now, and what to do on every server before the next step.
func explainRotation(w io.Writer, o rotateOptions, before, after ring) error {
	where := "this .env"
	if o.stdin {
		where = "this value"
	}
	current := after[0].id
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if o.dryRun {
		say("The keys would be: %s.", after.summary())
	} else {
		say("The keys are now: %s.", after.summary())
	}
	say("")
	switch {
	case o.promote:
		say("1. Give every server %s and restart it. From then on what is used moves from key %d to key %d.", where, before[0].id, current)
		say("2. Wait until whatever you do not want to end was used, or has expired. Then: custos secret rotate --retire %d", before[0].id)
	case o.retire != 0:
		say("Warning: what is still under key %d ends: those tokens and sessions are refused from the restart on. How many there", o.retire)
		say("are cannot be known: a digest does not say which key made it. What was used since another key is in front has moved to it.")
		if o.stdin {
			say("What is sealed under the key was not counted. Where the application runs: authctl keys %d", o.retire)
		}
		say("")
		say("1. Give every server %s and restart it.", where)
		say("2. Destroy what copies of key %d there are. A leaked one cannot verify anything any more.", o.retire)
	default:
		say("1. Give every server %s and restart it. Key %d still makes every digest; key %d is only known.", where, current, after.newest())
		say("2. When no server runs without key %d: custos secret rotate --promote", after.newest())
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
