package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// outside is the conditions for what is not everywhere, where CUSTOS_REQUIRE_DATABASES=1 makes its absence a failure:
//
//	[server:postgres]  [server:mysql]  a server on this machine
//	[npm]                              node, and the packages of testdata/npm
func outside(condition string) (bool, error) {
	there := error(nil)
	switch engine, isServer := strings.CutPrefix(condition, "server:"); {
	case isServer && serverAddress(engine) != "":
		there = dial(engine)
	case condition == "npm":
		_, there = packages()
	default:
		return false, fmt.Errorf("unknown condition %q; known: server:postgres, server:mysql, npm", condition)
	}
	if there != nil && os.Getenv("CUSTOS_REQUIRE_DATABASES") == "1" {
		return false, fmt.Errorf("%s, and CUSTOS_REQUIRE_DATABASES=1: %w", condition, there)
	}
	return there == nil, nil
}

// serverAddress is where the scripts look for a server, as the tests of the laws do.
func serverAddress(engine string) string {
	return map[string]string{"postgres": "127.0.0.1:5432", "mysql": "127.0.0.1:3306"}[engine]
}

func dial(engine string) error {
	conn, err := net.DialTimeout("tcp", serverAddress(engine), 3*time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// makeDatabase is the command `database ENGINE VARIABLE FILE`: a new database, in which the statements of the file, one a
// line, have run. Its URL is put into the variable, and it is dropped when the script is over.
func makeDatabase(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 || serverAddress(args[0]) == "" {
		ts.Fatalf("usage: database postgres|mysql VARIABLE FILE")
	}
	engine, name := args[0], "custos_script_"+strings.ToLower(rand.Text())
	open := func(name string) (*sql.DB, string) {
		user := map[string]string{"postgres": cmp.Or(os.Getenv("PGUSER"), "postgres"), "mysql": "root"}[engine]
		dsn := fmt.Sprintf("%s://%s@%s/%s", engine, user, serverAddress(engine), name)
		db, err := databases()[engine].open(dsn, "")
		ts.Check(err)
		return db, dsn
	}
	admin, _ := open(map[string]string{"postgres": "postgres", "mysql": "mysql"}[engine])
	ctx := context.Background()
	_, err := admin.ExecContext(ctx, "CREATE DATABASE "+name)
	ts.Check(err)
	db, dsn := open(name)
	ts.Defer(func() {
		_ = db.Close()
		if _, err := admin.ExecContext(ctx, "DROP DATABASE "+name); err != nil {
			ts.Logf("drop %s: %v", name, err)
		}
		_ = admin.Close()
	})
	for statement := range strings.Lines(ts.ReadFile(args[2])) {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			ts.Fatalf("%s: %v", statement, err)
		}
	}
	ts.Setenv(args[1], dsn)
}

// packages is the folder with the npm packages of testdata/npm, in the user's cache: they are fetched once, as the lock file
// there names them, and no script of theirs is run.
var packages = sync.OnceValues(func() (dir string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("install the packages of testdata/npm: %w", err)
		}
	}()
	source := filepath.Join("..", "..", "testdata", "npm")
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		return "", err
	}
	manifest, err := os.ReadFile(filepath.Join(source, "package.json"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(lock)
	dir = filepath.Join(cache, "custos-test", "npm-"+hex.EncodeToString(id[:8]))
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "package-lock.json"), lock, 0o600), os.WriteFile(filepath.Join(dir, "package.json"), manifest, 0o600),
	)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if report, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, report)
	}
	return dir, os.WriteFile(filepath.Join(dir, "done"), nil, 0o600)
})

// useNode is the command `node SCRIPT ARGUMENTS...`: it runs a script of testdata/npm with the packages there.
func useNode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: node SCRIPT [arguments...]")
	}
	dir, err := packages()
	ts.Check(err)
	script, err := filepath.Abs(filepath.Join("..", "..", "testdata", "npm", args[0]))
	ts.Check(err)
	ts.Setenv("NODE_PATH", filepath.Join(dir, "node_modules"))
	ts.Check(ts.Exec("node", append([]string{script}, args[1:]...)...))
}
