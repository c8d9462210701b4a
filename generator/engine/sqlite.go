package engine

func sqlite() Engine {
	return Engine{
		Name:  "sqlite",
		Title: "SQLite",
		SQLC:  "sqlite",
		Drivers: []Driver{
			{Name: "modernc", Module: "modernc.org/sqlite", Version: "v1.61.1", Import: "modernc.org/sqlite", SQLPackage: "database/sql", SQLName: "sqlite",
				Params: []Param{{"_pragma", "busy_timeout(5000)"}, {"_pragma", "journal_mode(WAL)"}, {"_pragma", "synchronous(NORMAL)"}, {"_pragma", "foreign_keys(1)"}}},
			{Name: "mattn", Module: "github.com/mattn/go-sqlite3", Version: "v1.14.53", Import: "github.com/mattn/go-sqlite3", SQLPackage: "database/sql", SQLName: "sqlite3",
				Params: []Param{{"_busy_timeout", "5000"}, {"_journal_mode", "WAL"}, {"_synchronous", "NORMAL"}, {"_foreign_keys", "1"}}},
		},
		words: map[string]string{
			"id":         "INTEGER PRIMARY KEY AUTOINCREMENT",
			"time":       "TIMESTAMP",
			"number":     "INTEGER",
			"digest":     "TEXT",
			"string":     "VARCHAR(255)",
			"owner":      "VARCHAR(255)",
			"text":       "TEXT",
			"one":        ":one",
			"returning":  "\nRETURNING id",
			"batch":      "(",
			"batch_end":  ")",
			"or_keep":    "\nON CONFLICT DO NOTHING",
			"in":         "IN (sqlc.slice('$'))",
			"for_update": "", // one writer at a time
			"unhurried":  "",
			"table":      "",
		},
		casts: map[Key]string{BigInt: "CAST($ AS INTEGER)", UUID: "$", Text: "$"},
	}
}
