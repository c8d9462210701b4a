package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers "sqlite" with database/sql

	"github.com/custos-auth/custos/generator/engine"
)

// database is what custos migrate, and the hints about it, must know of an engine.
type database struct {
	dialect  goose.Dialect
	open     func(dsn, root string) (*sql.DB, error) // errors never hold the DSN: it has a password
	fallback string                                  // the DSN of a project that names none; "" = it must
	example  string                                  // a DSN of an application called NAME
	shell    string                                  // the command that runs a plain migration, with %s for its file
	ignore   []string                                // what it leaves in a project's folder
}

// databases are the engines by name.
func databases() map[string]database {
	return map[string]database{
		"sqlite": {
			dialect: goose.DialectSQLite3, open: openSQLite, fallback: "app.db", example: "app.db",
			shell: "sqlite3 app.db < %s", ignore: []string{"*.db", "*.db-shm", "*.db-wal"},
		},
		"postgres": {
			dialect: goose.DialectPostgres, open: openPostgres, example: "postgres://127.0.0.1:5432/NAME",
			shell: "psql \"$DATABASE_URL\" -f %s",
		},
		"mysql": {
			dialect: goose.DialectMySQL, open: openMySQL, example: "mysql://root@127.0.0.1:3306/NAME",
			shell: "mysql DATABASE < %s",
		},
	}
}

// openSQLite opens a file as generated code does.
func openSQLite(dsn, root string) (*sql.DB, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	path = strings.TrimPrefix(strings.TrimPrefix(path, "//"), "file:")
	if path == "" || path == ":memory:" {
		return nil, errors.New("it needs a file, such as app.db")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the parameters behind '?' are malformed")
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
		return nil, errors.New("the DSN is malformed; write mysql://user:password@host:3306/name or user:password@tcp(host:3306)/name")
	}
	config.MultiStatements, config.ParseTime, config.Loc = true, true, time.UTC
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, errors.New("the DSN is malformed; write mysql://user:password@host:3306/name")
	}
	return sql.OpenDB(connector), nil
}

func parseMySQL(dsn string) (*mysql.Config, error) {
	if !strings.HasPrefix(dsn, "mysql://") {
		return mysql.ParseDSN(dsn)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		config.Addr = u.Hostname() + ":3306"
	}
	return config, nil
}

// connect opens a database and makes sure that it answers.
func (d database) connect(ctx context.Context, dsn, root string) (*sql.DB, error) {
	db, err := d.open(dsn, root)
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
