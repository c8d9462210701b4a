package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// serverAddress is where the scripts look for a server, as the tests of the laws do.
func serverAddress(engine string) string {
	return map[string]string{"postgres": "127.0.0.1:5432", "mysql": "127.0.0.1:3306"}[engine]
}

// hasServer is the condition [server:ENGINE]. Where CUSTOS_REQUIRE_DATABASES is 1, a server that is missing is a failure.
func hasServer(condition string) (bool, error) {
	engine, ok := strings.CutPrefix(condition, "server:")
	address := serverAddress(engine)
	if !ok || address == "" {
		return false, fmt.Errorf("unknown condition %q; known: server:postgres, server:mysql", condition)
	}
	conn, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err != nil && os.Getenv("CUSTOS_REQUIRE_DATABASES") == "1" {
		return false, fmt.Errorf("no %s on %s, and CUSTOS_REQUIRE_DATABASES=1: %w", engine, address, err)
	}
	if err != nil {
		return false, nil
	}
	return true, conn.Close()
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
