package sqlc

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
)

// Where two rules of sqlc's grammar of SQLite fit the same words, its parser reads all of them twice, the second time with
// no memory of other queries: that was half of a run. Such words are sent as others that only one rule fits and that are
// the same to sqlc, to which every comparison is one. longhand puts the words back into the Go:
//
//	a IS NULL, a IS NOT NULL         a == X'', a != X''
//	WHERE id IN (SELECT t.id         WHERE id == (SELECT t.id
//	authenticatable_type = 'User'    authenticatable_type = X'55736572'
//	UPDATE ...; DELETE ...;          UPDATE ... LIMIT 9000000001; DELETE ... LIMIT 9000000001;

const limited = " LIMIT 9000000001" // update_stmt and delete_stmt never end so, but their twins update_stmt_limited and delete_stmt_limited

var (
	long   = regexp.MustCompile(`\b(authenticatable_type (?:=|<>) )'(\w+)'|` + quoted + `|\bIS NULL\b|\bIS NOT NULL\b|\bWHERE id IN \(\s*SELECT \w+\.id\b`)
	short  = regexp.MustCompile(`[=!]= X''|\bX'([0-9a-f]+)'|\bWHERE id == \(|` + limited + `\b`)
	change = regexp.MustCompile(`^(?:\s|--[^\n]*\n)*(?:UPDATE|DELETE)\s`)
	ended  = regexp.MustCompile(`\bRETURNING\b|\bLIMIT\b[^()]*;\s*$`)
)

// shorthand rewrites the queries of a file. With ok false they have words of its own, which longhand could not tell apart.
func shorthand(sql []byte) (rewritten []byte, ok bool) {
	if short.Match(sql) {
		return nil, false
	}
	var b bytes.Buffer
	for _, query := range statements(string(sql)) {
		query = long.ReplaceAllStringFunc(query, func(found string) string {
			switch {
			case found == "IS NULL":
				return "== X''"
			case found == "IS NOT NULL":
				return "!= X''"
			case strings.HasPrefix(found, "WHERE"):
				return strings.Replace(found, "IN", "==", 1)
			case strings.HasPrefix(found, "authenticatable_type"):
				m := long.FindStringSubmatch(found)
				return m[1] + "X'" + hex.EncodeToString([]byte(m[2])) + "'"
			}
			return found // quoted
		})
		if end := strings.LastIndex(query, ";"); end > 0 && change.MatchString(query) && !ended.MatchString(query) {
			query = query[:end] + limited + query[end:]
		}
		b.WriteString(query)
	}
	return b.Bytes(), true
}

// longhand takes Go that sqlc made of shorthand back to the words that were there first.
func longhand(code []byte) []byte {
	return short.ReplaceAllFunc(code, func(found []byte) []byte {
		switch string(found) {
		case "== X''":
			return []byte("IS NULL")
		case "!= X''":
			return []byte("IS NOT NULL")
		case "WHERE id == (":
			return []byte("WHERE id IN (")
		case limited:
			return nil
		}
		text, err := hex.DecodeString(string(short.FindSubmatch(found)[1]))
		if err != nil {
			return found // half a byte: shorthand wrote none
		}
		return []byte("'" + string(text) + "'")
	})
}
