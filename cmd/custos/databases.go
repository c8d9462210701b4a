package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers "sqlite" with database/sql

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/project"
)

// databaseVariable names the database to whatever runs in a project.
const databaseVariable = "DATABASE_URL"

// database is what custos migrate, and the hints about it, must know of an engine.
type database struct {
	dialect  goose.Dialect
	open     func(dsn, root string) (*sql.DB, error) // errors never hold the DSN: it has a password
	read     func(dsn, root string) (*sql.DB, error) // the same for one who leaves no trace; nil = open
	fallback string                                  // the DSN of a project that names none; "" = it must
	example  string                                  // a DSN of an application called NAME
	toolDSN  map[string]string                       // the same, for a migration tool that reads no other
	create   string                                  // the command that makes the database of an application called NAME; "" = nothing does
	shell    string                                  // the command that runs a plain migration, with %s for its file
	ignore   []string                                // what it leaves in a project's folder
}

// databases are the engines by name.
func databases() map[string]database {
	return map[string]database{
		"sqlite": {
			dialect: goose.DialectSQLite3, open: openSQLite, read: readSQLite, fallback: "app.db", example: "app.db",
			toolDSN: map[string]string{project.Dbmate: "sqlite:app.db", project.GolangMigrate: "sqlite://app.db"},
			shell:   "sqlite3 app.db < %s", ignore: []string{"*.db", "*.db-shm", "*.db-wal"},
		},
		"postgres": {
			dialect: goose.DialectPostgres, open: openPostgres, example: "postgres://127.0.0.1:5432/NAME",
			toolDSN: map[string]string{ // lib/pq insists on TLS where nothing else is said
				project.Dbmate:        "postgres://127.0.0.1:5432/NAME?sslmode=disable",
				project.GolangMigrate: "postgres://127.0.0.1:5432/NAME?sslmode=disable",
			},
			create: "createdb NAME", shell: "psql \"$DATABASE_URL\" -f %s",
		},
		"mysql": {
			dialect: goose.DialectMySQL, open: openMySQL, example: "mysql://root@127.0.0.1:3306/NAME",
			toolDSN: map[string]string{project.GolangMigrate: "mysql://root@tcp(127.0.0.1:3306)/NAME"},
			create:  "mysql -e 'CREATE DATABASE `NAME`'", shell: "mysql DATABASE < %s",
		},
	}
}

// exampleFor is a DSN of an application called NAME that both the generated code and a migration tool read.
func (d database) exampleFor(tool string) string { return cmp.Or(d.toolDSN[tool], d.example) }

// forApp puts the name of an application, which may be the last word of a module path, into an example.
func forApp(example, app string) string {
	return strings.ReplaceAll(example, "NAME", strings.NewReplacer("-", "_", ".", "_").Replace(app))
}

// openSQLite opens a file as generated code does.
func openSQLite(dsn, root string) (*sql.DB, error) {
	path, params, err := parseSQLite(dsn, root)
	if err != nil {
		return nil, err
	}
	driver, err := engine.Default().Driver("")
	if err != nil {
		return nil, err
	}
	for _, p := range driver.Params {
		params.Add(p.Key, p.Value)
	}
	return sql.Open("sqlite", "file:"+path+"?"+params.Encode())
}

// readSQLite opens a file that it will not write. An empty database stands for none.
func readSQLite(dsn, root string) (*sql.DB, error) {
	path, _, err := parseSQLite(dsn, root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return sql.Open("sqlite", ":memory:")
	}
	return sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
}

func parseSQLite(dsn, root string) (path string, params url.Values, err error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	path = strings.TrimPrefix(strings.TrimPrefix(path, "//"), "file:")
	if path == "" || path == ":memory:" {
		return "", nil, errors.New("it needs a file, such as app.db")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	if params, err = url.ParseQuery(query); err != nil {
		return "", nil, errors.New("the parameters behind '?' are malformed")
	}
	return path, params, nil
}

func openPostgres(dsn, _ string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the DSN is malformed; write postgres://user:password@host:5432/name")
	}
	return stdlib.OpenDB(*config), nil
}

func openMySQL(dsn, _ string) (*sql.DB, error) {
	config, err := parseMySQL(dsn)
	if err != nil {
		return nil, errors.New("the DSN, or a parameter in it, is malformed; write mysql://user:password@host:3306/name or user:password@tcp(host:3306)/name")
	}
	config.MultiStatements, config.ParseTime, config.Loc = true, true, time.UTC
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errors.New("the DSN is malformed; write mysql://user:password@host:3306/name?parameter=value")
	}
	return sql.OpenDB(connector), nil
}

// parseMySQL reads a URL or the driver's own DSN. Its errors may repeat the password: they are not for the user.
func parseMySQL(dsn string) (*mysql.Config, error) {
	rest, isURL := strings.CutPrefix(dsn, "mysql://")
	if !isURL || strings.Contains(rest, "@tcp(") || strings.Contains(rest, "@unix(") { // golang-migrate puts the scheme before it
		return mysql.ParseDSN(rest)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "3306"))
	// The driver looks for the last slash: one in a parameter must not be it.
	config, err := mysql.ParseDSN("tcp(" + addr + ")/?" + strings.ReplaceAll(u.RawQuery, "/", "%2F"))
	if err != nil {
		return nil, err
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	return config, nil
}

// connect opens a database and makes sure that it answers.
func (d database) connect(ctx context.Context, dsn, root string) (*sql.DB, error) {
	return reach(ctx, d.open, dsn, root)
}

// look is connect for one who only reads.
func (d database) look(ctx context.Context, dsn, root string) (*sql.DB, error) {
	if d.read != nil {
		return reach(ctx, d.read, dsn, root)
	}
	return d.connect(ctx, dsn, root)
}

func reach(ctx context.Context, open func(dsn, root string) (*sql.DB, error), dsn, root string) (*sql.DB, error) {
	db, err := open(dsn, root)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach the database: %w", err), db.Close())
	}
	return db, nil
}
