package engine

func mysql() Engine {
	return Engine{
		Name:  "mysql",
		Title: "MySQL",
		SQLC:  "mysql",
		Drivers: []Driver{
			{Name: "mysql", Module: "github.com/go-sql-driver/mysql", Version: "v1.10.1", Import: "github.com/go-sql-driver/mysql", SQLPackage: "database/sql", SQLName: "mysql"},
		},
		words: map[string]string{
			"id":     "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
			"time":   "DATETIME(6)",
			"number": "BIGINT",
			// ascii_bin: a token that differs only in case or in a trailing space is another token.
			"digest":    "CHAR(64) CHARACTER SET ascii COLLATE ascii_bin",
			"string":    "VARCHAR(255)",
			"owner":     "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			"text":      "TEXT",
			"one":       ":execlastid",
			"returning": "",
			// A LIMIT stands only in the inner of two subqueries, and a table that is changed only there, too.
			"batch":     "(SELECT batch.id FROM (",
			"batch_end": ") AS batch)",
			// Unlike INSERT IGNORE it hides no other error, such as a value that does not fit.
			"or_keep": "\nON DUPLICATE KEY UPDATE id = id",
			"in":      "IN (sqlc.slice('$'))",
			// A row that a statement has looked at stays as it is until the statement is done.
			"for_update": "\nFOR UPDATE",
			"unhurried":  "",
			"table":      " DEFAULT CHARACTER SET utf8mb4",
		},
		casts: map[Key]string{BigInt: "CAST($ AS SIGNED)", UUID: "$", Text: "$"},
	}
}
